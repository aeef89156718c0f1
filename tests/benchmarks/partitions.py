"""What partitions bring and cost: of the change log by time, of customers by a hash of their id.

The same rows are in one table and in partitioned ones, which are asked by turns what the product
asks, statement by statement. `--customers N` tells from which size they pay.
"""

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from config.db.statements import Row, array, prepared_rows
from customers.history import changes_of
from customers.models import ContactPoint, Customer
from ingest.models import BulkRequest
from ingest.undo import record
from tests.benchmarks.dataset import registry
from tests.benchmarks.report import columns, note, race, table

CUSTOMERS = 20_000
# So far back goes the log.
MONTHS = 24
# The parts of a month are last: what is measured of cleaning up changes the one table.
TIME_PARTS = (120, MONTHS)
HASH_PARTS = (4, 16)
SOME = 500
INSERTED = 50_000
BATCH = 2_000
ROUNDS = 50
FEW_ROUNDS = 5
LOG = "customers_change"
LOGGED = """customer_id, actor_type, actor_id, via, request_id, reason, entity, entity_id,
    operation, before, after, kept, sealed"""
SPREAD = f"now() - (hashint8(id) & 1023) * interval '{MONTHS} months' / 1024"
# An index that is unique beyond one customer cannot be, in partitions by customer: nobody has it.
INDEXES = """
    SELECT pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = %s::regclass AND NOT indisunique"""
INDEX = re.compile(r"CREATE INDEX \w+ ON \S+ ")
Works = Mapping[str, Callable[[], object]]


def run(*, customers: int = CUSTOMERS) -> None:
    """Measure."""
    with registry(customers):
        ids = list(Customer.objects.order_by("external_id").values_list("pk", flat=True)[:SOME])
        # Of a large table there is no room for many copies.
        log = make_log(0)
        for parts in TIME_PARTS:
            logs = {0: log, parts: make_log(parts)}
            measure_log(logs, ids)
            drop(logs[parts])
        drop(log)
        both = make_customers(0)
        for parts in HASH_PARTS:
            tables = {0: both, parts: make_customers(parts)}
            measure_customers(tables, ids)
            drop(*tables[parts])
        drop(*both)


def title(parts: int) -> str:
    """What a table in so many partitions is called; 0: in none."""
    return f"{parts} partitions" if parts else "one table"


def execute(statement: str, *values: object) -> list[Row]:
    """Run a statement; its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def drop(*names: str) -> None:
    """Leave nothing behind."""
    execute(f"DROP TABLE IF EXISTS {', '.join(names)}")


def undone(statement: str, *values: object) -> None:
    """Run a statement in a transaction that is rolled back."""
    with transaction.atomic():
        execute(statement, *values)
        transaction.set_rollback(True)


def seconds(statement: str) -> str:
    """How long a statement takes, once."""
    started = time.perf_counter()
    execute(statement)
    return f"{time.perf_counter() - started:.2f}"


def compare(
    what: str, works: Works, *, unit: str = "ms", times: int = ROUNDS, units: int = 1
) -> None:
    """Take turns, and print; the first is the yardstick."""
    first, *others = race(works, times=times, units=units)
    table(what, first, *others, unit=unit)


# --- The change log by time -----------------------------------------------------------------------


def make_log(parts: int) -> str:
    """The change log spread over the months, in so many partitions of the same length; its name."""
    name = f"bench_log_{parts}"
    by = " PARTITION BY RANGE (at)" if parts else ""
    drop(name)
    execute(f"CREATE TABLE {name} (LIKE {LOG} INCLUDING ALL){by}")
    moments = f"""
        SELECT now() - interval '{MONTHS} months' * each / {parts or 1}
        FROM generate_series(0, %s) each"""
    ends = [f"('{moment.isoformat()}')" for (moment,) in execute(moments, parts - 1)]
    bounds = ["(MAXVALUE)", *ends[1:], "(MINVALUE)"]
    for number in range(parts):
        execute(
            f"CREATE TABLE {name}_{number} PARTITION OF {name}"
            f" FOR VALUES FROM {bounds[number + 1]} TO {bounds[number]}"
        )
    note(f"filling a log: {title(parts)}")
    execute(
        f"INSERT INTO {name} (id, at, {LOGGED}) SELECT id, {SPREAD}, {LOGGED} FROM {LOG} ORDER BY 2"
    )
    execute(f"VACUUM ANALYZE {name}")
    return name


def measure_log(logs: Mapping[int, str], ids: Sequence[UUID]) -> None:
    """Print what readers and writers of the log wait, and what cleaning up takes."""
    whose = cycle(ids)

    def asked(statement: str, ask: Callable[[str, Sequence[object]], object]) -> Works:
        def work(sql: str) -> None:
            ask(sql, [next(whose)])

        return {
            title(parts): partial(work, statement.replace(LOG, name))
            for parts, name in logs.items()
        }

    def plan_and_ask(sql: str, values: Sequence[object]) -> None:
        execute(sql, *values)

    page, _ = changes_of(ids[0])[:25].query.sql_with_params()
    count = f"SELECT count(*) FROM {LOG} WHERE customer_id = %s"
    compare("first page of a history", asked(page, plan_and_ask))
    compare("first page of a history, prepared", asked(page, prepared_rows))
    compare("count of a history", asked(count, plan_and_ask))
    compare("count of a history, prepared", asked(count, prepared_rows))

    request = BulkRequest(request_id="none", actor_type="internal", actor_id="")
    request.started_at = request.finished_at = timezone.now()
    values = record.span(request) | {"customers": array(list(map(str, ids))), "first": 0}
    for what, statement in (("changes of a load", record.CHANGES), ("later ones", record.LATER)):
        sql = statement.as_string()
        works = {}
        for parts, name in logs.items():
            works[title(parts)] = partial(run_named, sql.replace(LOG, name), values)
        compare(f"undo: {what}, of {SOME} customers", works, times=FEW_ROUNDS)

    insert = f"INSERT INTO {{}} (at, {LOGGED}) SELECT now(), {LOGGED} FROM {LOG} LIMIT {INSERTED}"
    works = {title(parts): partial(undone, insert.format(name)) for parts, name in logs.items()}
    compare("new changes, each", works, unit="µs", times=FEW_ROUNDS, units=INSERTED)
    if MONTHS in logs:
        clean_up(logs)


def run_named(statement: str, values: Mapping[str, object]) -> None:
    """Run a statement whose parameters have names."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.fetchall()


def clean_up(logs: Mapping[int, str]) -> None:
    """Print how long it takes to vacuum after a month's work, and to let the oldest month go."""
    whole, months = logs[0], logs[MONTHS]
    lines = [("cleaning up", "one table s", title(MONTHS) + " s")]
    change = "UPDATE {} SET sealed = NULL WHERE at > now() - interval '1 month' / 4"
    for name in (whole, months):
        execute(change.format(name))
    lines.append(
        (
            "vacuum after a week of changes",
            seconds(f"VACUUM {whole}"),
            seconds(f"VACUUM {months}_0"),
        )
    )
    execute(f"CREATE INDEX ON {whole} (at)")
    ((end,),) = execute(f"SELECT now() - interval '{MONTHS - 1} months'")
    deleted = seconds(f"DELETE FROM {whole} WHERE at < '{end.isoformat()}'")
    lines.append(
        ("the oldest month, by an index", deleted, seconds(f"DROP TABLE {months}_{MONTHS - 1}"))
    )
    lines.append(("vacuum of what is left of it", seconds(f"VACUUM {whole}"), "0"))
    columns(lines)
    sys.stdout.write("\n")


# --- Customers by a hash of their id --------------------------------------------------------------


def make_customers(parts: int) -> tuple[str, str]:
    """Customers and their contact points in so many partitions; the names of both tables."""
    note(f"filling customers: {title(parts)}")
    return (
        make_copy("customers_customer", "id", "id", parts),
        make_copy("customers_contactpoint", "customer_id", "customer_id, id", parts),
    )


def make_copy(source: str, customer: str, key: str, parts: int) -> str:
    """A table of the same rows with the same indexes, in partitions by customer; its name."""
    name = f"bench_{source.removeprefix('customers_')}_{parts}"
    by = f" PARTITION BY HASH ({customer})" if parts else ""
    drop(name)
    execute(f"CREATE TABLE {name} (LIKE {source} INCLUDING DEFAULTS, PRIMARY KEY ({key})){by}")
    for number in range(parts):
        execute(
            f"CREATE TABLE {name}_{number} PARTITION OF {name}"
            f" FOR VALUES WITH (MODULUS {parts}, REMAINDER {number})"
        )
    for (definition,) in execute(INDEXES, source):
        execute(INDEX.sub(f"CREATE INDEX ON {name} ", definition, count=1))
    execute(f"INSERT INTO {name} SELECT * FROM {source}")
    execute(f"VACUUM ANALYZE {name}")
    return name


def measure_customers(tables: Mapping[int, tuple[str, str]], ids: Sequence[UUID]) -> None:
    """Print what a call by id, an exact search, new customers and a vacuum take."""
    names = {title(parts): name for parts, (name, _) in tables.items()}
    whose = cycle(ids)
    points = ContactPoint.objects.filter(kind="EMAIL", customer_id__in=ids)
    emails = cycle(list(points.values_list("value_key", flat=True)))

    by_id = "SELECT * FROM {} WHERE id = %s"
    by_email = """
        SELECT customer.* FROM {0} customer JOIN {1} point ON point.customer_id = customer.id
        WHERE point.kind = 'EMAIL' AND point.value_key = %s"""

    def find(statement: str, values: "cycle[UUID] | cycle[str]") -> None:
        prepared_rows(statement, [next(values)])

    compare(
        "customer by id, prepared",
        {name: partial(find, by_id.format(of), whose) for name, of in names.items()},
    )
    compare(
        "customers by exact e-mail, prepared",
        {
            title(parts): partial(find, by_email.format(*both), emails)
            for parts, both in tables.items()
        },
    )
    fields = [str(field.column) for field in Customer._meta.local_concrete_fields]
    made = ", ".join("gen_random_uuid()" if each == "id" else each for each in fields)
    insert = f"""
        INSERT INTO {{}} ({", ".join(fields)})
        SELECT {made} FROM customers_customer LIMIT {BATCH}"""
    works = {name: partial(undone, insert.format(of)) for name, of in names.items()}
    compare("new customers, each", works, unit="µs", times=FEW_ROUNDS, units=BATCH)

    lines = [("after an update of 1 of 100 customers", "vacuum s", "of one partition s")]
    for parts, (name, _) in tables.items():
        execute(f"UPDATE {name} SET version = version + 1 WHERE hashtext(id::text) % 100 = 0")
        one = seconds(f"VACUUM {name}_0") if parts else ""
        lines.append((title(parts), seconds(f"VACUUM {name}"), one))
    columns(lines)
