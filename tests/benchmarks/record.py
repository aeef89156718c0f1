"""What the change log costs a write: one row at a time, and in bulk."""

from collections.abc import Callable

from django.db import connection, transaction

from tests.benchmarks.dataset import dataset
from tests.benchmarks.report import race, table

BULK = 20_000
ONE = "UPDATE customers_contact SET prefix = prefix || 'x' WHERE customer_id = %s"
MANY = "UPDATE customers_contact SET prefix = 'x' || prefix WHERE customer_id = ANY(%s)"
INSERT = """
    INSERT INTO customers_address (customer_id, id, type, first_name, middle_name, last_name,
        street_line_1, street_line_2, street_line_3, street_line_4, street_line_5,
        street_line_1_folded, street_line_2_folded, street_line_3_folded, city, city_folded, state,
        country, zip_code, is_primary, created_at, updated_at)
    SELECT customer_id, gen_random_uuid(), type, first_name, middle_name, last_name,
        street_line_1, street_line_2, street_line_3, street_line_4, street_line_5,
        street_line_1_folded, street_line_2_folded, street_line_3_folded, city, city_folded, state,
        country, zip_code, false, created_at, updated_at
    FROM customers_address WHERE customer_id = ANY(%s)"""


def run() -> None:
    """Print an update of one row, and a bulk update and insert per row, without and with record."""
    tenants = dataset()
    ids = list(tenants.others.customers.values_list("pk", flat=True)[:BULK])
    for title, sql, some, rows, times in (
        ("update of one row", ONE, ids[0], 1, 300),
        (f"bulk update of {BULK:,} rows, per row", MANY, ids, BULK, 5),
        (f"bulk insert of {BULK:,} rows, per row", INSERT, ids[: BULK // 2], BULK, 5),
    ):
        works = {
            "not recorded": undone(sql, some, recording="off"),
            "recorded": undone(sql, some, recording="on"),
        }
        table(title, *race(works, times=times, units=rows), unit="µs")


def undone(sql: str, parameter: object, *, recording: str) -> Callable[[], None]:
    """The statement, with the change log on or off, in a transaction that is rolled back."""

    def work() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('kith.recording', %s, true)", [recording])
            cursor.execute(sql, [parameter])
            transaction.set_rollback(True)

    return work
