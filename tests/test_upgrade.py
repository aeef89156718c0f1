"""From a dump of 0.1.0 to today: every row, the same schema, nobody kept waiting, at any time."""

import os
import signal
import subprocess
import sys
from importlib import import_module
from io import StringIO
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from config.backup.database import dumped, restore
from config.backup.services import one_moment
from config.db import online
from config.db.crypto import unseal
from config.db.online.rows import next_batch
from config.launcher.guard import CHECKOUT
from customers import normalize
from customers.models import Change, Customer
from customers.profile import Profile
from tests import factories
from tests.factories import Client
from tests.upgrades import data, release
from tests.upgrades.catalog import catalog
from tests.upgrades.watch import Watch, watching
from tests.workers import until

pytestmark = pytest.mark.django_db(transaction=True)
CUSTOMERS = 600
TREE = {"includeChildren": "true"}
PRIMARY = """
    SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
    WHERE indrelid = %s::regclass AND indisprimary"""
# The change log has partitions now.
TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace"""
# What `migrate` of the libraries and the roles of the product bring up to date.
THEIRS = {"django_migrations", "django_content_type", "auth_permission", "auth_group_permissions"}
Rows = dict[tuple[Any, ...], dict[str, Any]]


class Upgrade(NamedTuple):
    """An upgrade that was done: the rows before, the database now, and what was seen meanwhile."""

    before: dict[str, Rows]
    url: str
    watch: Watch
    said: str
    left_invalid: list[str]
    new_schema: set[tuple[str, ...]]


def rows_of(url: str) -> dict[str, Rows]:
    """The rows of every table, by primary key."""
    found = {}
    with release.session(url) as asked:
        for (table,) in asked.execute(TABLES).fetchall():
            names = [name for (name,) in asked.execute(PRIMARY, [table]).fetchall()]
            # Changes have a longer key now.
            names = ["customer_id", "id"] if table == "customers_change" else names
            rows = [row for (row,) in asked.execute(f"SELECT to_jsonb(t) FROM {table} t")]
            found[table] = {tuple(row[name] for name in names): row for row in rows}
    return found


def kill_in_the_middle(url: str) -> list[str]:
    """Begin to migrate, and end it at once while it builds an index; gives what is invalid then."""
    with release.session(url) as reader, release.session(url) as observer:
        # A build ends only when nobody reads what was there before it began.
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM customers_customer")
        process = subprocess.Popen(
            [sys.executable, "manage.py", "migrate", "--no-input", "--skip-checks"],
            cwd=CHECKOUT,
            env=os.environ | {"DATABASE_URL": url},
            stdout=subprocess.DEVNULL,
        )

        def builder() -> list[Any]:
            return observer.execute(
                "SELECT pid FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for old%'"
            ).fetchall()

        until(lambda: builder() or process.poll() is not None, 120)
        [(session,)] = builder()
        process.send_signal(signal.SIGKILL)
        process.wait()
        # The server would go on, and notice only at the end that nobody listens.
        observer.execute("SELECT pg_terminate_backend(%s, 10000)", [session])
        return [
            name
            for (name,) in observer.execute(
                "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
            ).fetchall()
        ]


class InTheWay(StringIO):
    """Where `migrate` talks to; somebody uses a table that is about to be altered, for a while."""

    def __init__(self, url):
        super().__init__()
        self.session = release.session(url)

    def write(self, text):
        """Take it down."""
        if "Applying customers.0013_sort_keys" in text and "in use" not in self.getvalue():
            self.session.execute("BEGIN; SELECT id FROM customers_customer LIMIT 1")
        elif "A table is in use" in text:
            self.session.close()
        return super().write(text)


# One test of it all: what it looks at takes much longer to make than to look at.
@pytest.mark.long
def test_a_registry_of_the_first_release_becomes_one_of_today():
    name = connection.settings_dict["NAME"]
    with release.entered(name) as url:
        new_schema = catalog(url)
    with release.database(f"{name}_first") as url:
        release.make_schema()
        data.fill(CUSTOMERS)
        before = rows_of(url)
        with one_moment() as moment:
            dump = list(dumped(moment))
    with release.database(f"{name}_upgraded") as url:
        restore(dump)
        left_invalid = kill_in_the_middle(url)
        said = InTheWay(url)
        with watching() as watch:
            call_command("migrate", interactive=False, stdout=said)
        found = Upgrade(before, url, watch, said.getvalue(), left_invalid, new_schema)
        for check in (
            the_dump_has_rows_of_every_table,
            it_went_on_where_it_was_killed,
            a_table_in_use_was_waited_for,
            nobody_waits_while_a_large_table_is_read_or_written,
            the_schema_is_that_of_a_new_database,
            every_row_is_there_with_the_same_values,
            what_is_derived_is_as_a_write_of_today_makes_it,
            the_api_tells_the_same,
            jobs_and_roles_of_the_first_release_are_there,
        ):
            check(found)


def test_every_migration_since_the_first_release_is_done_step_by_step():
    """Django's own would hold its locks for as long as it takes, also while it makes models."""
    loader = MigrationLoader(connection)
    first = {key for name in release.SCHEMA.items() for key in loader.graph.forwards_plan(name)}
    later = {key: each for key, each in loader.disk_migrations.items() if key[0] in release.SCHEMA}
    assert len(later) > len(first)
    others = [
        key
        for key, migration in later.items()
        if key not in first and not isinstance(migration, online.Migration)
    ]
    assert others == []


def test_a_migration_that_failed_goes_on_where_it_was():
    calls = []

    def fail_once(_apps, _editor):
        calls.append("fail")
        if len(calls) == 1:
            raise RuntimeError("cut")

    class Interrupted(online.Migration):
        operations = [
            # A second time it would fail.
            RunSQL("CREATE TABLE made_once AS SELECT 1 AS one"),
            RunSQL(["INSERT INTO made_once VALUES (2)", "INSERT INTO made_once VALUES (3)"]),
            RunPython(fail_once),
            RunSQL("DROP TABLE made_once"),
        ]

    def apply():
        with connection.schema_editor(atomic=False) as editor:
            Interrupted("9999_interrupted", "customers").apply(ProjectState(), editor)

    with pytest.raises(RuntimeError, match="cut"):
        apply()
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(one ORDER BY one) FROM made_once")
        assert cursor.fetchone() == ([1, 2, 3],)
    apply()
    assert calls == ["fail", "fail"]
    online.forget_steps(connection)
    assert not {"made_once", online.STEPS} & set(connection.introspection.table_names())


def test_customers_of_a_registry_that_left_0_1_0_before_are_found_by_digits_within_words(owner):
    """Such as one that was upgraded while the last migrations were not written yet."""
    key = factories.make_customer(owner.account, external_id="CRM-555-0199").pk
    Customer.objects.filter(pk=key).update(search_text="crm-555-0199 ada")
    before = Change.objects.count()
    migration = import_module("customers.migrations.0033_digits_within_words")
    with connection.schema_editor(atomic=False) as editor:
        migration.renew_texts(None, editor)
    found = owner.api.get("/v1/customers", {"search": "5550199"}).json()["content"]
    assert [each["id"] for each in found] == [str(key)]
    assert Change.objects.count() == before


@pytest.mark.parametrize(
    ("batch", "seconds", "following"),
    [(500, 0.1, 500), (500, 0.001, 1000), (500, 0.2, 250), (60, 5, 50), (20_000, 0.01, 20_000)],
)
def test_a_batch_takes_a_tenth_of_a_second(batch, seconds, following):
    assert next_batch(batch, seconds) == following


# --- What is there afterwards ---------------------------------------------------------------------


def the_dump_has_rows_of_every_table(upgrade):
    empty = [table for table, rows in upgrade.before.items() if not rows]
    assert empty == ["oauth2_provider_devicegrant"]  # of a library, for what the product has not
    assert sum(map(len, upgrade.before.values())) > 10_000


def every_row_is_there_with_the_same_values(upgrade):
    after = rows_of(upgrade.url)
    for table, rows in upgrade.before.items():
        missing = rows.keys() - after[table].keys()
        assert not missing or table in THEIRS, (table, len(missing))
        if table in THEIRS:
            continue
        for key, row in rows.items():
            now = {name: after[table].get(key, {}).get(name) for name in row}
            assert now == expected(table, row, after[table][key]), table


def expected(table: str, row: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The columns of 0.1.0 as they have to be now."""
    if table == "customers_customer":
        sealed = after["pin_sealed"]
        pin = unseal(bytes.fromhex(sealed[2:]), f"{table}.pin_sealed:{row['id']}") if sealed else ""
        assert pin == row["pin"]
        # What it is found by is looked at by itself.
        return row | {"pin": None, "search_text": after["search_text"]}
    if table == "customers_contactpoint" and row["kind"] == "EMAIL":
        return row | {"value_key": normalize.email_key(row["value"])}
    if table == "customers_change" and row["entity"] == "customer":
        return row | {side: masked(row[side]) for side in ("before", "after")}
    return row


def masked(side: dict[str, Any] | None) -> dict[str, Any] | None:
    """One side of a logged change without the pin in clear."""
    if side is None or "pin" not in side:
        return side
    return {name: value for name, value in side.items() if name != "pin"} | {"pin_sealed": "***"}


def the_schema_is_that_of_a_new_database(upgrade):
    upgraded = catalog(upgrade.url)
    assert len(upgraded) > 1000
    assert sorted(map(str, upgraded - upgrade.new_schema)) == []
    assert sorted(map(str, upgrade.new_schema - upgraded)) == []


def what_is_derived_is_as_a_write_of_today_makes_it(upgrade):
    customers = Customer.objects.order_by("id")[:100]
    for customer in customers:
        profile = Profile.load(customer)
        words = set(profile.customer.search_text.split())
        profile.derive()
        assert set(profile.customer.search_text.split()) == words
        changes = profile.changes
        assert (changes.customer - {"search_text"}, changes.rows, changes.new) == (set(), [], [])


def the_api_tells_the_same(upgrade):
    speaker = Client(data.TOKEN)
    [row] = [
        row
        for row in upgrade.before["customers_customer"].values()
        if row["external_id"] == data.NUMBERED
    ]
    [email] = [
        row
        for row in upgrade.before["customers_contactpoint"].values()
        if row["value"] == "p7@Bücher.example"
    ]
    told = speaker.get(f"/v1/customers/{row['id']}").json()
    assert told["externalId"] == data.NUMBERED
    assert (told["firstName"], told["lastName"]) == ("Zoë", "Ångström")
    assert told["primaryPhoneNumber"]["number"] == "+14150000001"
    assert told["addresses"][0]["streetLine1"] == "1 Main St"
    assert told["relationship"]["pin"] == row["pin"] != ""
    assert told["relationship"]["level"] == "Silver"
    values = told["customAttributes"]
    assert values["segment"] == "private"
    assert values["tax id"].startswith("tax ")

    def found(**query):
        cursor, keys = {}, []
        while cursor is not None:
            answer = speaker.get("/v1/customers", query | {"size": "200", **TREE} | cursor)
            assert answer.status_code == 200, answer.content
            page = answer.json()
            keys += [each["id"] for each in page["content"]]
            cursor = {"cursor": page["nextCursor"]} if page.get("nextCursor") else None
        return keys

    present = {
        each["id"]
        for each in upgrade.before["customers_customer"].values()
        if each["status"] != "DELETED" and each["business_account_id"] != str(data.OUTSIDE)
    }
    for query in ({}, {"sort": "lastName,asc"}, {"sort": "businessName,desc"}):
        assert sorted(found(**query)) == sorted(present), query
    assert row["id"] in found(search="zoe angstrom")
    assert found(externalId=data.NUMBERED) == [row["id"]]
    # Without its dash it was not found by 0.1.0.
    assert found(search="5550199") == [row["id"]]
    for query in ({"primaryEmail": "p7@xn--bcher-kva.example"}, {"search": "p7@bücher.example"}):
        assert found(**query) == [email["customer_id"]], query

    history = speaker.get(f"/v1/customers/{row['id']}/history").json()["content"]
    kinds = [(each["entity"], each["operation"]) for each in history]
    logged = [
        each
        for each in upgrade.before["customers_change"].values()
        if each["customer_id"] == row["id"]
    ]
    assert len(kinds) == len(logged) > 5
    assert ("customer", "updated") in kinds

    looked = speaker.get("/core/customermgr/v3/customer", {"phone": "14150000001"})
    assert looked.status_code == 200, looked.content
    assert row["id"] in looked.content.decode()


def jobs_and_roles_of_the_first_release_are_there(upgrade):
    speaker = Client(data.TOKEN)
    request = next(iter(upgrade.before["ingest_bulkrequest"].values()))
    told = speaker.get(f"/v2/data/requests/{request['public_id']}")
    assert told.status_code == 200, told.content
    assert Group.objects.get(name="Owner").permissions.count() > 10


# --- How it got there -----------------------------------------------------------------------------


def nobody_waits_while_a_large_table_is_read_or_written(upgrade):
    assert upgrade.watch.wrong == []
    assert upgrade.watch.seen > 300


def it_went_on_where_it_was_killed(upgrade):
    assert upgrade.left_invalid == ["customersearch_running"]


def a_table_in_use_was_waited_for(upgrade):
    assert "A table is in use; transactions are open: session " in upgrade.said
