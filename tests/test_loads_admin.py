"""Loads in the back office: who sees and does what, and what an upload comes to."""

import gzip
import json
import re
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.models import AttributeDefinition, Change, Customer
from ingest import runner
from ingest.cleanup import delete_abandoned_uploads
from ingest.models import BulkDraft, BulkRequest, BulkUpload
from tests import bulk, factories, served, uploads
from tests.bulk import customer

pytestmark = pytest.mark.django_db(transaction=True)
START = "admin:ingest_bulkrequest_"
TABLE = (
    "Kundennummer;Vorname;Nachname;E-Mail;Geburtsdatum;Notiz\r\n"
    "c1;Ada;Lovelace;ada@example.com;31.12.1980;x\r\n"
    "c2;Zoë;Müller;nobody;1.2.1990;y\r\n"
)


@pytest.fixture(autouse=True)
def folder(storage):
    return storage


def signed_in(account, role="Owner", **fields) -> Browser:
    browser = Browser()
    browser.user = factories.make_employee(account, role=role, is_staff=True, **fields)
    browser.force_login(browser.user)
    return browser


@pytest.fixture
def operator(account) -> Browser:
    return signed_in(account)


def url(page: str, /, *args, **query: str) -> str:
    return reverse(START + page, args=args, query=query)


def upload(browser: Browser, body: bytes | str, name: str = "people.csv", **query: str):
    sent = body.encode() if isinstance(body, str) else body
    return browser.post(
        url("upload", name=name, **query), sent, content_type="application/octet-stream"
    )


def uploaded(browser: Browser, body: bytes | str, **query: str) -> str:
    """The page of a file that was uploaded."""
    answer = upload(browser, body, **query)
    assert answer.status_code == 200, answer.content
    return answer.json()["location"]


def press(browser: Browser, page: str, do: str, **form: str) -> BulkRequest:
    """The load that a button makes, done by a worker."""
    answer = browser.post(page, {"do": do} | form)
    assert answer.status_code == 302, answer.content.decode()
    load = BulkRequest.objects.order_by("-number").first()
    assert answer["Location"] == url("change", load.pk)
    runner.run(load.pk)
    load.refresh_from_db()
    return load


def counts(load: BulkRequest) -> tuple[int, int, int, int]:
    return load.created, load.updated, load.unchanged, load.failed


def text_of(answer) -> str:
    assert answer.status_code == 200, answer
    return answer.getvalue().decode("utf-8-sig")


# --- Words ----------------------------------------------------------------------------------------


def test_a_column_that_the_file_lacks_is_named_in_words(operator):
    page = uploaded(operator, "externalId,firstName,cityName,type\nc1,Ada,London,ROBOT\n")
    for text in (
        text_of(operator.get(page)),
        text_of(operator.get(url("change", press(operator, page, "load").pk))),
    ):
        assert "Postal code" in text
        assert "zipCode" not in re.sub(r"<option.*?</option>", "", text, flags=re.DOTALL)
        assert re.search(r">type</td>", text)


def test_of_a_load_that_stored_nothing_nothing_is_undone(operator):
    bad = press(operator, uploaded(operator, "externalId,email\nc1,nobody\n"), "load")
    text = text_of(operator.get(url("change", bad.pk)))
    assert "Nothing of it is stored." in text
    assert url("undo", bad.pk) not in text
    mixed = press(operator, uploaded(operator, TABLE), "load")
    assert "Everything else is stored." in text_of(operator.get(url("change", mixed.pk)))
    answer = operator.post(url("undo", mixed.pk), follow=True)
    assert "The undo of people.csv has begun." in text_of(answer)


# --- From file to load ----------------------------------------------------------------------------


def test_a_file_is_looked_at_tried_out_loaded_and_its_failed_lines_are_corrected(
    operator, account, owner
):
    page = uploaded(operator, TABLE.encode("cp1252"), name="people.csv")
    shown = text_of(operator.get(page))
    for words in (
        "Windows-1252",
        "semicolons",
        "Müller",
        "1 of 2 rows would fail",
        "no e-mail",
    ):
        assert words.lower() in shown.lower() or words == "no e-mail", words
    assert not Customer.objects.exists()

    trial = press(operator, page, "try")
    assert (counts(trial), trial.is_dry_run) == ((1, 0, 0, 1), True)
    assert not Customer.objects.exists()
    assert "Dry run" in text_of(operator.get(url("change", trial.pk)))

    load = press(operator, page, "load")
    assert (counts(load), load.file.name) == ((1, 0, 0, 1), "people.csv")
    assert operator.get(page)["Location"] == url("change", load.pk)
    assert not BulkUpload.objects.exists()
    person = owner.api.get(f"/v1/customers/{bulk.id_of(owner, 'c1')}").json()
    assert (person["dateOfBirth"], person["metadata"]) == ("1980-12-31", {})
    assert set(Change.objects.values_list("via", flat=True)) == {"back-office"}
    shown = text_of(operator.get(url("change", load.pk)))
    assert "nobody" in shown
    assert "E-Mail" in shown

    failed = text_of(operator.get(url("failed", load.pk)))
    header, row = failed.splitlines()
    assert header == "Kundennummer;Vorname;Nachname;E-Mail;Geburtsdatum;Notiz;error"
    assert row.startswith("c2;Zoë;Müller;nobody;1.2.1990;y;")
    corrected = uploaded(operator, failed.replace(";nobody;", ";zoe@example.com;"))
    assert counts(press(operator, corrected, "load")) == (1, 0, 0, 0)
    results = text_of(operator.get(url("results", load.pk)))
    assert results.splitlines()[2].startswith("3,c2,FAILED,,E-Mail: ")


def test_results_have_nothing_that_a_spreadsheet_would_run(operator):
    load = press(operator, uploaded(operator, "externalId,lastName\n=1+1,Lovelace\n"), "load")
    assert "\r\n2,'=1+1,CREATED," in text_of(operator.get(url("results", load.pk)))


def test_columns_are_mapped_and_the_next_file_is_read_likewise(operator, account, owner):
    body = "Nr,Who,Born,Colour\nc1,Lovelace,01/02/1980,red\n"
    AttributeDefinition.objects.create(business_account=account, name="colour")
    page = uploaded(operator, body)
    assert "day or the month first" in text_of(operator.get(page))
    form = {
        "column-0": "externalId",
        "column-1": "lastName",
        "column-2": "dateOfBirth",
        "order-2": "MDY",
        "column-3": "attribute.colour",
    }
    twice = operator.post(page, form | {"do": "load", "column-1": "externalId"})
    assert "More than one column" in text_of(twice)
    nothing = operator.post(page, {f"column-{place}": "" for place in range(4)})
    assert "At least one column" in text_of(nothing)
    assert counts(press(operator, page, "load", **form)) == (1, 0, 0, 0)
    person = owner.api.get(f"/v1/customers/{bulk.id_of(owner, 'c1')}").json()
    assert (person["lastName"], person["dateOfBirth"]) == ("Lovelace", "1980-01-02")
    assert person["customAttributes"] == {"colour": "red"}

    again = uploaded(operator, body.replace("c1", "c2"))
    assert counts(press(operator, again, "load")) == (1, 0, 0, 0)
    other = owner.api.get(f"/v1/customers/{bulk.id_of(owner, 'c2')}").json()
    assert (other["dateOfBirth"], other["customAttributes"]) == ("1980-01-02", {"colour": "red"})


def test_json_lines_are_uploaded_too(operator, owner):
    good, bad = customer("c1", firstName="Ada"), customer("c2", postalCode="")
    body = gzip.compress(uploads.lines(good, bad, b"{broken"))
    shown = text_of(operator.get(page := uploaded(operator, body, name="feed.ndjson.gz")))
    assert "JSON lines" in shown
    assert "2 of 3 rows would fail" in shown
    load = press(operator, page, "load")
    assert counts(load) == (1, 0, 0, 2)
    assert len(text_of(operator.get(url("failed", load.pk))).splitlines()) == 2


def test_what_failed_is_told_in_words_however_it_was_sent(operator, owner):
    wrong = customer("c1", accounts=[bulk.account("c1", accountCloseDate="soon")])
    bulk.run(bulk.send(owner, wrong))
    pages = [url("change", BulkRequest.objects.get().pk)]
    pages.append(uploaded(operator, uploads.lines(wrong), name="feed.ndjson"))
    shown = [text_of(operator.get(page)) for page in pages]
    shown.append(text_of(operator.get(url("change", press(operator, pages[1], "load").pk))))
    for page in shown:
        assert (">Account 1, closed<" in page, "accountCloseDate" in page) == (True, False)


def test_a_file_that_was_loaded_and_customers_who_are_there_are_warned_of(operator, account):
    factories.make_customer(account, email="ada@example.com", first_name="Augusta")
    gone = factories.make_customer(account, email="ada@example.com", first_name="Gone")
    Customer.objects.filter(pk=gone.pk).update(status=Customer.Status.DELETED)
    rows = (
        "firstName,lastName,email,phone\nAda,Lovelace,ADA@example.com,\n"
        "Adah,Lovelace,ada@example.com,\nEve,Gone,,\n"
    )
    page = uploaded(operator, rows)
    shown = text_of(operator.get(page))
    assert shown.count(">Augusta Lovelace<") == 2
    assert "Row 4" not in shown
    assert "Only the first" not in shown
    press(operator, page, "load")
    shown = text_of(operator.get(uploaded(operator, rows)))
    assert "was loaded before" in shown
    assert "Eve Gone" in shown


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no lines"),
        (b'a,b\n1,"2\n', "quotation mark"),
        (b"a,4111111111111111\n1,2\n", "card number"),
        (b"\x1f\x8bnothing", "compressed file"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_of_it_kept(operator, folder, body, words):
    answer = upload(operator, body)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert uploads.stored(folder) == []
    assert not BulkUpload.objects.exists()


def test_a_file_that_is_discarded_or_left_alone_is_deleted(operator, folder):
    page = uploaded(operator, TABLE)
    assert len(uploads.stored(folder)) == 1
    draft = BulkDraft.objects.get()
    assert operator.post(url("discard", draft.pk)).status_code == 302
    assert uploads.stored(folder) == []
    assert operator.get(page).status_code == 404

    page = uploaded(operator, TABLE)
    BulkUpload.objects.update(started_at=timezone.now() - timedelta(days=3))
    assert operator.get(page).status_code == 404
    delete_abandoned_uploads()
    assert uploads.stored(folder) == []
    assert not BulkDraft.objects.exists()


def test_a_card_number_of_an_uploaded_file_is_stored_nowhere(operator, folder):
    page = uploaded(operator, "externalId,Notiz\nc1,4111 1111 1111 1111\n")
    shown = text_of(operator.get(page))
    assert "4111 1111" not in shown
    load = press(operator, page, "load")
    assert counts(load) == (0, 0, 0, 1)
    assert "4111 1111" not in text_of(operator.get(url("failed", load.pk)))


@pytest.mark.no_cover
def test_a_file_larger_than_any_body_is_received_by_the_real_server(
    account, settings, tmp_path, own_queue
):
    """As the page's script sends it: 200,000 rows, some 15 MB, which nobody holds in memory."""
    options = settings.STORAGES["default"]["OPTIONS"] | {"location": tmp_path / "results"}
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"OPTIONS": options}
    }
    browser = signed_in(account)
    rows = [f"C-{number},Zoë,Müller{number},zoe{number}@example.com" for number in range(200_000)]
    body = "\n".join(["Kundennummer,Vorname,Nachname,E-Mail", *rows]).encode()
    assert len(body) > settings.MAX_BODY_BYTES
    session, token = browser.cookies[settings.SESSION_COOKIE_NAME].value, "t" * 32
    headers = {
        "Content-Type": "application/octet-stream",
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}",
        "X-CSRFToken": token,
    }
    with served.web(own_queue, tmp_path) as address:
        page = f"{address.url}{url('upload', name='all.csv')}"
        with urlopen(Request(page, body, headers), timeout=60) as answer:
            location = json.load(answer)["location"]
        refused = Request(page, body, headers | {"X-CSRFToken": "u" * 32})
        with pytest.raises(HTTPError, match="403"):
            urlopen(refused, timeout=60)
    assert BulkDraft.objects.get().rows == 200_000
    shown = text_of(browser.get(location))
    assert "the first 500 rows" in shown
    assert "Only the first 500 of " in shown


# --- Who may what ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["Owner", "Admin", "Manager", "Clerk", "Finance"])
def test_who_works_with_customers_may_upload(role, account):
    browser = signed_in(account, role)
    assert "Upload" in text_of(browser.get(url("changelist")))
    assert text_of(browser.get(url("upload")))
    assert text_of(browser.get(url("template"))).startswith("externalId,type,")
    load = press(browser, uploaded(browser, TABLE), "load")
    assert "Failed lines" in text_of(browser.get(url("change", load.pk)))
    assert text_of(browser.get(url("failed", load.pk)))


def test_who_only_looks_may_neither_upload_nor_stop_nor_have_lines(account, operator):
    load = press(operator, uploaded(operator, TABLE), "load")
    viewer = signed_in(account, "View Only")
    assert ">Upload<" not in text_of(viewer.get(url("changelist")))
    shown = text_of(viewer.get(url("change", load.pk)))
    assert "Failed lines" not in shown
    assert text_of(viewer.get(url("results", load.pk)))
    for page in (url("upload"), url("template"), url("failed", load.pk)):
        assert viewer.get(page).status_code == 403
    for page in (url("upload", name="x"), url("cancel", load.pk), url("retry", load.pk)):
        assert viewer.post(page, b"", content_type="text/csv").status_code == 403


def test_lines_of_others_with_all_they_hold_are_for_who_may_reveal(account, owner):
    public_id = uploads.send(owner, b'{"sourceCustomerId":"c1"}\n')
    bulk.run(public_id)
    load = bulk.request_of(public_id)
    clerk, manager = signed_in(account, "Clerk"), signed_in(account, "Manager")
    assert clerk.get(url("failed", load.pk)).status_code == 403
    assert "c1" in text_of(manager.get(url("failed", load.pk)))


def test_nobody_reaches_the_file_or_the_load_of_another_account(operator, sibling, parent_account):
    page = uploaded(operator, TABLE)
    draft = BulkDraft.objects.get()
    stranger = signed_in(sibling.account)
    colleague = signed_in(operator.user.business_account)
    for browser in (stranger, colleague):
        assert browser.get(page).status_code == 404
        assert browser.post(page, {"do": "load"}).status_code == 404
        assert browser.post(url("discard", draft.pk)).status_code == 404
    load = press(operator, page, "load")
    for name in ("failed", "results"):
        assert stranger.get(url(name, load.pk)).status_code == 404
    for name in ("cancel", "retry"):
        assert stranger.post(url(name, load.pk)).status_code == 404
    assert stranger.get(url("change", load.pk)).status_code == 302
    other = upload(operator, TABLE, account=str(sibling.account.pk))
    assert BulkDraft.objects.filter(business_account=sibling.account).count() == 0, other
    assert text_of(signed_in(parent_account).get(url("change", load.pk)))


def test_who_has_several_accounts_says_whose_customers_they_are(account, child_account):
    browser = signed_in(account)
    assert "Business account" in text_of(browser.get(url("upload")))
    answer = upload(browser, TABLE)
    assert (answer.status_code, "business account" in answer.json()["message"]) == (400, True)
    page = uploaded(browser, TABLE, account=str(child_account.pk))
    press(browser, page, "load")
    assert Customer.objects.get().business_account == child_account


# --- The page of a load ---------------------------------------------------------------------------


def test_errors_show_their_values_but_for_sensitive_ones(account, owner, operator):
    for name, is_encrypted in (("tier", False), ("code", True)):
        AttributeDefinition.objects.create(
            business_account=account, name=name, is_encrypted=is_encrypted
        )
    long = "s" * 2000
    public_id = bulk.send(
        owner,
        customer("c1", country="Utopia", customAttributes={"tier": f"gold{long}"}),
        customer("c2", customAttributes={"code": f"secret{long}", "unknown": "hidden-value"}),
    )
    bulk.run(public_id)
    shown = text_of(operator.get(url("change", bulk.request_of(public_id).pk)))
    for words in ("Utopia", "goldsss", "Custom attribute code", "••••••"):
        assert words in shown
    for words in ("secretsss", "hidden-value"):
        assert words not in shown


def test_errors_come_in_pages(operator):
    rows = "".join(f"c{number},nobody\n" for number in range(60))
    load = press(operator, uploaded(operator, f"externalId,email\n{rows}"), "load")
    first = text_of(operator.get(url("change", load.pk)))
    last = text_of(operator.get(url("change", load.pk, page="3")))
    assert "Page 1 of 3" in first
    assert (">2</td>" in first, ">2</td>" in last) == (True, False)
    assert ">61</td>" in last
    for page in ("0", "-1", "x", "99999"):
        assert text_of(operator.get(url("change", load.pk, page=page)))


def test_a_load_that_waits_is_cancelled(operator):
    operator.post(uploaded(operator, TABLE), {"do": "load"})
    load = BulkRequest.objects.get()
    assert 'data-live="running"' in text_of(operator.get(url("change", load.pk)))
    operator.post(url("cancel", load.pk))
    runner.run(load.pk)
    shown = text_of(operator.get(url("change", load.pk)))
    assert "Cancelled" in shown
    assert 'data-live="running"' not in shown
    assert not Customer.objects.exists()


def test_what_failed_of_a_request_is_tried_again(operator, account, owner):
    sent = customer("c1", department="North")
    public_id = bulk.send(owner, sent)
    bulk.run(public_id)
    factories.make_department(account, "North")
    failed = bulk.request_of(public_id)
    assert "Retry failed" in text_of(operator.get(url("change", failed.pk)))
    answer = operator.post(url("retry", failed.pk))
    again = BulkRequest.objects.get(retry_of=public_id)
    assert answer["Location"] == url("change", again.pk)
    runner.run(again.pk)
    again.refresh_from_db()
    assert counts(again) == (1, 0, 0, 0)


def test_the_list_asks_a_fixed_number_of_questions(operator, owner):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            text_of(operator.get(url("changelist")))
        return len(queries)

    bulk.run(bulk.send(owner, customer("c1")))
    asked()
    few = asked()
    for number in range(5):
        bulk.run(bulk.send(owner, customer(f"d{number}")))
        uploads.send(owner, json.dumps(customer(f"e{number}")).encode())
    assert asked() == few
    assert few <= 12


PLAIN = "externalId,firstName,lastName,email\nu1,Ada,Lovelace,ada@example.com\n"


def test_a_load_is_undone_once_and_its_undo_can_be_undone(operator):
    load = press(operator, uploaded(operator, PLAIN), "load")
    before = list(Customer.objects.values_list("external_id", flat=True))
    assert before == ["u1"]
    assert 'data-opens="undo"' in text_of(operator.get(url("change", load.pk)))
    answer = operator.post(url("undo", load.pk))
    first = BulkRequest.objects.get(undo_of=load)
    assert answer["Location"] == url("change", first.pk)
    runner.run(first.pk)
    assert not Customer.objects.exists()
    assert 'data-opens="undo"' not in text_of(operator.get(url("change", load.pk)))
    operator.post(url("undo", load.pk))
    assert BulkRequest.objects.filter(undo_of=load).count() == 1
    operator.post(url("undo", first.pk))
    runner.run(BulkRequest.objects.get(undo_of=first).pk)
    assert list(Customer.objects.values_list("external_id", flat=True)) == before


def test_what_an_undo_leaves_as_it_is_is_told_without_names_of_the_api(operator, account):
    load = press(operator, uploaded(operator, PLAIN), "load")
    employee = factories.make_employee_speaker(account)
    changed = {
        "firstName": "Grace",
        "dateOfBirth": "1980-12-31",
        "primaryEmail": {"value": "grace@example.com"},
        "relationship": {"pin": "1234", "marketSegment": "Retail"},
    }
    answer = employee.api.put(f"/v1/customers/{Customer.objects.get().pk}", changed)
    assert answer.status_code == 200, answer.content
    operator.post(url("undo", load.pk))
    undo = BulkRequest.objects.get(undo_of=load)
    runner.run(undo.pk)
    text = text_of(operator.get(url("change", undo.pk)))
    for place, what in (
        ("Contact", "Date of birth, first name of the contact were changed on "),
        ("Customer", "Market segment, PIN of the customer were changed on "),
        ("Contact point", "Value of the contact point was changed on "),
    ):
        assert f'<td data-label="Where">{place}</td>' in text
        assert what in text
    assert f"by employee {employee.user}, through the API." in text
    for name in ("firstName", "dateOfBirth", "contactPoint", "relationship."):
        assert name not in text


def test_view_only_undoes_nothing(operator, account):
    load = press(operator, uploaded(operator, PLAIN), "load")
    looker = signed_in(account, role="View Only")
    assert 'data-opens="undo"' not in text_of(looker.get(url("change", load.pk)))
    assert looker.post(url("undo", load.pk)).status_code == 403
    assert not BulkRequest.objects.filter(undo_of=load).exists()
