"""The migration that partitions the change log: every row, the same rights, nobody disturbed."""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from config.db import row_security
from config.db.scope import SETTING
from customers.models import Change, Customer
from customers.services.change_partitions import (
    FIRST,
    LATER,
    MONTHS,
    Partition,
    make_partitions,
    partitions,
    patiently,
)
from tests import bulk, factories, row_roles
from tests.bulk import customer
from tests.migrated import migrate as migrated_copy
from tests.partitions import SOMEBODY, begin_at, log, month, name, run
from tests.upgrades import release
from tests.workers import until

migration = import_module("customers.migrations.0034_change_log_by_time")
PROGRAMS = {
    "writes": "UPDATE customers_customer SET level = %(text)s WHERE id = %(id)s",
    "reads": """
        SELECT id, before, after FROM customers_change WHERE customer_id = %(id)s
        ORDER BY at DESC, id DESC LIMIT 25""",
    "forgets": """
        UPDATE customers_change SET sealed = NULL
        WHERE customer_id = %(id)s AND sealed IS NOT NULL""",
    "is slow": "SELECT pg_sleep(0.05) FROM customers_change WHERE customer_id = %(id)s LIMIT 1",
}


class Programs:
    """Sessions that send a prepared statement over and over, each about one customer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.done: Counter[str] = Counter()
        self.broken: list[str] = []
        self.ended = threading.Event()

    def go_on(self, what: str, of: UUID) -> None:
        """Send the statement of this name until the end."""
        with psycopg.connect(self.url, autocommit=True, prepare_threshold=0) as session:
            for number in itertools.count():
                if self.ended.is_set():
                    return
                try:
                    session.execute(PROGRAMS[what].encode(), {"id": of, "text": str(number)})
                except psycopg.Error as error:
                    self.broken.append(f"{what}: {error}")
                    return
                self.done[what] += 1

    def each_did_more(self) -> Callable[[], bool]:
        """Whether each has done something since this was called, or one does nothing any more."""
        before = self.done.copy()
        return lambda: (
            bool(self.broken) or all(self.done[each] > before[each] + 3 for each in PROGRAMS)
        )


@contextmanager
def programs(url: str, of: UUID) -> Iterator[Programs]:
    """While it is entered, all of them run."""
    found = Programs(url)
    threads = [threading.Thread(target=found.go_on, args=(each, of)) for each in PROGRAMS]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_programs_of_the_release_before_go_on_and_every_change_is_logged(migrated):
    with release.database(f"{connection.settings_dict['NAME']}_log") as url:
        migrated_copy()
        ada = factories.make_customer(factories.make_business_account()).pk
        with connection.schema_editor(atomic=False) as editor:
            migration.join(None, editor)
            before = Change.objects.filter(customer_id=ada).count()
            with programs(url, ada) as running:
                until(running.each_did_more())
                patiently(lambda: migration.partition(None, editor))
                until(running.each_did_more())
                patiently(make_partitions)
                until(running.each_did_more())
        assert running.broken == []
        assert [each.name for each in partitions()] == [FIRST, LATER]
        changes = Change.objects.filter(customer_id=ada)
        assert changes.count() == before + running.done["writes"]


@pytest.fixture
def editor() -> Iterator[object]:
    with connection.schema_editor(atomic=False) as made:
        yield made


def every_change() -> list[dict[str, object]]:
    rows = run("SELECT to_jsonb(change)::text FROM customers_change AS change ORDER BY id")
    return [json.loads(str(row)) for (row,) in rows]


@pytest.mark.django_db
def test_the_migration_is_undone_and_done_again_with_every_row_and_ids_that_go_on(owner, editor):
    begin_at(0)
    make_partitions()
    log("2001-01-01")
    bulk.load(owner, customer("c1"))
    run("SET CONSTRAINTS ALL IMMEDIATE")
    before = every_change()
    assert {each["customer_id"] for each in before} == {str(SOMEBODY), str(bulk.id_of(owner, "c1"))}
    assert set(run("SELECT tableoid::regclass::text FROM customers_change")) == {
        (FIRST,),
        (name(0),),
    }
    migration.join(None, editor)
    assert every_change() == before
    assert not run(
        "SELECT FROM pg_class WHERE relname LIKE 'customers_change_2%' OR relispartition"
    )
    log("now")
    migration.partition(None, editor)
    assert partitions() == [Partition(FIRST, None, None)]
    make_partitions()
    end = month(MONTHS)
    assert partitions() == [Partition(FIRST, None, end), Partition(LATER, end, None)]
    log("now")
    assert every_change()[:-2] == before
    ids = [row["id"] for row in every_change()]
    assert ids[-2:] == [ids[-3] + 1, ids[-3] + 2]


@pytest.mark.django_db
def test_whoever_is_confined_is_so_before_and_after_the_migration(editor):
    child, other = factories.make_business_account(), factories.make_business_account()
    for account in (child, other):
        factories.make_customer(account)
    run("SET CONSTRAINTS ALL IMMEDIATE")
    row_roles.make_role()
    list(row_security.apply(row_roles.ROLE))
    row_security.drop_views()
    run(f"SET LOCAL {SETTING} = '{{{child.pk}}}'")
    for step in (migration.join, migration.partition):
        step(None, editor)
        run(f"SET LOCAL ROLE {row_roles.ROLE}")
        seen = {key for (key,) in run("SELECT DISTINCT customer_id FROM customers_change")}
        run("RESET ROLE")
        assert seen == set(
            Customer.objects.filter(business_account=child).values_list("pk", flat=True)
        )
