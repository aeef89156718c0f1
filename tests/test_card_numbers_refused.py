"""No dialect, form, command or header lets a full card number in, nor does an answer repeat it."""

import json
import logging
import uuid

import pytest
from django.db import connection
from django.test import Client as Browser

from config.api.bodies import AnyText, Body, Choice
from config.api.card_numbers import REMOVED
from config.api.errors import Invalid
from config.models import IdempotencyKey
from customers.models import BusinessAccount, Customer
from customers.serializers import CustomerBody
from customers.services.people import (
    create_api_key,
    create_business_account,
    create_employee,
    create_service_account,
)
from ingest.models import BulkRequest
from search.models import CustomerSearch
from tests import bulk, factories
from tests.customers import ACME, ADA, HOME, codes, create
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

NUMBER = "4111111111111111"
SPELLINGS = [NUMBER, "4111 1111\u200b1111.1111", "\uff14\uff11\uff11\uff11-1111-1111-1111"]
GERMAN_PHONE = "+49 151 12345676"


def stored_texts() -> str:
    """All rows of all tables, as text."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [row for (row,) in cursor.fetchall()]
    return "\n".join(texts)


def refused(answer, path: str, caplog) -> None:
    """It is 400 at that place, and the number is nowhere."""
    assert answer.status_code == 400, answer.content
    assert codes(answer)[path] == "CARD_NUMBER", codes(answer)
    assert [error["path"] for error in answer.json()["errors"]].count(path) == 1
    # A random id may have four of the digits in it.
    assert NUMBER[-8:] not in answer.content.decode()
    assert NUMBER[-8:] not in caplog.text


def text_places(body: Body, path: tuple = ()) -> list[tuple]:
    """The steps to every text that a body may have."""
    places = []
    for name, field in body.fields.items():
        inner = getattr(field, "child", field)
        steps = (*path, name, 0) if inner is not field else (*path, name)
        if isinstance(inner, Body):
            places += text_places(inner, steps)
        elif isinstance(field, AnyText | Choice):
            places.append(steps)
    return places


PLACES = text_places(CustomerBody())


def nested(steps: tuple, value: object) -> object:
    """The value in as many lists and objects as its steps ask for."""
    for step in reversed(steps):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def spelled(steps: tuple) -> str:
    return ".".join(map(str, steps)).replace(".0", "[0]")


@pytest.mark.parametrize("steps", PLACES, ids=map(spelled, PLACES))
def test_v1_refuses_card_numbers_in_every_text_of_a_customer(owner, caplog, steps):
    customer = create(owner)
    body = nested(steps, NUMBER)
    refused(owner.api.post("/v1/customers", ADA | body), spelled(steps), caplog)
    refused(owner.api.put(f"/v1/customers/{customer['id']}", body), spelled(steps), caplog)
    assert Customer.objects.count() == 1


def test_v1_walks_a_body_to_all_kinds_of_texts():
    spellings = set(map(spelled, PLACES))
    assert spellings > {
        "externalId",
        "securityAnswer",
        "addresses[0].streetLine5",
        "addresses[0].name.lastName",
        "contacts[0].primaryEmail.value",
        "primaryPhoneNumber.number",
    }


@pytest.mark.parametrize("number", SPELLINGS)
@pytest.mark.parametrize("member", ["metadata", "customAttributes"])
def test_v1_refuses_card_numbers_in_keys_and_values(owner, caplog, member, number):
    refused(
        owner.api.post("/v1/customers", ADA | {member: {"card": number}}), f"{member}.card", caplog
    )
    refused(
        owner.api.post("/v1/customers", ADA | {member: {number: "x"}}),
        f"{member}.{REMOVED}",
        caplog,
    )
    assert not Customer.objects.exists()
    assert NUMBER[-8:] not in stored_texts()


def test_v1_refuses_card_numbers_under_unknown_members_and_as_numbers(owner, caplog):
    refused(owner.api.post("/v1/customers", ADA | {"card": NUMBER}), "card", caplog)
    refused(owner.api.post("/v1/customers", ADA | {NUMBER: 1}), REMOVED, caplog)
    refused(owner.api.post("/v1/customers", ADA | {"gender": int(NUMBER)}), "gender", caplog)
    answer = owner.api.post("/v1/customers", [{"note": NUMBER}])
    assert (answer.status_code, answer.content.count(NUMBER[-8:].encode())) == (400, 0)


def test_v1_names_other_wrong_places_beside_the_card_number(owner):
    answer = owner.api.post(
        "/v1/customers", ADA | {"sex": "X", "gender": NUMBER, "middleName": "x" * 41}
    )
    assert codes(answer) == {
        "sex": "UNKNOWN_VALUE",
        "gender": "CARD_NUMBER",
        "middleName": "TOO_LONG",
    }


def test_v1_refuses_card_numbers_in_activities(owner, caplog):
    url = f"/v1/customers/{create(owner)['id']}/activities"
    body = {"type": "email", "mode": "inbound", "sentDate": "2026-01-01T00:00:00Z"}
    for number in SPELLINGS:
        refused(owner.api.post(url, body | {"subject": f"Card {number}"}), "subject", caplog)
    assert NUMBER[-8:] not in stored_texts()


@pytest.mark.parametrize("member", ["firstName", "addressLine1", "email", "gender", "nothing"])
def test_queued_searches_refuse_card_numbers_in_their_filters(owner, caplog, member):
    body = {"customerAccountType": "INDIVIDUAL", member: NUMBER}
    refused(owner.api.post("/v1/search/customer-accounts", body), member, caplog)
    assert not CustomerSearch.objects.exists()


def test_ids_are_looked_at_whole_and_phone_numbers_are_let_pass_in_v1(owner):
    customer = create(
        owner,
        externalId=f"order-{NUMBER}",
        primaryPhoneNumber={"number": GERMAN_PHONE, "type": "MOBILE"},
    )
    assert customer["externalId"] == f"order-{NUMBER}"
    assert customer["primaryPhoneNumber"]["number"] == "+4915112345676"
    business = create(
        owner,
        ACME
        | {
            "contacts": [
                ACME["contacts"][0]
                | {"primaryPhoneNumber": {"number": GERMAN_PHONE, "type": "WORK"}}
            ]
        },
        addresses=[HOME],
    )
    sent_back = owner.api.put(f"/v1/customers/{business['id']}", business)
    assert sent_back.status_code == 200
    search = {"customerAccountType": "INDIVIDUAL", "phoneNumber": GERMAN_PHONE}
    assert owner.api.post("/v1/search/customer-accounts", search).status_code == 200


# --- `/v2/data` -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", ["+86 138 0013 8002", "+86-138-0013-8002", "0086 138 0013 8002", "+8613800138002"]
)
def test_a_chinese_phone_number_is_loaded(owner, number):
    load = bulk.load(owner, bulk.customer("c1", phones=[{"number": number, "type": "MOBILE"}]))
    assert bulk.outcomes(load) == ["CREATED"], load
    answer = owner.api.get(f"/v1/customers/{bulk.id_of(owner, 'c1')}").json()
    assert answer["primaryPhoneNumber"]["number"] == "+8613800138002"


def test_a_phone_number_that_is_as_long_as_a_card_number_is_loaded(owner):
    entry = {"type": "MOBILE", "number": GERMAN_PHONE}
    load = bulk.load(owner, bulk.customer("c1", phones=[entry]))
    assert bulk.outcomes(load) == ["CREATED"], load


def test_numeric_ids_that_are_no_card_numbers_are_loaded(owner):
    # All of them pass the Luhn check: milliseconds, a snowflake, an id with a card number in it.
    ids = ["1700000000006", "175928847299117063", f"1{NUMBER}2"]
    load = bulk.load(owner, *map(bulk.customer, ids))
    assert bulk.outcomes(load) == ["CREATED"] * 3, load
    load = bulk.load(owner, bulk.customer("c1", note="2023-01-04 2023-12-31", at="1700000000006"))
    assert bulk.outcomes(load) == ["CREATED"], load


def test_an_id_that_is_a_card_number_is_refused(owner):
    load = bulk.load(owner, bulk.customer("4111.1111.1111.1111"))
    assert ("/customers/0/sourceCustomerId", "CARD_NUMBER") in bulk.errors(load)
    answer = owner.api.put(f"{bulk.CUSTOMERS}/4111_1111_1111_1111/accounts", {"accounts": [{}]})
    assert answer.status_code == 400
    bulk.load(owner, bulk.customer(f"x-{NUMBER}"))
    bulk.put_accounts(owner, f"x-{NUMBER}", bulk.account(f"x-{NUMBER}"))


@pytest.mark.parametrize(
    "number",
    [
        *("4111.1111.1111.1111", "4111\t1111\n1111 1111", "4111  1111  1111  1111"),
        *("4111/1111/1111/1111", "4111_1111_1111_1111", "4111,1111,1111,1111"),
        *("4\u200b1\u200b1\u200b1111111111111", "4111\u00ad111111111111", "4111\u200f111111111111"),
        *("4\ufe0f\u20e3111111111111111", "+378282246310005", "4222222222222"),
    ],
)
def test_a_bulk_item_with_a_disguised_card_number_is_stored_nowhere(owner, caplog, number):
    caplog.set_level(logging.DEBUG)
    load = bulk.load(owner, bulk.customer("c1", metadata={"note": f"card {number}"}))
    assert bulk.errors(load) == {("/customers/0/metadata/note", "CARD_NUMBER")}
    for text in (stored_texts(), json.dumps(load), caplog.text):
        assert "1111111" not in text
        assert number not in text


# --- Headers, keys, names -------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["X-Request-Id", "X-CDLX-Request-Id"])
@pytest.mark.parametrize("number", [NUMBER, "4111-1111-1111-1111", f"a.{NUMBER}"])
def test_a_card_number_as_the_id_of_a_request_is_replaced(owner, caplog, header, number):
    caplog.set_level(logging.INFO)
    answer = owner.api.post(
        bulk.CUSTOMERS, {"customers": [bulk.customer("c1")]}, headers={header: number}
    )
    assert uuid.UUID(answer["X-Request-Id"])
    bulk.run(bulk.accepted(answer))
    assert BulkRequest.objects.get().request_id == answer["X-Request-Id"]
    for text in (stored_texts(), caplog.text, answer.content.decode()):
        assert number not in text


def test_a_uuid_as_the_id_of_a_request_is_kept_whatever_its_digits(owner):
    name = "41111111-1111-4111-8111-111111111111"
    answer = owner.api.get("/v1/customers", headers={"X-Request-Id": name})
    assert answer["X-Request-Id"] == name


def test_a_card_number_as_an_idempotency_key_is_refused(owner, caplog):
    answer = owner.api.post("/v1/customers", ADA, headers={"Idempotency-Key": f"key {NUMBER}"})
    refused(answer, "Idempotency-Key", caplog)
    assert not IdempotencyKey.objects.exists()


def test_names_of_accounts_programs_and_employees_have_no_card_numbers(account):
    service_account = create_service_account(business_account=account, name="Feed")
    for make in (
        lambda: create_business_account(name=f"Bank {NUMBER}"),
        lambda: create_service_account(business_account=account, name=NUMBER),
        lambda: create_api_key(service_account=service_account, name=NUMBER),
        lambda: create_employee(
            email="a@kite.example", business_account=account, role="Clerk", name=NUMBER
        ),
    ):
        with pytest.raises(Invalid) as error:
            make()
        assert [problem.code for problem in error.value.problems] == ["CARD_NUMBER"]


def test_the_back_office_refuses_card_numbers(account):
    user = factories.make_employee(account, role="Owner")
    user.is_staff = user.is_superuser = True
    user.save()
    browser = Browser()
    assert browser.login(username=user.email, password=PASSWORD)
    url = f"/admin/customers/businessaccount/{account.pk}/change/"
    form = {
        "name": "House Bank",
        "description": f"Pays with {NUMBER}",
        "default_region": "US",
        "departmentalization": "",
        "max_running_jobs": "2",
        "departments-TOTAL_FORMS": "1",
        "departments-INITIAL_FORMS": "0",
        "departments-0-name": "4111.1111.1111.1111",
        "attribute_definitions-TOTAL_FORMS": "0",
        "attribute_definitions-INITIAL_FORMS": "0",
    }
    answer = browser.post(url, form)
    page = answer.content.decode()
    assert page.count("full card number") == 2
    assert not BusinessAccount.objects.exclude(description="").exists()
