"""Queued searches in the back office: who may do what, and what each page says."""

import html
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from customers.criteria import MEMBERS, Criteria, Match
from customers.models import BusinessAccount
from customers.roles import ROLES
from search import runner, services
from search.admin import words
from search.admin.forms import FORMATS, SearchForm
from search.bi.filters import BUSINESS_NAMES
from search.bi.serializers import SearchRequest
from search.models import CustomerSearch
from tests import factories, jobs, searches
from tests.customers import ADA, create
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
LIST = "/admin/search/customersearch/"
NEW = f"{LIST}add/"
FORM = {
    "customer_account_type": "INDIVIDUAL",
    "customer_account_status": ["ACTIVE", "SUSPENDED"],
    "match": "EXACT",
    "result_format": "CSV",
}


def browser_of(account, role="Owner", **fields) -> Browser:
    browser = Browser(raise_request_exception=False)
    person = factories.make_employee(account, role=role, is_staff=True, **fields)
    browser.force_login(person)
    browser.person = person
    return browser


@pytest.fixture
def operator(account) -> Browser:
    return browser_of(account)


def page_of(search, name: str = "change") -> str:
    return reverse(f"admin:search_customersearch_{name}", args=[search.pk])


def start(browser, **fields) -> CustomerSearch:
    """A search that somebody has started by the form."""
    response = browser.post(NEW, FORM | fields)
    assert response.status_code == 302, errors_of(response)
    return CustomerSearch.objects.latest("submitted_at")


def errors_of(response) -> dict[str, list[str]]:
    return dict(response.context["form"].errors)


def text_of(browser, url: str) -> str:
    response = browser.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


# --- The form -------------------------------------------------------------------------------------


def test_the_form_has_a_field_for_each_filter_of_the_api():
    aliases = set(BUSINESS_NAMES.values()) - {"business_name"}
    elsewhere = {"columns", "compression", "business_account_ids", "time_zone"}
    filters = {field.source for field in SearchRequest().fields.values()}
    fields = {name for name in SearchForm.base_fields if name != "business_account"}
    assert fields == filters - aliases - elsewhere
    shown = [name for _title, *names in SearchForm.GROUPS for name in names]
    assert sorted(shown) == sorted(SearchForm.base_fields)


def test_each_filter_and_format_has_words():
    assert set(words.LABELS) >= set(MEMBERS)
    assert set(FORMATS) == set(CustomerSearch.Format.values)


def test_a_search_is_started_in_the_operators_name(operator, account):
    search = start(operator, last_name=" Lovelace ", match="PREFIX", phone_number="(415) 555-0123")
    assert (search.actor_type, search.actor_id) == ("employee", str(operator.person.pk))
    assert (search.business_account, search.client_id) == (account, "")
    assert search.wanted == Criteria(
        customer_account_type="INDIVIDUAL",
        last_name="lovelace",
        match=Match.PREFIX,
        phone_number="+14155550123",
    )


def test_days_are_those_of_the_operators_zone(operator):
    operator.cookies["kith_time_zone"] = "Asia/Tokyo"
    search = start(operator, from_created_at="2026-05-01", to_created_at="2026-05-02")
    assert search.criteria["timeZone"] == "Asia/Tokyo"
    text = text_of(operator, page_of(search))
    assert "1 May 2026" in text
    assert "Asia/Tokyo" in text


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("email", "nonsense", "e-mail"),
        ("phone_number", "12", "phone"),
        ("country", "Atlantis", "country"),
        ("state", "California", "subdivision"),
        ("business_name", "Acme", "not for customers of type INDIVIDUAL"),
        ("first_name", "x" * 41, "40"),
        ("first_name", "  ", "compared"),
        ("from_created_at", "yesterday", "yyyy"),
        ("last_name", "4111 1111 1111 1111", "card"),
        ("customer_account_type", "ROBOT", "ROBOT"),
        ("result_format", "DOC", "DOC"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_as_the_api_says_it(operator, field, value, message):
    response = operator.post(NEW, FORM | {field: value})
    assert response.status_code == 200
    assert list(errors_of(response)) == [field]
    assert message.lower() in errors_of(response)[field][0].lower()
    assert 'role="alert"' in response.content.decode()
    assert not CustomerSearch.objects.exists()


def test_a_refusal_calls_the_other_field_by_its_label(operator):
    days = {"from_created_at": "2026-05-02", "to_created_at": "2026-05-01"}
    response = operator.post(NEW, FORM | days)
    assert errors_of(response) == {"from_created_at": ["This is after “Created to”."]}


def test_a_country_is_chosen_and_told_by_its_name(operator):
    assert '<option value="FRA">France</option>' in text_of(operator, NEW)
    search = start(operator, country="FRA")
    assert "France" in text_of(operator, page_of(search))


def chosen(content: str | bytes, encoding: str = "utf-8") -> SimpleUploadedFile:
    data = content if isinstance(content, bytes) else content.encode(encoding)
    return SimpleUploadedFile("ids.csv", data)


@pytest.mark.parametrize(
    "file",
    [
        chosen("A-1\nB 2\r\n\n  Zoë-3  \nA-1\n"),
        chosen("externalId\nA-1\nB 2\nZoë-3\n", "utf-8-sig"),
        chosen('name;External ID\n"x;y";A-1\nz;B 2\n;Zoë-3\nnobody\n', "windows-1252"),
        chosen("lastName\trequestedId\nx\tA-1\ny\tB 2\nz\tZoë-3", "utf-16"),
        chosen("A-1,\nB 2,\nZoë-3,\n"),
    ],
)
def test_customers_are_searched_by_a_file_of_their_ids(operator, file):
    search = start(operator, external_ids=file)
    assert search.external_ids == ["A-1", "B 2", "Zoë-3"]
    assert "3 of them" in text_of(operator, page_of(search))
    assert "Individuals, by 3 external ids" in text_of(operator, LIST)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "There are no ids in this file."),
        ("externalId\n\n", "There are no ids in this file."),
        ("first,last\nA,B\n", "call the one with the ids “externalId” in its first row"),
        (b"PK\x03\x04\x00\x00", "Save the table as CSV"),
        (f'"{"x" * 140_000}"', "cannot be read as a table"),
        ("\n".join(map(str, range(16_001))), "There are 16,001 ids in this file, and a search"),
        (f"A-1\n{'x' * 121}\n", f"“{'x' * 40}”: "),
        ("4111 1111 1111 1111\n" * 9, "card"),
    ],
)
def test_a_file_that_has_no_ids_says_so_beside_its_field(operator, content, message):
    response = operator.post(NEW, FORM | {"external_ids": chosen(content)})
    assert list(errors_of(response)) == ["external_ids"]
    assert message in errors_of(response)["external_ids"][0]
    assert not CustomerSearch.objects.exists()


def test_the_ids_of_a_file_are_kept_while_something_else_is_corrected(operator):
    wrong = operator.post(NEW, FORM | {"email": "x", "external_ids": chosen('A-1\nB"2\n')})
    assert list(errors_of(wrong)) == ["email"]
    page = wrong.content.decode()
    assert "2 ids of the file that you chose are kept." in page
    (kept,) = re.findall(r'name="kept_ids" value="([^"]+)"', page)
    kept = html.unescape(kept)
    assert start(operator, kept_ids=kept).external_ids == ["A-1", 'B"2']
    assert start(operator, kept_ids=kept, external_ids=chosen("C")).external_ids == ["C"]
    for made_up in ("{", '{"a": 1}', "[1]", ""):
        assert start(operator, kept_ids=made_up).external_ids == []
    # A file that is wrong does not fall back on the one before.
    refused = operator.post(NEW, FORM | {"kept_ids": kept, "external_ids": chosen("")})
    assert "kept_ids" not in refused.content.decode()


@pytest.mark.django_db(transaction=True)
def test_ids_that_nobody_has_are_shown_and_come_as_a_file(operator, owner, storage):
    create(owner, ADA, externalId="A-1")
    search = start(operator, external_ids=chosen("A-1\n" + "\n".join(f"N<{n}>" for n in range(30))))
    assert "unknown ids" not in text_of(operator, page_of(search))
    runner.run(search.pk)
    search.refresh_from_db()
    assert (search.status, search.rows) == ("FINISHED", 1)
    page = text_of(operator, page_of(search))
    assert "30 unknown ids" in page
    assert "<code>N&lt;19&gt;</code>" in page
    assert "N&lt;20&gt;" not in page
    answer = operator.get(page_of(search, "unknown"))
    assert answer["Content-Disposition"] == f'attachment; filename="unknown-ids-{search.pk}.csv"'
    lines = answer.content.decode().split("\r\n")
    assert (lines[0], lines[1], len(lines)) == ("externalId", "N<0>", 32)
    again = start(operator, external_ids=chosen(answer.content))
    assert len(again.external_ids) == 30
    services.cancel_search(search=search)
    assert "unknown ids" not in text_of(operator, page_of(search))
    assert operator.get(page_of(search, "unknown")).content == b"externalId\r\n"


def test_everything_that_is_wrong_is_said_at_once(account):
    browser = browser_of(account)
    response = browser.post(NEW, FORM | {"match": "", "email": "x", "country": "x"})
    assert set(errors_of(response)) == {"match", "email", "country"}


def test_a_search_can_be_narrowed_to_an_account_below(operator, child_account):
    search = start(operator, business_account=child_account.pk)
    assert search.business_account == child_account


def test_an_account_that_is_not_seen_cannot_be_searched(operator, parent_account):
    outside = factories.make_business_account("Outside Bank")
    for stranger in (parent_account, outside):
        response = operator.post(NEW, FORM | {"business_account": stranger.pk})
        assert list(errors_of(response)) == ["business_account"]
    assert not CustomerSearch.objects.exists()


def test_a_superuser_chooses_the_account(account, child_account):
    superuser = browser_of(account, is_superuser=True)
    assert f'<option value="{account.pk}" selected>' in superuser.get(NEW).content.decode()
    errors = errors_of(superuser.post(NEW, FORM))
    assert list(errors) == ["business_account"]
    assert "Choose whose customers are searched." in str(errors)
    assert start(superuser, business_account=child_account.pk).business_account == child_account


# --- Who may do what ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_each_role_that_may_search_by_the_api_may_search_here(role, account, storage):
    """As `config.api.actors.ROLES` has it: all of them."""
    browser = browser_of(account, role)
    assert "New search" in text_of(browser, LIST)
    search = start(browser)
    runner.run(search.pk)
    assert "Download" in text_of(browser, page_of(search))
    assert browser.get(page_of(search, "file")).status_code == 200
    assert browser.post(page_of(search, "again")).status_code == 302


def test_who_only_views_cancels_own_searches_alone(account, owner):
    viewer = browser_of(account, "View Only")
    own, others = start(viewer), jobs.submit(owner)
    assert ">Cancel</button>" in text_of(viewer, page_of(own))
    assert ">Cancel</button>" not in text_of(viewer, page_of(others))
    assert viewer.post(page_of(others, "cancel")).status_code == 403
    assert viewer.post(page_of(own, "cancel")).status_code == 302
    assert CustomerSearch.objects.get(pk=own.pk).status == "ABORTED"
    assert CustomerSearch.objects.get(pk=others.pk).status == "SUBMITTED"


def test_without_the_permission_there_is_nothing_to_press(account, owner, storage):
    done = searches.search(owner)
    browser = browser_of(account)
    person = browser.person
    person.groups.clear()
    view = "view_customersearch"
    person.user_permissions.add(factories.permission("search", view))
    text = text_of(browser, LIST) + text_of(browser, page_of(done))
    for word in ("New search", "Download", "Run again", ">Cancel<"):
        assert word not in text
    assert browser.get(NEW).status_code == 403
    assert browser.post(NEW, FORM).status_code == 403
    for name in ("file", "unknown"):
        assert browser.get(page_of(done, name)).status_code == 403
    assert browser.post(page_of(done, "again")).status_code == 403
    assert CustomerSearch.objects.count() == 1


@pytest.mark.parametrize("name", ["parent", "sibling", "outsider"])
def test_nobody_comes_near_a_foreign_search(name, request, operator, storage):
    search = searches.search(request.getfixturevalue(name))
    assert search.pk.hex not in text_of(operator, LIST).replace("-", "")
    for url in ("change", "file", "history"):
        assert operator.get(page_of(search, url)).status_code in {302, 404}
    for url in ("again", "cancel"):
        assert operator.post(page_of(search, url)).status_code == 404
    live = operator.get(f"{LIST}live/", {"id": [search.pk, "nonsense"]})
    assert live.json() == {"jobs": []}
    assert CustomerSearch.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_search_over_an_account_that_was_moved_away_is_not_there(
    operator, owner, child_account, storage
):
    done = searches.search(owner)
    assert operator.get(page_of(done)).status_code == 200
    BusinessAccount.objects.filter(pk=child_account.pk).update(parent=None)
    assert operator.get(page_of(done)).status_code == 404
    assert operator.get(page_of(done, "file")).status_code == 404


def test_a_program_sees_no_searches_of_operators(operator, owner, storage):
    search = start(operator)
    runner.run(search.pk)
    search = CustomerSearch.objects.at_now().get(pk=search.pk)
    assert owner.api.get("/v1/search/customer-accounts").json()["content"] == []
    assert owner.api.get(f"/v1/search/customer-accounts/{search.pk}").status_code == 404
    link = reverse(
        "search-result", args=[search.pk, services.sign(search, search.file_name), search.file_name]
    )
    assert owner.api.get(link).status_code == 404
    assert factories.Client().get(link).status_code == 404


def test_an_operator_sees_the_searches_of_programs_by_name(operator, owner):
    jobs.submit(owner)
    assert owner.oauth_client.name in text_of(operator, LIST)


def test_nobody_is_told_who_works_above(parent_account, account):
    above = browser_of(parent_account, name="Boss Above")
    search = start(above, business_account=account.pk)
    below = browser_of(account)
    for text in (text_of(below, LIST), text_of(below, page_of(search))):
        assert "Boss Above" not in text
        assert "Somebody of an account above" in text
    assert "Boss Above" in text_of(above, page_of(search))


# --- The page -------------------------------------------------------------------------------------


def test_a_page_shows_the_filters_as_they_were_understood(operator):
    search = start(operator, first_name="ADA", last_name="Löve", match="CONTAINS", sex="FEMALE")
    text = text_of(operator, page_of(search))
    assert "Individuals, first name containing ada, last name containing love, sex Female" in text
    for label, value in [("First name", "ada"), ("Status", "Active, Suspended")]:
        assert f"<dt>{label}</dt><dd>{value}</dd>" in text


def test_a_waiting_and_a_running_search_tell_how_far_they_are(operator, owner):
    search = jobs.submit(owner)
    text = text_of(operator, page_of(search))
    assert re.search(r'role="progressbar"[^>]*aria-valuenow="0"', text)
    assert "Waiting" in text
    held = jobs.claim(search)
    held.start()
    held.note(rows=1500, estimated_rows=6000)
    text = text_of(operator, page_of(search))
    assert re.search(r'role="progressbar"[^>]*aria-valuenow="25"', text)
    assert "1,500 customers of about 6,000" in text
    (told,) = operator.get(f"{LIST}live/", {"id": search.pk}).json()["jobs"]
    assert (told["percent"], told["words"], told["isOpen"]) == (25, "Running", True)


@pytest.mark.parametrize(("code", "advice"), words.ADVICE.items())
def test_a_search_that_failed_says_why_and_what_to_do(operator, owner, code, advice):
    search = jobs.submit(owner)
    jobs.claim(search).fail(code, "It did not go well.")
    text = text_of(operator, page_of(search))
    assert "It did not go well." in text
    assert advice in text
    assert "Run again" in text
    assert "progressbar" not in text


def test_a_failure_of_ours_names_the_request_to_report(operator, owner):
    search = jobs.submit(owner)
    CustomerSearch.objects.filter(pk=search.pk).update(request_id="trace-9")
    jobs.claim(search).fail("INTERNAL_ERROR", "Something went wrong on our side.")
    assert "trace-9" in text_of(operator, page_of(search))


def test_the_file_comes_whole_or_in_part_and_stands_in_the_history(
    operator, owner, storage, caplog
):
    make_customer(owner.account)
    done = searches.search(owner)
    with caplog.at_level("INFO", logger="search.admin.searches"):
        response = operator.get(page_of(done, "file"))
    assert response.getvalue() == searches.content(storage, done)
    assert response["Content-Disposition"] == f'attachment; filename="{done.file_name}"'
    assert "no-store" in response["Cache-Control"]
    (line,) = [record for record in caplog.records if "downloaded" in record.message]
    assert (line.searchId, line.userId) == (str(done.pk), str(operator.person.pk))
    (entry,) = LogEntry.objects.all()
    assert (entry.user, entry.change_message) == (operator.person, "Downloaded the file.")
    assert "Downloaded the file." in text_of(operator, page_of(done))
    part = operator.get(page_of(done, "file"), HTTP_RANGE="bytes=0-1")
    assert (part.status_code, part.getvalue()) == (206, b"id")
    known = operator.get(page_of(done, "file"), HTTP_IF_NONE_MATCH=f'"{done.sha256}"')
    assert known.status_code == 304
    assert LogEntry.objects.count() == 2


def test_a_file_that_is_gone_is_told_in_words(operator, owner, storage):
    done = searches.search(owner)
    CustomerSearch.objects.filter(pk=done.pk).update(expires_at=Now())
    text = text_of(operator, page_of(done))
    assert "Download</a>" not in text
    assert "The file was deleted." in text
    response = operator.get(page_of(done, "file"), follow=True)
    assert "Run the search again to have a new one" in response.content.decode()
    CustomerSearch.objects.filter(pk=done.pk).update(expires_at=timezone.now() + jobs.HOUR)
    (storage / done.storage_name).unlink()
    assert operator.get(page_of(done, "file"))["Location"] == page_of(done)
    assert not LogEntry.objects.exists()


def test_a_search_runs_again_in_the_name_of_who_asked(operator, owner, account, storage):
    done = searches.search(owner, "NDJSON", last_name="lovelace")
    response = operator.post(page_of(done, "again"))
    again = CustomerSearch.objects.exclude(pk=done.pk).get()
    assert response["Location"] == page_of(again)
    assert (again.criteria, again.result_format) == (done.criteria, "NDJSON")
    assert (again.actor_id, again.client_id) == (str(operator.person.pk), "")
    assert again.business_account == account


def test_a_search_that_has_ended_is_not_cancelled(operator, owner, storage):
    done = searches.search(owner)
    response = operator.post(page_of(done, "cancel"), follow=True)
    assert "The search had ended already." in response.content.decode()
    done.refresh_from_db()
    assert done.status == "FINISHED"
    assert done.expires_at > timezone.now()


def test_what_changes_something_is_not_done_by_following_a_link(operator, owner):
    search = jobs.submit(owner)
    for name in ("again", "cancel"):
        assert operator.get(page_of(search, name)).status_code == 405


# --- Size -----------------------------------------------------------------------------------------


def test_list_and_page_take_as_many_queries_whatever_there_is(
    operator, owner, storage, django_assert_num_queries
):
    done = searches.search(owner, business_account_ids=(owner.account.pk,))
    start(operator)
    for url in (LIST, page_of(done)):
        operator.get(url)
    for count in range(2):
        with django_assert_num_queries(LIST_QUERIES):
            operator.get(LIST)
        with django_assert_num_queries(PAGE_QUERIES):
            operator.get(page_of(done))
        with django_assert_num_queries(LIVE_QUERIES):
            operator.get(f"{LIST}live/", {"id": done.pk})
        for _ in range(2 - count):
            searches.search(owner, business_account_ids=(owner.account.pk,))
            start(operator)


LIST_QUERIES = 8
PAGE_QUERIES = 10
LIVE_QUERIES = 5
