"""Every column of every logged table is in every branch of its trigger, or left out on purpose.

Each row is inserted, changed column by column, and deleted by plain SQL, so that a column that was
forgotten in one branch of one function is found, as is a new one.
"""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from psycopg.types.json import Jsonb

from customers import history
from customers.models import AttributeDefinition, AttributeValue, Change, Customer
from customers.normalize import uuid7
from tests import factories
from tests.tables import UNTRACKED

pytestmark = pytest.mark.django_db
KEYS = {"id", "customer_id"}
# The change log says that they changed, never what they are.
SECRET = {"security_answer_sealed", "social_id_sealed", "value_sealed", "pin_sealed"}
MASK = "***"


@pytest.fixture
def pairs(account, child_account):
    """Two values of each column that refers to a row."""
    return {
        "business_account_id": (account.pk, child_account.pk),
        "department_id": tuple(factories.make_department(account).pk for _ in "ab"),
        "preferred_agent_id": tuple(factories.make_employee(account).pk for _ in "ab"),
        "employee_id": tuple(factories.make_employee(account).pk for _ in "ab"),
        "definition_id": tuple(
            AttributeDefinition.objects.create(business_account=account, name=name).pk
            for name in "ab"
        ),
        "contact_id": (uuid7(), uuid7()),
    }


BOTH_FORMS = """
    ALTER TABLE customers_attributevalue DROP CONSTRAINT attribute_value_sealed_or_clear;
    ALTER TABLE customers_attributevalue DISABLE TRIGGER guarded_insert;
    ALTER TABLE customers_attributevalue DISABLE TRIGGER guarded_update"""


def two_values(field, pairs):
    """Two values of a column that are neither equal nor empty."""
    if field.column in KEYS:
        return uuid7(), uuid7()
    if field.column in pairs:
        return pairs[field.column]
    if field.choices:
        return tuple(value for value, _ in field.choices if value)[:2]
    by_kind = {
        models.CharField: ("a", "b"),
        models.TextField: ("a", "b"),
        models.BooleanField: (False, True),
        models.DateField: (date(2000, 1, 1), date(2000, 1, 2)),
        models.DateTimeField: (datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)),
        models.UUIDField: (uuid7(), uuid7()),
        models.PositiveIntegerField: (1, 2),
        models.BinaryField: (b"\1", b"\2"),
        models.JSONField: (Jsonb({"a": "1"}), Jsonb({"a": "2"})),
        ArrayField: (["a"], ["b"]),
    }
    kinds = [kind for kind in type(field).__mro__ if kind in by_kind]
    assert kinds, f"say in this test which values {field} has"
    return by_kind[kinds[0]]


# Of these the database takes both or none.
SAME = dict.fromkeys(("name_folded", "name_key"), ("name_folded", "name_key"))


def columns_of(model):
    return {field.column: field for field in model._meta.local_concrete_fields}


def is_recorded(column):
    return column not in UNTRACKED and not column.endswith("_folded")


def recorded(value, column):
    """A value as the change log has it."""
    if column in SECRET:
        return MASK
    if isinstance(value, Jsonb):
        return value.obj
    return value if isinstance(value, bool | list) else str(value)


def like(found, wanted):
    """Whether a recorded value is the wanted one; moments have an offset of their own there."""
    if isinstance(wanted, str) and wanted[4:5] == "-" and wanted[10:11] == " ":
        return datetime.fromisoformat(found) == datetime.fromisoformat(wanted)
    return found == wanted


class Row:
    """A row that is written by plain SQL."""

    def __init__(self, model, pairs, customer):
        self.model = model
        self.values = {name: two_values(field, pairs) for name, field in columns_of(model).items()}
        self.key = {name: uuid7() for name in KEYS & self.values.keys()}
        if "customer_id" in self.key:
            self.key["customer_id"] = customer.pk
        self.table = model._meta.db_table

    def run(self, sql, values):
        """What the statement leaves in the change log."""
        before = set(Change.objects.values_list("id", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            assert cursor.rowcount == 1
        return [change for change in Change.objects.all() if change.id not in before]

    def insert(self):
        row = {name: values[0] for name, values in self.values.items()} | self.key
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        return self.run(f"INSERT INTO {self.table} ({names}) VALUES ({places})", list(row.values()))

    def where(self):
        return " AND ".join(f"{name} = %s" for name in self.key), list(self.key.values())

    def update(self, column):
        where, key = self.where()
        names = SAME.get(column, [column])
        changed = ", ".join(f"{name} = %s" for name in names)
        values = [self.values[name][1] for name in names]
        return self.run(f"UPDATE {self.table} SET {changed} WHERE {where}", [*values, *key])

    def delete(self):
        where, key = self.where()
        return self.run(f"DELETE FROM {self.table} WHERE {where}", key)


@pytest.fixture
def make_row(pairs, account):
    def make(model):
        customer = Customer(pk=UUID(int=1))
        if model is not Customer:
            customer = factories.make_customer(account, email="", phone="")
            customer.contacts.update(is_primary=False)
        if model is AttributeValue:
            # Here a value is plain and sealed at once, so that one row has every column.
            with connection.cursor() as cursor:
                cursor.execute(BOTH_FORMS)
        return Row(model, pairs, customer)

    return make


@pytest.mark.parametrize(("entity", "model"), history.ENTITIES.items())
def test_each_column_is_recorded_when_a_row_comes_changes_and_goes(entity, model, make_row):
    row = make_row(model)
    tracked = [name for name in row.values if is_recorded(name)]
    [created] = row.insert()
    assert (created.entity, created.operation, created.before) == (entity, "created", None)
    assert created.after.keys() == set(tracked)
    for name in tracked:
        assert like(created.after[name], recorded(row.values[name][0], name)), name
    for name in tracked:
        old, new = (recorded(value, name) for value in row.values[name])
        [changed] = row.update(name)
        assert changed.operation == "updated"
        assert changed.before.keys() == changed.after.keys() == {name}
        assert like(changed.before[name], old), name
        assert like(changed.after[name], new), name
    [deleted] = row.delete()
    assert (deleted.operation, deleted.after) == ("deleted", None)
    assert deleted.before.keys() == set(tracked)
    for name in tracked:
        assert like(deleted.before[name], recorded(row.values[name][1], name)), name


@pytest.mark.parametrize("model", history.ENTITIES.values())
def test_a_column_that_is_left_out_on_purpose_leaves_no_trace(model, make_row):
    row = make_row(model)
    row.insert()
    for name in row.values.keys() - KEYS:
        if not is_recorded(name):
            assert not row.update(name), name
    row.delete()


@pytest.mark.parametrize("model", history.ENTITIES.values())
def test_no_secret_is_in_the_change_log_in_clear(model, make_row):
    row = make_row(model)
    changes = [*row.insert(), *(c for name in SECRET & row.values.keys() for c in row.update(name))]
    changes += row.delete()
    for change in changes:
        for name in SECRET & row.values.keys():
            for side in (change.before or {}, change.after or {}):
                assert side.get(name, MASK) == MASK


def test_a_column_that_one_branch_of_a_trigger_forgets_is_found(make_row):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('kith_record_card'::regproc)")
        [definition] = cursor.fetchone()
        gone = definition.replace("to_json(nullif(was.iin, ''))", "NULL::json")
        assert gone != definition
        cursor.execute(gone)
    with pytest.raises(AssertionError):
        test_each_column_is_recorded_when_a_row_comes_changes_and_goes(
            "card", history.ENTITIES["card"], make_row
        )
