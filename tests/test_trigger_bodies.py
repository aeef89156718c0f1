"""The two bodies of each trigger of the change log: that of this server, and that of shards."""

import pytest
from django.db import connection

from customers import history, trigger_bodies
from customers.normalize import uuid7
from customers.tracked import TRACKED
from tests.shards import Shards
from tests.test_tracked_columns import Row, make_row, pairs

pytestmark = pytest.mark.django_db
__all__ = ["make_row", "pairs"]

FUNCTIONS = "SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'kith\\_record\\_%'"


def test_the_description_is_of_every_logged_table():
    assert [each.entity for each in TRACKED] == list(history.ENTITIES)
    for each in TRACKED:
        assert history.ENTITIES[each.entity]._meta.db_table == each.table


def test_the_migrated_database_has_the_bodies_that_the_description_gives():
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        assert dict(cursor.fetchall()) == {
            each.function: trigger_bodies.plain(each) for each in TRACKED
        }


def test_made_anew_a_function_stays_as_the_migrations_made_it():
    definition = "SELECT pg_get_functiondef('kith_record_contact'::regproc)"
    (contact,) = [each for each in TRACKED if each.entity == "contact"]
    with connection.cursor() as cursor:
        cursor.execute(definition)
        before = cursor.fetchone()
        cursor.execute(trigger_bodies.create(contact, trigger_bodies.plain(contact)))
        cursor.execute(definition)
        assert cursor.fetchone() == before


class LoggedRow(Row):
    """A row that is written into a table, or a shard of it, and what the log beside it then has."""

    def __init__(self, row, table, log):
        self.model, self.values, self.key = row.model, row.values, row.key
        self.table = table
        self.log = log

    def run(self, sql, values):
        """What the statement leaves in the log."""
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.log}")
            cursor.execute(sql, values)
            assert cursor.rowcount == 1
            cursor.execute(f"SELECT to_jsonb(change) - 'id' - 'at' FROM {self.log} AS change")
            return [document for (document,) in cursor.fetchall()]


@pytest.fixture
def shards():
    return Shards()


@pytest.mark.parametrize(("entity", "model"), history.ENTITIES.items())
def test_a_shard_logs_what_the_table_logs(entity, model, make_row, shards):
    made = make_row(model)
    row = LoggedRow(made, made.table, "customers_change")
    shard = LoggedRow(made, shards.of(made.table), shards.of("customers_change"))
    assert shard.insert() == row.insert() != []
    for name in row.values.keys() - row.key.keys():
        assert shard.update(name) == row.update(name), name
    [deleted] = shard.delete()
    assert [deleted] == row.delete()
    assert f'"entity": "{entity}"' in deleted


def test_a_bulk_statement_is_one_insert_into_the_log_of_the_shard(account, shards):
    table, ids = shards.of("customers_card"), [uuid7() for _ in range(300)]
    values = (
        f"INSERT INTO {table} (customer_id, id, account_id, last4, iin, type, status,"
        " network_identifier, open_date, created_at, updated_at)"
        " SELECT id, id, id, '1111', '', '', '', '', now(), now(), now()"
        " FROM unnest(%s::uuid[]) AS id"
    )
    with connection.cursor() as cursor:
        cursor.execute(values, [ids])
        cursor.execute(f"UPDATE {table} SET last4 = '2222' WHERE id <> %s", [ids[0]])
        cursor.execute(
            f"SELECT operation, count(*) FROM {shards.of('customers_change')}"
            " GROUP BY operation ORDER BY operation"
        )
        assert cursor.fetchall() == [("created", 300), ("updated", 299)]


def test_a_shard_logs_who_acts_and_what_is_not_to_be_logged(shards):
    with connection.cursor() as cursor:
        cursor.execute("""SET LOCAL kith.actor = '{"type": "employee", "id": "7", "via": "v1"}'""")
        table = shards.of("customers_card")
        sql = (
            f"INSERT INTO {table} (customer_id, id, account_id, last4, iin, type, status,"
            " network_identifier, open_date, created_at, updated_at)"
            " SELECT id, id, id, '1111', '', '', '', '', now(), now(), now()"
            " FROM gen_random_uuid() AS id"
        )
        cursor.execute(sql)
        cursor.execute("SET LOCAL kith.recording = 'off'")
        cursor.execute(sql)
        cursor.execute(f"SELECT actor_type, actor_id, via FROM {shards.of('customers_change')}")
        assert cursor.fetchall() == [("employee", "7", "v1")]


def test_a_shard_without_a_log_beside_it_refuses_changes(shards):
    table = shards.of("customers_customer")
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM pg_dist_shard WHERE logicalrelid = 'customers_change'::regclass"
        )
        with pytest.raises(Exception, match="no shard of the change log lies beside"):
            cursor.execute(f"DELETE FROM {table}")
