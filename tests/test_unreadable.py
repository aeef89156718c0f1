"""A sealed value that no key opens is missed by itself: no page, call or sign-in fails by it.

Those of customers' fields in the API are in `tests.test_conversion`.
"""

import json

import pytest

from config.db.crypto import seal, seal_bytes
from customers.models import Authenticator, Contact, Customer, User
from customers.services.second_factor import begin_setup
from ingest.models import BulkContent, BulkFailedLines, BulkRequest
from tests import bulk, factories
from tests.bulk import customer as item
from tests.customer_pages import page_of, text_of
from tests.customers import create
from tests.factories import PASSWORD, browser_of
from tests.second_factors import equip

pytestmark = pytest.mark.django_db
ELSEWHERE = seal("x", "elsewhere")
LOADS = "/admin/ingest/bulkrequest/"
REASON = {"reason": "The customer asked for it on the phone."}


def assert_noted(caplog) -> None:
    """The log has it as an error, and has no other."""
    problems = [record for record in caplog.records if record.levelname == "ERROR"]
    assert {record.name for record in problems} == {"config.db.crypto"}
    caplog.clear()


@pytest.fixture
def broken(confidant) -> Customer:
    """A customer whose sealed values no key opens."""
    pk = create(
        confidant,
        socialId="123-45-6789",
        socialIdCountryCode="USA",
        securityAnswer="Rosebud",
        relationship={"pin": "4711"},
    )["id"]
    Customer.objects.filter(pk=pk).update(pin_sealed=ELSEWHERE)
    Contact.objects.filter(customer=pk).update(
        social_id_sealed=ELSEWHERE, security_answer_sealed=ELSEWHERE
    )
    return Customer.objects.get(pk=pk)


def test_a_pin_that_cannot_be_read_is_left_out_and_can_be_replaced(confidant, broken, caplog):
    url = f"/v1/customers/{broken.pk}"
    shown = confidant.api.get(url).json()
    assert shown["relationship"].get("pin") in {None, ""}
    assert_noted(caplog)
    assert confidant.api.put(url, {"relationship": {"pin": "1234"}}).status_code == 200
    assert confidant.api.get(url).json()["relationship"]["pin"] == "1234"


def test_pages_of_a_customer_with_unreadable_values_are_shown(account, broken):
    browser = browser_of(account, "Owner")
    for name in ("change", "edit", "history", "activities"):
        assert "Lovelace" in text_of(browser.get(page_of(broken, name)))
    assert "Lovelace" in text_of(browser.get("/admin/customers/customer/?q=lovelace"))


def test_who_reveals_an_unreadable_value_is_shown_none(account, broken, caplog):
    browser = browser_of(account, "Owner")
    answer = browser.post(page_of(broken, "reveal"), REASON, follow=True)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "4711" not in text
    assert "Rosebud" not in text
    assert_noted(caplog)


def test_a_form_replaces_values_that_cannot_be_read(confidant, broken):
    changed = {"securityAnswer": "Xanadu", "socialId": "987-65-4321"}
    assert confidant.api.put(f"/v1/customers/{broken.pk}", changed).status_code == 200
    shown = confidant.api.get(f"/v1/customers/{broken.pk}").json()
    assert {name: shown[name] for name in changed} == changed


# --- What was sent --------------------------------------------------------------------------------


def failed_request(speaker) -> str:
    """A request with one item that failed; its body cannot be opened any more."""
    public_id = bulk.send(speaker, item("c1"), item("c2", postalCode=""))
    bulk.run(public_id)
    BulkContent.objects.update(body_sealed=ELSEWHERE)
    return public_id


def test_failed_items_that_cannot_be_opened_are_told_without_what_was_sent(owner, account, caplog):
    public_id = failed_request(owner)
    answer = owner.api.get(f"{bulk.REQUESTS}/{public_id}/failed")
    assert answer.status_code == 410
    assert_noted(caplog)
    assert owner.api.post(f"{bulk.REQUESTS}/{public_id}/retry").status_code == 409
    browser = browser_of(account, "Owner")
    load = BulkRequest.objects.get(public_id=public_id)
    assert "Postal code" in text_of(browser.get(f"{LOADS}{load.pk}/change/"))
    for name in ("failed", "results"):
        assert browser.get(f"{LOADS}{load.pk}/{name}/", follow=True).status_code == 200
    assert browser.post(f"{LOADS}{load.pk}/retry/", follow=True).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_failed_lines_that_cannot_be_opened_are_left_out(owner, account, storage, caplog):
    lines = [json.dumps(item(name, postalCode="")).encode() for name in ("c1", "c2")]
    sent = owner.api.post("/v2/data/files", b"\n".join(lines), content_type="application/x-ndjson")
    public_id = bulk.accepted(sent)
    bulk.run(public_id)
    BulkFailedLines.objects.update(lines_sealed=seal_bytes(b"x", "elsewhere"))
    assert owner.api.get(f"{bulk.REQUESTS}/{public_id}/failed").status_code == 410
    assert_noted(caplog)
    browser = browser_of(account, "Owner")
    load = BulkRequest.objects.get(public_id=public_id)
    text_of(browser.get(f"{LOADS}{load.pk}/change/"))
    assert browser.get(f"{LOADS}{load.pk}/failed/", follow=True).status_code == 200


# --- Second factors -------------------------------------------------------------------------------


@pytest.fixture
def person(account) -> User:
    return factories.make_employee(account, role="Owner", is_staff=True)


@pytest.mark.parametrize("door", ["/admin/login/", "/oauth2/login"])
def test_with_an_unreadable_second_factor_a_recovery_code_signs_in(door, person, client, caplog):
    codes = equip(person)
    Authenticator.objects.update(key_sealed=ELSEWHERE)
    client.post(door, {"username": person.email, "password": PASSWORD})
    wrong = client.post(door, {"code": "123456"})
    assert wrong.status_code == 200
    assert "_auth_user_id" not in client.session
    assert_noted(caplog)
    assert client.post(door, {"code": codes[0]}).status_code == 302
    assert "_auth_user_id" in client.session
    account = "/admin/customers/user/account/"
    assert client.get(account).status_code == 200
    removed = client.post(f"{account}two-factor/remove/", {"password": PASSWORD})
    assert removed.status_code == 302
    assert not Authenticator.objects.exists()


def test_an_unreadable_secret_that_was_not_confirmed_yet_is_made_anew(account):
    browser = browser_of(account)
    begin_setup(User.objects.get())
    Authenticator.objects.update(key_sealed=ELSEWHERE)
    assert browser.get("/admin/customers/user/account/two-factor/").status_code == 200
    assert Authenticator.objects.get().is_readable
