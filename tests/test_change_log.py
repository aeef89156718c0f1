"""Every change of a customer is logged: who, when, through what, and the values."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction

from config.api.actors import Actor, ActorType
from config.context import request_id
from customers import change_log, history, normalize
from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Change,
    Contact,
    ContactPoint,
    Customer,
)
from tests import factories
from tests.tables import UNTRACKED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_mode")]

CREATED = Change.Operation.CREATED
UPDATED = Change.Operation.UPDATED
DELETED = Change.Operation.DELETED


@pytest.fixture
def clerk(account) -> Actor:
    """An employee of the house, as an actor."""
    return Actor(ActorType.EMPLOYEE, str(normalize.uuid7()), account.pk, (account.pk,))


def changes(customer: Customer, entity: str, operation: str) -> list[Change]:
    """What is logged of one kind, oldest first."""
    rows = history.changes_of(customer.pk).filter(entity=entity, operation=operation)
    return list(rows.order_by("at", "id"))


def run(sql: str, *parameters: object) -> None:
    """A statement that knows nothing of this code, as a person at psql sends it."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def tracked_columns() -> dict[str, set[str]]:
    """Entity -> columns that its trigger writes down, as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (regexp_match(prosrc, '''created'', '))::text IS NOT NULL,"
            " (regexp_match(prosrc, ', ''(\\w+)'', became.\\w+, ''created'''))[1],"
            " array(SELECT DISTINCT m[1]"
            "   FROM regexp_matches(split_part(prosrc, 'ELSIF', 1), '\"(\\w+)\":', 'g') m)"
            " FROM pg_proc WHERE proname LIKE 'kith_record_%'"
        )
        return {entity: set(columns) for _, entity, columns in cursor.fetchall()}


@pytest.mark.parametrize(("entity", "model"), history.ENTITIES.items())
def test_every_column_is_logged_or_left_out_on_purpose(entity, model):
    columns = {field.column for field in model._meta.local_concrete_fields if field.column}
    derived = {column for column in columns if column.endswith("_folded")}
    assert tracked_columns()[entity] == columns - derived - UNTRACKED


def test_every_table_that_hangs_on_a_customer_is_logged():
    owned = {
        relation.related_model
        for relation in Customer._meta.related_objects
        if relation.related_model._meta.app_label == "customers"
    }
    assert {model.__name__ for model in owned} == {
        model.__name__ for model in history.ENTITIES.values()
    } - {"Customer"}


def test_a_creation_is_logged_with_what_was_given(account):
    customer = factories.make_customer(account, date_of_birth=date(1815, 12, 10))
    [contact] = changes(customer, "contact", CREATED)
    assert contact.before is None
    assert contact.after == {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "date_of_birth": "1815-12-10",
        "is_primary": True,
    }
    assert contact.entity_id == customer.contacts.get().id
    [row] = changes(customer, "customer", CREATED)
    assert row.after == {
        "type": "INDIVIDUAL",
        "status": "ACTIVE",
        "business_account_id": str(account.pk),
    }
    assert row.entity_id == customer.pk


def test_an_update_is_logged_with_both_sides_of_what_changed(customer):
    contact = customer.contacts.get()
    Contact.objects.filter(pk=contact.pk).update(
        first_name='Ada "A." Ö\\', middle_name="King", date_of_birth=date(1815, 12, 10)
    )
    Contact.objects.filter(pk=contact.pk).update(middle_name="", is_primary=True)
    first, second = changes(customer, "contact", UPDATED)
    assert first.before == {"first_name": "Ada", "middle_name": None, "date_of_birth": None}
    assert first.after == {
        "first_name": 'Ada "A." Ö\\',
        "middle_name": "King",
        "date_of_birth": "1815-12-10",
    }
    assert (second.before, second.after) == ({"middle_name": "King"}, {"middle_name": None})


def test_an_update_that_changes_nothing_on_record_leaves_no_trace(customer):
    Customer.objects.filter(pk=customer.pk).update(
        status=customer.status,
        metadata={},
        version=models.F("version") + 1,
        updated_at=datetime.now(UTC) + timedelta(days=1),
        updated_by_type="employee",
        search_text="other",
        name_folded="other",
        name_key="other",
    )
    assert not changes(customer, "customer", UPDATED)


def test_a_change_of_metadata_has_the_whole_object_on_both_sides(customer):
    Customer.objects.filter(pk=customer.pk).update(metadata={"tier": "gold"})
    Customer.objects.filter(pk=customer.pk).update(metadata={})
    first, second = changes(customer, "customer", UPDATED)
    assert (first.before, first.after) == ({"metadata": None}, {"metadata": {"tier": "gold"}})
    assert (second.before, second.after) == ({"metadata": {"tier": "gold"}}, {"metadata": None})


def test_a_deletion_is_logged_with_what_was_there(customer):
    point = customer.contact_points.get(kind="EMAIL")
    customer.contact_points.filter(pk=point.pk).delete()
    [change] = changes(customer, "contactPoint", DELETED)
    assert change.after is None
    assert change.before["value"] == "ada@example.com"
    assert change.entity_id == point.id


def test_what_goes_with_a_contact_is_logged_too(customer):
    run("DELETE FROM customers_contact WHERE customer_id = %s", customer.pk)
    run("SET CONSTRAINTS ALL IMMEDIATE")
    assert not customer.contact_points.exists()
    assert len(changes(customer, "contact", DELETED)) == 1
    kinds = [change.before["kind"] for change in changes(customer, "contactPoint", DELETED)]
    assert sorted(kinds) == ["EMAIL", "PHONE"]


def test_secrets_are_masked(account, customer):
    definition = AttributeDefinition.objects.create(
        business_account=account, name="taxClass", is_encrypted=True
    )
    now = datetime.now(UTC)
    AttributeValue.objects.create(
        customer=customer,
        definition=definition,
        value_sealed=b"\1sealed",
        created_at=now,
        updated_at=now,
    )
    contact = customer.contacts
    contact.update(social_id_sealed=b"\1one", social_id_digest=b"\1", social_id_last4="6789")
    contact.update(social_id_sealed=b"\1two", security_answer_sealed=b"\1three")
    contact.update(social_id_sealed=None)
    [created] = changes(customer, "attributeValue", CREATED)
    assert created.after == {"value_sealed": "***", "definition_id": str(definition.pk)}
    sides = [(change.before, change.after) for change in changes(customer, "contact", UPDATED)]
    assert sides == [
        ({"social_id_sealed": None}, {"social_id_sealed": "***"}),
        (
            {"social_id_sealed": "***", "security_answer_sealed": None},
            {"social_id_sealed": "***", "security_answer_sealed": "***"},
        ),
        ({"social_id_sealed": "***"}, {"social_id_sealed": None}),
    ]


def test_the_actor_of_the_transaction_is_logged(customer, clerk):
    token = request_id.set("request-1")
    with change_log.recorded(clerk, via=change_log.Via.BACK_OFFICE, reason="asked by phone") as at:
        Customer.objects.filter(pk=customer.pk).update(status="SUSPENDED")
        customer.contacts.update(first_name="Augusta")
    request_id.reset(token)
    rows = [
        *changes(customer, "customer", UPDATED),
        *changes(customer, "contact", UPDATED),
    ]
    assert len(rows) == 2
    for row in rows:
        assert (row.actor_type, row.actor_id) == ("employee", clerk.id)
        assert (row.via, row.request_id) == ("back-office", "request-1")
        assert (row.reason, row.at) == ("asked by phone", at)


def test_the_yielded_clock_is_the_databases_and_aware(clerk):
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()
        with change_log.recorded(clerk, via="v1") as at:
            cursor.execute("SELECT clock_timestamp()")
            (after,) = cursor.fetchone()
    assert before <= at <= after
    assert at.utcoffset() == timedelta(0)


def test_a_change_by_plain_sql_is_logged_as_the_databases_own(customer):
    run("UPDATE customers_customer SET status = 'DELETED' WHERE id = %s", customer.pk)
    [change] = changes(customer, "customer", UPDATED)
    assert (change.actor_type, change.actor_id, change.via) == ("internal", "", "database")


@pytest.mark.django_db(transaction=True)
def test_an_actor_is_forgotten_when_its_transaction_ends(customer, clerk):
    with change_log.recorded(clerk, via="v1"):
        customer.contacts.update(first_name="Augusta")
    customer.contacts.update(first_name="Ada")
    vias = [change.via for change in changes(customer, "contact", UPDATED)]
    assert vias == ["v1", "database"]


def test_what_is_rolled_back_is_not_logged(customer, clerk):
    def fail() -> None:
        with change_log.recorded(clerk, via="v1"):
            customer.contacts.update(first_name="Augusta")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not changes(customer, "contact", UPDATED)


def test_a_long_reason_is_cut_instead_of_failing_the_work(customer, clerk):
    with change_log.recorded(clerk, via="job", reason="é" * 300):
        customer.contacts.update(first_name="Augusta")
    [change] = changes(customer, "contact", UPDATED)
    assert change.reason == "é" * 255


def test_naming_the_actor_costs_one_query(clerk, each_mode, django_assert_num_queries):
    # The savepoint and its release are the other two; outside a transaction they are BEGIN, COMMIT.
    # A distributed engine is asked for the time first.
    with django_assert_num_queries(3 + each_mode), change_log.recorded(clerk, via="v1"):
        pass


def test_storing_the_same_values_otherwise_leaves_no_trace(customer):
    with change_log.unrecorded():
        customer.contacts.update(social_id_sealed=b"\1another key")
    assert not changes(customer, "contact", UPDATED)
    customer.contacts.update(social_id_sealed=b"\1another value")
    assert len(changes(customer, "contact", UPDATED)) == 1


def test_a_copy_is_logged_row_by_row(account):
    customers = [factories.make_customer(account, email="", phone="") for _ in range(3)]
    contacts = [customer.contacts.get() for customer in customers]
    now = datetime.now(UTC)
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY customers_contactpoint (customer_id, contact_id, id, kind, value, value_key,"
            " phone_type, provider, extension, is_primary, is_verified, created_at, updated_at)"
            " FROM STDIN"
        ) as copy,
    ):
        for contact in contacts:
            key = (contact.customer_id, contact.id, normalize.uuid7())
            value = f"{contact.id}@example.com"
            copy.write_row((*key, "EMAIL", value, value, "", "", "", True, False, now, now))
    for contact, customer in zip(contacts, customers, strict=True):
        [change] = changes(customer, "contactPoint", CREATED)
        assert change.after["value"] == f"{contact.id}@example.com"


def test_a_bulk_update_is_logged_row_by_row(account):
    customers = [factories.make_customer(account) for _ in range(5)]
    Customer.objects.filter(pk=customers[0].pk).update(role="first")
    Customer.objects.all().update(role="all")
    before = [changes(customer, "customer", UPDATED)[-1].before for customer in customers]
    assert before == [{"role": "first"}, *[{"role": None}] * 4]


def test_an_upsert_is_logged_as_what_it_did_to_each_row(customer):
    email = customer.contact_points.get(kind="EMAIL")
    twin = ContactPoint.objects.get(pk=email.pk)
    twin.id, twin.is_primary, twin.value = normalize.uuid7(), False, "new@example.com"
    email.value = "changed@example.com"
    ContactPoint.objects.bulk_create(
        [email, twin],
        update_conflicts=True,
        unique_fields=["customer_id", "id"],
        update_fields=["value"],
    )
    [updated] = changes(customer, "contactPoint", UPDATED)
    assert updated.after == {"value": "changed@example.com"}
    assert changes(customer, "contactPoint", CREATED)[-1].after["value"] == "new@example.com"


def test_a_contact_point_belongs_to_a_contact_of_its_own_customer(account, customer):
    other = factories.make_customer(account)
    stranger = other.contacts.get()
    run("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError), transaction.atomic():
        customer.contact_points.update(contact_id=stranger.id)


def test_the_history_shows_published_names_and_the_newest_first(
    customer, clerk, django_assert_num_queries
):
    with change_log.recorded(clerk, via="v1", reason="moved") as at:
        customer.contacts.update(first_name="Augusta", social_id_sealed=b"\1", birth_city="London")
    with django_assert_num_queries(1):
        newest, *older = history.represent_all(history.changes_of(customer.pk))
    assert newest == {
        "at": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z",
        "operation": "updated",
        "entity": "contact",
        "entityId": str(customer.contacts.get().id),
        "actor": {"id": clerk.id, "type": "employee"},
        "via": "v1",
        "requestId": "",
        "reason": "moved",
        "changes": [
            {"field": "firstName", "from": "Ada", "to": "Augusta"},
            {"field": "placeOfBirth.city", "from": None, "to": "London"},
            {"field": "socialId", "from": None, "to": "***"},
        ],
    }
    assert [row["entity"] for row in older] == [
        "contactPoint",
        "contactPoint",
        "contact",
        "customer",
    ]


def test_times_on_record_leave_as_utc_whatever_the_session_wrote():
    change = Change(
        at=datetime(2026, 3, 1, tzinfo=UTC),
        entity="account",
        operation="updated",
        before={"close_date": None},
        after={"close_date": "2026-03-01T01:30:00.5+05:30"},
    )
    assert history.represent_all([change])[0]["changes"] == [
        {"field": "closeDate", "from": None, "to": "2026-02-28T20:00:00.500Z"}
    ]


@pytest.fixture
def out_of_step(customer) -> list[str]:
    """Ten changes of which a later one often has the lower id; their reasons, newest first.

    As transactions that overlap leave them, or a clock that was set back.
    """
    Change.objects.filter(customer_id=customer.pk).delete()
    start = datetime(2026, 3, 1, tzinfo=UTC)
    minutes = [5, 3, 9, 1, 3, 7, 2, 3, 8, 6]
    for number, minute in enumerate(minutes):
        run(
            "INSERT INTO customers_change (at, actor_type, actor_id, via, request_id, reason,"
            " customer_id, entity, entity_id, operation, after)"
            " VALUES (%s, 'internal', '', 'database', '', %s, %s, 'customer', %s, 'updated', '{}')",
            start + timedelta(minutes=minute),
            str(number),
            customer.pk,
            customer.pk,
        )
    order = sorted(range(10), key=lambda number: (minutes[number], number), reverse=True)
    return [str(number) for number in order]


@pytest.mark.parametrize("direction", ["DESC", "ASC"])
def test_the_history_is_in_the_order_of_time_even_where_ids_disagree(
    owner, customer, out_of_step, direction
):
    url = f"/v1/customers/{customer.pk}/history?sort=at,{direction}&size=3"
    page = owner.api.get(url).json()
    by_cursor = [row["reason"] for row in page["content"]]
    while page["nextCursor"]:
        page = owner.api.get(f"{url}&cursor={page['nextCursor']}").json()
        by_cursor += [row["reason"] for row in page["content"]]
    by_number = [
        row["reason"]
        for number in range(4)
        for row in owner.api.get(f"{url}&page={number}").json()["content"]
    ]
    wanted = out_of_step if direction == "DESC" else out_of_step[::-1]
    assert by_cursor == by_number == wanted


def test_every_reader_of_the_change_log_takes_the_newest_first(customer, out_of_step):
    assert [change.reason for change in history.changes_of(customer.pk)] == out_of_step
    every = Change.objects.filter(customer_id=customer.pk)
    assert [change.reason for change in every] == out_of_step


def test_a_page_of_the_change_log_is_read_through_its_key_in_order(customer):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = history.changes_of(customer.pk)[:3].explain()
    assert "Index Scan Backward using customers_change_first_pkey" in plan
    assert "Sort" not in plan
