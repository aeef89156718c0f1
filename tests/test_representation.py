"""The text of the customer object, byte for byte, and its SQL as a distributed engine takes it."""

import re
from datetime import UTC, date, datetime

import pytest

from config.db.statements import Slot, Statement
from customers.models import Customer
from customers.representation import CUSTOMER_OBJECT, OBJECTS, CustomerObject
from tests.factories import make_address, make_contact, make_contact_point, make_customer
from tests.nasty import bare_customer, make_everybody

pytestmark = pytest.mark.django_db
UUID = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}")
INNERMOST = re.compile(r"\(([^()]*)\)")
# An object is what it was before, also where it is made in another way.
INDIVIDUAL = (
    r'{"id":"#0","status":"ACTIVE","externalId":"","businessAccountId":"#1",'
    r'"addresses":[{"id":"#2","type":"MAILING","streetLine1":"1 Main Street","streetLine2":"",'
    r'"streetLine3":"","streetLine4":"","streetLine5":"","cityName":"San Francisco",'
    r'"stateCode":"CA","countryCode":"USA","zipCode":"94105","primary":true},{"id":"#3",'
    r'"type":"SHIPPING","name":{"firstName":"Vincent","middleName":"","lastName":""},'
    r'"streetLine1":"1 Main Street","streetLine2":"Two\\","streetLine3":"","streetLine4":"",'
    r'"streetLine5":"","cityName":"San Francisco","stateCode":null,"countryCode":"USA",'
    r'"zipCode":"94105","primary":true}],"metadata":{"a": "1", "b": "2"},"customAttributes":{},'
    r'"createdBy":{"id":"","type":"internal"},"createdAt":"2026-02-03T04:05:06.078Z",'
    r'"updatedBy":{"id":"","type":"employee"},"updatedAt":"2026-02-03T04:05:06.078Z",'
    r'"type":"INDIVIDUAL","prefix":"","firstName":"Grace \"Amazing\"","middleName":"",'
    r'"lastName":"Hopper","suffix":"","sex":"FEMALE","gender":"","pronoun":"",'
    r'"securityQuestion":"","securityAnswer":"","primaryPhoneNumber":{"number":"+14155550123",'
    r'"type":"WORK","provider":"","extension":"12","verified":true},'
    r'"primaryEmail":{"value":"ada@example.com","verified":false},"dateOfBirth":"1906-12-09",'
    r'"placeOfBirth":{"city":"New York","countryCode":null},"socialId":"",'
    r'"socialIdCountryCode":null,"citizenshipCountryCode":null,"contactPoints":[{"id":"#4",'
    r'"kind":"EMAIL","value":"ada@example.com","verified":false,"primary":true},{"id":"#5",'
    r'"kind":"PHONE","value":"+14155550123","type":"WORK","provider":"","extension":"12",'
    r'"verified":true,"primary":true},{"id":"#6","kind":"FACEBOOK","value":"grace",'
    r'"verified":false}],"department":"","relationship":{"role":"Partner","level":"",'
    r'"industry":"","marketSegment":"","entitlements":"","howReferred":null,'
    r'"preferredAgentId":null,"pin":""}}'
)
BUSINESS = (
    r'{"id":"#0","status":"ACTIVE","externalId":"","businessAccountId":"#1","addresses":[],'
    r'"metadata":{},"customAttributes":{},"createdBy":{"id":"","type":"internal"},'
    r'"createdAt":"2026-02-03T04:05:06.078Z","updatedBy":{"id":"","type":"internal"},'
    r'"updatedAt":"2026-02-03T04:05:06.078Z","type":"BUSINESS","businessName":"Acme",'
    r'"doingBusinessAsName":"Acme","contacts":[{"id":"#2","firstName":"Ada","middleName":"",'
    r'"lastName":"Lovelace","primary":true,"primaryPhoneNumber":{"number":"+14155550123",'
    r'"type":"MOBILE","provider":"","extension":"","verified":false},'
    r'"primaryEmail":{"value":"ada@example.com","verified":false},"contactPoints":[{"id":"#3",'
    r'"kind":"PHONE","value":"+14155550123","type":"MOBILE","provider":"","extension":"",'
    r'"verified":false,"primary":true},{"id":"#4","kind":"EMAIL","value":"ada@example.com",'
    r'"verified":false,"primary":true}],"customAttributes":{}},{"id":"#5","firstName":"Bob",'
    r'"middleName":"B.","lastName":"Lovelace","primary":false,"primaryPhoneNumber":null,'
    r'"primaryEmail":null,"contactPoints":[],"customAttributes":{}}],"department":"",'
    r'"relationship":{"role":null,"level":"","industry":"","marketSegment":"","entitlements":"",'
    r'"howReferred":null,"preferredAgentId":null,"pin":""}}'
)
NOBODY = (
    r'{"id":"#0","status":"ACTIVE","externalId":"","businessAccountId":"#1","addresses":[],'
    r'"metadata":{},"customAttributes":{},"createdBy":{"id":"","type":"internal"},'
    r'"createdAt":"2026-02-03T04:05:06.078Z","updatedBy":{"id":"","type":"internal"},'
    r'"updatedAt":"2026-02-03T04:05:06.078Z","type":"INDIVIDUAL","prefix":"","firstName":"",'
    r'"middleName":"","lastName":"","suffix":"","sex":null,"gender":"","pronoun":"",'
    r'"securityQuestion":"","securityAnswer":"","primaryPhoneNumber":null,"primaryEmail":null,'
    r'"dateOfBirth":null,"placeOfBirth":null,"socialId":"","socialIdCountryCode":null,'
    r'"citizenshipCountryCode":null,"contactPoints":[],"department":"",'
    r'"relationship":{"role":null,"level":"","industry":"","marketSegment":"","entitlements":"",'
    r'"howReferred":null,"preferredAgentId":null,"pin":""}}'
)
AT = datetime(2026, 2, 3, 4, 5, 6, 78_900, tzinfo=UTC)


def text_of(customer: Customer) -> str:
    """The object, with a number for each id in it."""
    ((_, text),) = OBJECTS.rows([customer.pk])
    numbers: dict[str, int] = {}
    return UUID.sub(lambda found: f"#{numbers.setdefault(found[0], len(numbers))}", text)


def test_the_text_of_an_individual(owner):
    grace = make_customer(
        owner.account,
        first_name='Grace "Amazing"',
        last_name="Hopper",
        phone="",
        sex="FEMALE",
        date_of_birth=date(1906, 12, 9),
        birth_city="New York",
        created_at=AT,
        updated_at=AT,
        updated_by_type="employee",
        role="Partner",
        metadata={"b": "2", "a": "1"},
    )
    ada = grace.contacts.get()
    phone = {"phone_type": "WORK", "extension": "12", "is_verified": True}
    make_contact_point(ada, "PHONE", "+14155550123", **phone)
    make_contact_point(ada, "FACEBOOK", "grace", is_primary=False)
    make_address(grace)
    make_address(grace, "SHIPPING", first_name="Vincent", street_line_2="Two\\", state="")
    assert text_of(grace) == INDIVIDUAL


def test_the_text_of_a_business(owner):
    acme = make_customer(owner.account, business_name="Acme", created_at=AT, updated_at=AT)
    make_contact(acme, is_primary=False, first_name="Bob", middle_name="B.")
    assert text_of(acme) == BUSINESS


def test_the_text_of_an_individual_of_whom_nothing_is_known(owner):
    nobody = bare_customer(owner.account, created_at=AT, updated_at=AT)
    nobody.contacts.all().delete()
    assert text_of(nobody) == NOBODY


def test_an_object_that_is_found_by_a_given_id_is_the_same_text(owner):
    make_everybody(owner)
    everybody = Customer.objects.values_list("pk", "type", CustomerObject())
    assert len(everybody) > 100

    def one(kind):
        customer = Customer.objects.filter
        return Statement(lambda slot: customer(pk=slot).values_list(CustomerObject(slot, kind)))

    by_kind = {kind: one(kind) for kind in ("", *Customer.Type.values)}
    for customer_id, kind, text in everybody:
        assert by_kind[""].rows(customer_id) == by_kind[kind].rows(customer_id) == [(text,)]


def test_a_distributed_engine_gets_no_subquery_without_a_table():
    inner, queries = CUSTOMER_OBJECT, []
    while found := INNERMOST.search(inner):
        queries += [found[1]] if found[1].lstrip().startswith("SELECT") else []
        inner = inner.replace(found[0], "<>")
    assert len(queries) > 10
    for query in queries:
        assert re.search(r"FROM\s+(customers_\w+ \w+|<> o)\b", query), query


def test_wherever_rows_of_a_customer_are_looked_for_its_id_is_given():
    looked_for = re.findall(r"\b(?:customer_id|one\.id) = ([^\s)]+)", CustomerObject(Slot(0)).sql)
    assert len(looked_for) > 10
    assert set(looked_for) == {"%s::uuid"}
