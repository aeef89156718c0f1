"""What a customer is to the company: department, relationship, attributes of its contacts."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction

from customers.facts import AccountFacts
from customers.models import AttributeDefinition, AttributeValue, Change, Customer
from tests import bulk, factories
from tests.customers import ACME, ADA, codes, create, put, refused

pytestmark = pytest.mark.django_db

WHOLE = {
    "role": "Partner",
    "level": "Gold",
    "industry": "Computing",
    "marketSegment": "Science",
    "entitlements": "Priority support, day and night",
    "howReferred": "Website",
}


@pytest.fixture
def retail(account):
    return factories.make_department(account, "Retail")


# --- Department -----------------------------------------------------------------------------------


def test_a_customer_is_put_into_a_department_by_its_name(owner, retail):
    customer = create(owner, department="Retail")
    assert customer["department"] == "Retail"
    assert put(owner, customer, {"firstName": "Eva"})["department"] == "Retail"
    for nothing in ("", None):
        put(owner, customer, {"department": "Retail"})
        assert put(owner, customer, {"department": nothing})["department"] == ""


def test_a_department_that_the_account_does_not_have_is_refused(owner, outsider, child_account):
    factories.make_department(outsider.account, "Theirs")
    factories.make_department(child_account, "Below")
    customer = create(owner)
    for name in ("Nowhere", "Theirs", "Below", "retail"):
        assert refused(owner, customer, {"department": name}) == {
            "department": "UNKNOWN_DEPARTMENT"
        }


@pytest.mark.django_db(transaction=True)
def test_a_department_stays_until_the_update_that_names_it_has_ended(account, retail):
    """Otherwise the update would end in an error of the database."""

    def delete():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '300ms'")
                retail.delete()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert AccountFacts(account).departments == {"Retail": retail.pk}
            with pytest.raises(OperationalError, match="lock timeout"):
                pool.submit(delete).result()
        pool.submit(delete).result()


def test_a_list_is_filtered_by_department(owner, parent, retail):
    customer = create(owner, department="Retail")
    create(owner)

    def ids(speaker, **query):
        answer = speaker.api.get("/v1/customers", {"department": "Retail"} | query)
        return [each["id"] for each in answer.json()["content"]]

    assert ids(owner) == [customer["id"]]
    assert ids(parent) == []
    assert ids(parent, includeChildren="true") == [customer["id"]]
    assert ids(owner, department="retail") == []


# --- Relationship ---------------------------------------------------------------------------------


def test_a_relationship_is_kept_and_merges_member_by_member(owner):
    customer = create(owner, relationship=WHOLE)
    assert customer["relationship"] == WHOLE | {"preferredAgentId": None, "pin": ""}
    changed = put(owner, customer, {"relationship": {"level": "Silver", "howReferred": ""}})
    expected = customer["relationship"] | {"level": "Silver", "howReferred": None}
    assert changed["relationship"] == expected
    cleared = put(owner, customer, {"relationship": None})["relationship"]
    assert not any(cleared.values())


def test_a_business_has_a_relationship_too(owner):
    assert create(owner, ACME | {"relationship": WHOLE})["relationship"]["role"] == "Partner"


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("role", "Boss", "UNKNOWN_VALUE"),
        ("howReferred", "Friend", "UNKNOWN_VALUE"),
        ("marketSegment", "x" * 51, "TOO_LONG"),
        ("entitlements", "x" * 1025, "TOO_LONG"),
        ("pin", "x" * 256, "TOO_LONG"),
        ("preferredAgentId", "me", "INVALID"),
        ("mood", "good", "UNKNOWN_FIELD"),
    ],
)
def test_a_wrong_member_is_refused(owner, member, value, code):
    answer = owner.api.post("/v1/customers", ADA | {"relationship": {member: value}})
    assert codes(answer) == {f"relationship.{member}": code}


def test_level_and_industry_are_of_the_accounts_lists_where_it_keeps_any(owner, account):
    customer = create(owner, relationship={"level": "Bronze", "industry": "Mining"})
    account.levels = ["Gold", "Silver"]
    account.save()
    assert refused(owner, customer, {"relationship": {"level": "Tin"}}) == {
        "relationship.level": "UNKNOWN_VALUE"
    }
    changed = put(owner, customer, {"relationship": {"level": "Gold", "industry": "Fishing"}})
    assert (changed["relationship"]["level"], changed["relationship"]["industry"]) == (
        "Gold",
        "Fishing",
    )


def test_what_was_there_before_the_list_may_be_sent_back(owner, account):
    customer = create(owner, relationship={"level": "Bronze"})
    account.levels = ["Gold"]
    account.save()
    assert put(owner, customer, customer) == customer


def test_the_preferred_agent_is_an_employee_of_the_account_or_above(
    owner, account, parent_account, child_account, outsider
):
    customer = create(owner)
    for above in (account, parent_account):
        agent = str(factories.make_employee(above).pk)
        changed = put(owner, customer, {"relationship": {"preferredAgentId": agent}})
        assert changed["relationship"]["preferredAgentId"] == agent
    other = Customer.objects.get()
    strangers = [
        factories.make_employee(child_account).pk,
        factories.make_employee(outsider.account).pk,
        factories.make_customer_speaker(other).user.pk,
        uuid.uuid4(),
    ]
    for stranger in strangers:
        assert refused(owner, customer, {"relationship": {"preferredAgentId": str(stranger)}}) == {
            "relationship.preferredAgentId": "UNKNOWN_AGENT"
        }


# --- The pin --------------------------------------------------------------------------------------


def test_a_pin_leaves_only_with_the_scope_and_is_nowhere_in_clear(owner, confidant):
    customer = create(owner, relationship={"pin": "tulip-4711"})
    assert customer["relationship"]["pin"] == ""
    url = f"/v1/customers/{customer['id']}"
    assert confidant.api.get(url).json()["relationship"]["pin"] == "tulip-4711"
    (listed,) = confidant.api.get("/v1/customers").json()["content"]
    assert listed["relationship"]["pin"] == "tulip-4711"
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            assert not any("tulip-4711" in row for (row,) in cursor)


def test_an_empty_pin_means_unchanged_and_null_clears_it(owner, confidant):
    customer = create(owner, relationship={"pin": "tulip"})
    changes = Change.objects.count()
    assert put(owner, customer, customer) == customer
    assert put(owner, customer, {"relationship": {"pin": "tulip"}}) == customer
    assert Change.objects.count() == changes
    put(owner, customer, {"relationship": {"pin": None}})
    url = f"/v1/customers/{customer['id']}"
    assert confidant.api.get(url).json()["relationship"]["pin"] == ""


def test_under_core_a_pin_needs_the_scope_or_to_be_ones_own(owner, confidant):
    customer = create(owner, relationship={"pin": "tulip"})
    own = factories.make_customer_speaker(Customer.objects.get())
    url = "/core/customermgr/v3/customer"
    for speaker, query, expected in (
        (owner, {"email": "ada@example.com"}, None),
        (confidant, {"email": "ada@example.com"}, "tulip"),
        (own, {}, "tulip"),
    ):
        for asked in ("all", "pin"):
            answer = speaker.api.get(url, query | {"$attribute": asked})
            (shown,) = answer.json()["customer"]
            assert (shown["id"], shown.get("pin")) == (customer["id"], expected)


# --- Custom attributes of contacts ----------------------------------------------------------------


@pytest.fixture
def attributes(account):
    return [
        AttributeDefinition.objects.create(
            business_account=account,
            target="contactPerson",
            name=name,
            is_encrypted=name == "secret",
        )
        for name in ("desk", "secret")
    ]


def test_contacts_have_attributes_of_their_own(owner, confidant, attributes):
    jack = ACME["contacts"][0] | {"customAttributes": {"desk": "7", "secret": "rosebud"}}
    business = create(owner, ACME | {"contacts": [jack]})
    (contact,) = business["contacts"]
    assert contact["customAttributes"] == {"desk": "7", "secret": ""}
    assert business["customAttributes"] == {}
    whole = confidant.api.get(f"/v1/customers/{business['id']}").json()
    assert whole["contacts"][0]["customAttributes"] == {"desk": "7", "secret": "rosebud"}
    assert put(owner, business, business) == business
    entry = {"id": contact["id"], "customAttributes": {"desk": None}}
    changed = put(owner, business, {"contacts": [entry]})
    assert changed["contacts"][0]["customAttributes"] == {"secret": ""}
    assert AttributeValue.objects.filter(contact_id=contact["id"]).count() == 1


def test_an_attribute_of_customers_is_none_of_contacts(owner, account, attributes):
    account.attribute_definitions.create(name="tier")
    business = create(owner, ACME)
    entry = {"id": business["contacts"][0]["id"], "customAttributes": {"tier": "gold"}}
    assert refused(owner, business, {"contacts": [entry]}) == {
        "contacts[0].customAttributes.tier": "UNKNOWN_ATTRIBUTE"
    }
    assert refused(owner, business, {"customAttributes": {"desk": "7"}}) == {
        "customAttributes.desk": "UNKNOWN_ATTRIBUTE"
    }


# --- History, loads, files ------------------------------------------------------------------------


def test_history_names_changes_by_these_names(owner, retail):
    customer = create(owner)
    relationship = WHOLE | {"pin": "tulip"}
    put(owner, customer, {"department": "Retail", "relationship": relationship})
    latest = owner.api.get(f"/v1/customers/{customer['id']}/history").json()["content"]
    changed = {each["field"]: each["to"] for each in latest[0]["changes"]}
    assert changed == {
        "department": "Retail",
        "relationship.pin": "***",
        **{f"relationship.{name}": value for name, value in WHOLE.items()},
    }


def test_a_load_brings_department_and_relationship(owner, retail, attributes):
    jack = ACME["contacts"][0] | {"customAttributes": {"desk": "7"}}
    people = [
        bulk.customer("c1", firstName="Ada", department="Retail", relationship=WHOLE),
        bulk.customer("c2", type="BUSINESS", businessName="Acme", contacts=[jack]),
        bulk.customer("c3", firstName="Eva", department="Nowhere"),
        bulk.customer("c4", firstName="Eva", relationship={"role": "Boss"}),
    ]
    ledger = bulk.load(owner, *people)
    outcomes = [each["outcome"] for each in ledger["items"]]
    assert outcomes == ["CREATED", "CREATED", "FAILED", "FAILED"]
    pointers = [ledger["items"][number]["errors"][0]["pointer"] for number in (2, 3)]
    assert pointers == ["/customers/2/department", "/customers/3/relationship/role"]
    listed = owner.api.get("/v1/customers", {"department": "Retail"}).json()["content"]
    assert [each["externalId"] for each in listed] == ["c1"]
    assert listed[0]["relationship"]["level"] == "Gold"
    assert bulk.load(owner, *people[:2])["counts"]["unchanged"] == 2


def test_a_signed_in_customer_sees_nothing_of_it_under_v1(owner, retail):
    customer = create(owner, department="Retail", relationship=WHOLE)
    speaker = factories.make_customer_speaker(Customer.objects.get())
    seen = speaker.api.get(f"/v1/customers/{customer['id']}").json()
    assert seen["department"] == ""
    assert not any(seen["relationship"].values())
