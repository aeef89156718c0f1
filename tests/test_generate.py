"""Generated customers look like real ones, obey every rule of the registry, and can be repeated."""

import json
import unicodedata
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from config.db.crypto import associated_data, unseal
from customers import history, normalize, phones
from customers.actors import internal_actor
from customers.generate import BATCH, CONTACT, CUSTOMER, TABLES, Plan, make_batch
from customers.management.commands.generate_customers import load
from customers.models import (
    Address,
    AttributeValue,
    BusinessAccount,
    Change,
    Contact,
    ContactPoint,
    Customer,
)
from customers.profile import Profile
from tests import factories

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def generate_customers(count: int, **options: object) -> dict[str, object]:
    """Run the command; what it printed."""
    output = StringIO()
    call_command("generate_customers", count, stdout=output, stderr=StringIO(), **options)
    return json.loads(output.getvalue())


def plan(**fields: object) -> Plan:
    return Plan(**{"seed": 1, "count": 100, "accounts": (UUID(int=1),), "now": NOW} | fields)


def people(made: Plan, number: int = 0) -> list[list[str]]:
    """The contacts of a batch, without their ids and what is sealed under a new nonce each time."""
    rows = make_batch(made, number).rows[CONTACT]
    return [[*row.split("\t")[2:16], *row.split("\t")[17:]] for row in rows]


@pytest.fixture
def generated(account, child_account):
    """300 customers of the house."""
    generate_customers(300, business_account=account.pk, seed=3, businesses=0.2)
    return Customer.objects.filter(business_account=account)


def test_the_same_seed_makes_the_same_people():
    assert people(plan()) == people(plan())
    assert people(plan()) != people(plan(seed=2))


def test_a_batch_does_not_depend_on_the_others():
    several = plan(count=2 * BATCH + 10)
    assert [len(make_batch(several, number).rows[CUSTOMER]) for number in several.batches()] == [
        BATCH,
        BATCH,
        10,
    ]
    assert people(several, 2) == people(several, 2)


def test_the_same_seed_makes_new_ids_and_external_ids():
    rows = [row for _ in range(2) for row in make_batch(plan(count=500), 0).rows[CUSTOMER]]
    ids = [row.split("\t")[0] for row in rows]
    external_ids = [row.split("\t")[3] for row in rows if row.split("\t")[3]]
    assert len(set(ids)) == len(ids) == 1000
    assert len(set(external_ids)) == len(external_ids) > 20


def test_no_made_up_text_needs_escaping_in_a_copy():
    batch = make_batch(plan(count=BATCH, businesses=0.3), 0)
    for table in TABLES:
        width = table.sql.count(",")
        for row in batch.rows[table]:
            assert row.count("\t") == width
            assert row.count("\n") == 1
            assert set(row.replace("\\N", "").replace("\\\\x", "")).isdisjoint("\\\r\0")


@pytest.mark.django_db
def test_generated_customers_are_whole(account, generated):
    assert generated.count() == 300
    kinds = {customer.type for customer in generated}
    assert kinds == {"INDIVIDUAL", "BUSINESS"}
    for customer in generated.prefetch_related("contacts", "contact_points", "addresses"):
        contacts = customer.contacts.all()
        assert len(contacts) == 1 if customer.type == "INDIVIDUAL" else 1 <= len(contacts) <= 4
        assert sum(contact.is_primary for contact in contacts) == 1
        assert len(customer.addresses.all()) == 2
        for contact in contacts:
            primary = [
                point.kind
                for point in customer.contact_points.all()
                if point.contact_id == contact.id and point.is_primary
            ]
            assert sorted(primary) == ["EMAIL", "PHONE"]


@pytest.mark.django_db
def test_customers_have_what_their_account_has_defined(account):
    retail = factories.make_department(account, "Retail")
    for name, target, is_encrypted in (
        ("tier", "customer", False),
        ("secret", "customer", True),
        ("vip", "contactPerson", False),
    ):
        account.attribute_definitions.create(name=name, target=target, is_encrypted=is_encrypted)
    generate_customers(60, business_account=account.pk)
    assert Customer.objects.filter(department=retail).count() > 20
    values = AttributeValue.objects.filter(customer__business_account=account)
    for name in ("tier", "secret", "vip"):
        assert values.filter(definition__name=name).count() > 10
    assert not values.filter(definition__name="secret").exclude(value_sealed=None).exclude(value="")
    confidant = factories.make_speaker(account, scopes=factories.ALL_SCOPES)
    listed = confidant.api.get("/v1/customers?size=200").json()["content"]
    assert any(each["customAttributes"].get("secret") for each in listed)


@pytest.mark.django_db
def test_what_is_derived_is_what_the_services_would_derive(generated):
    for customer in generated.select_related("business_account"):
        profile = Profile.load(customer)
        profile.derive()
        assert not profile.is_dirty(), [
            profile.changed(customer),
            *map(profile.changed, profile.contacts),
        ]


# What it runs is measured where it is tested by itself: measuring takes twice the time.
@pytest.mark.no_cover
@pytest.mark.django_db
def test_every_value_passes_the_rules_of_the_api(generated):
    for point in ContactPoint.objects.filter(kind="PHONE"):
        assert phones.parse(point.value, "US") == point.value
        assert phones.digits_of(point.value) == point.value_key
    for point in ContactPoint.objects.filter(kind="EMAIL"):
        assert normalize.parse_email(point.value) == point.value
        assert normalize.email_key(point.value) == point.value_key
    for address in Address.objects.all():
        assert normalize.country_alpha3(address.country) == address.country
        normalize.check_subdivision(address.state, address.country)
        assert not normalize.is_po_box(address.street_line_1, address.street_line_2)
        assert (address.type == "SHIPPING") == bool(address.first_name and address.last_name)
    for row in (*generated, *Contact.objects.all(), *Address.objects.all()):
        row.clean_fields(exclude=["customer", "business_account"])
        row.validate_constraints()


@pytest.mark.django_db
def test_external_ids_name_their_customers(account, generated):
    with_external_id = generated.exclude(external_id="")
    assert 10 < len(with_external_id) < 60
    for customer in with_external_id:
        assert customer.pk == normalize.customer_id(account.pk, customer.external_id)


@pytest.mark.django_db
def test_names_come_from_many_scripts(generated):
    names = "".join(Contact.objects.values_list("last_name", flat=True))
    scripts = {unicodedata.name(letter).split()[0] for letter in names if letter.isalpha()}
    assert scripts >= {"LATIN", "GREEK", "CYRILLIC", "CJK", "HANGUL", "ARABIC"}
    assert any("WITH" in unicodedata.name(letter) for letter in names if letter.isalpha())


@pytest.mark.django_db
def test_social_ids_are_sealed_for_their_contact_and_found_by_hash(generated):
    contacts = Contact.objects.filter(social_id_sealed__isnull=False)
    assert len(contacts) > 10
    for contact in contacts:
        where = associated_data(Contact, "social_id_sealed", contact.id)
        social_id = unseal(contact.social_id_sealed, where)
        assert social_id.endswith(contact.social_id_last4)
        assert Contact.objects.filter(social_id_digest=contact.social_id_digest).exists()


@pytest.mark.django_db
def test_the_load_is_on_record_with_what_happened_since(generated):
    suspended = generated.filter(status="SUSPENDED").first()
    assert suspended.version == 2
    assert suspended.updated_at >= suspended.created_at
    newest, *others = history.changes_of(suspended.pk)
    assert (newest.operation, newest.via, newest.reason) == (
        "updated",
        "command",
        "generate_customers",
    )
    assert (newest.before, newest.after) == ({"status": "ACTIVE"}, {"status": "SUSPENDED"})
    assert {change.entity for change in others} == {
        "customer",
        "contact",
        "contactPoint",
        "address",
    }
    rows = sum(model.objects.count() for model in (Customer, Contact, ContactPoint, Address))
    assert Change.objects.filter(operation="created").count() == rows


@pytest.mark.django_db
def test_creation_is_spread_over_years_and_never_in_the_future(generated):
    moments = sorted(generated.values_list("created_at", flat=True))
    assert (moments[-1] - moments[0]).days > 1500
    assert moments[-1] <= datetime.now(UTC)


@pytest.mark.django_db(transaction=True)
def test_children_share_the_customers(parent_account):
    printed = generate_customers(BATCH + 100, business_account=parent_account.pk, children=2)
    assert printed["customers"] == BATCH + 100
    assert printed["businessAccountId"] == str(parent_account.pk)
    children = BusinessAccount.objects.filter(parent=parent_account)
    assert {str(child.pk) for child in children} == set(printed["children"])
    counts = [each.customers.count() for each in (parent_account, *children)]
    assert sum(counts) == BATCH + 100
    assert min(counts) > 500


@pytest.mark.django_db(transaction=True)
def test_a_process_that_fails_fails_the_command(account):
    missing = Plan(1, 2 * BATCH, (uuid4(),), NOW)
    with pytest.raises(CommandError, match="failed"):
        list(load(missing, internal_actor(account)))
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_without_an_account_there_is_a_new_one(db):
    printed = generate_customers(3)
    assert BusinessAccount.objects.get(pk=printed["businessAccountId"]).customers.count() == 3


@pytest.mark.parametrize(
    "arguments", [["0"], ["x"], ["5", "--children=-1"], ["5", "--businesses=1.5"]]
)
def test_a_bad_number_is_refused(arguments):
    with pytest.raises(CommandError):
        call_command("generate_customers", *arguments)
