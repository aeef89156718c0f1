"""Row-level security: what the database shows web and worker when the product forgets a filter."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client

from config import installation
from config.db import row_security
from config.db.policies import UnknownOwner, confined, confinement, every_model, open_rows
from config.db.scope import Reason, confined_to, looking, unconfined
from customers.bulk import Writes, blank
from customers.isolation.family import Family
from customers.isolation.family import family as made_family
from customers.models import Activity, Card, Contact, Customer
from customers.querysets import CustomerQuerySet
from tests import bulk, factories, row_roles

# Each test within a savepoint of the family's transaction.
pytestmark = pytest.mark.django_db

# What the check for isolation makes no rows of.
UNUSED = {
    "customers_enrollment",
    "customers_account",
    "customers_card",
    "customers_attributevalue",
    "ingest_columnmapping",
    "ingest_bulkfile",
    "ingest_bulkfailedlines",
    "ingest_bulkpart",
}


@pytest.fixture(scope="module")
def family(django_db_setup, django_db_blocker) -> Iterator[Family]:
    """A parent, its child and an outsider, each with one thing of every kind.

    They were made by the role of web and worker, in a transaction that goes on.
    """
    with (
        django_db_blocker.unblock(),
        row_roles.confined_product(),
        unconfined(Reason.COMMAND),
        made_family() as made,
    ):
        yield made


def rows(sql: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[object, ...]] = cursor.fetchall() if cursor.description else []
    return found


def count(table: str) -> int:
    ((number,),) = rows(f"SELECT count(*) FROM {table}")
    assert isinstance(number, int)
    return number


# --- Every table ----------------------------------------------------------------------------------


def test_every_table_is_confined_or_shown_to_everybody_for_a_reason():
    said = {label for app in apps.get_app_configs() for label in getattr(app, "open_rows", {})}
    assert said == {model._meta.label for model in open_rows()}
    assert all(reason.strip() for reason in open_rows().values())
    assert {*confined(), *open_rows()} == set(every_model())
    for label in ("Customer", "Contact", "Address", "Activity", "Change", "Reveal", "Card"):
        assert apps.get_model(f"customers.{label}") in confined()


def test_a_table_of_which_nobody_has_said_anything_is_an_error():
    with pytest.raises(UnknownOwner, match=r"auth\.Permission"):
        confinement(apps.get_model("auth.Permission"))


def test_the_command_puts_it_in_place_and_takes_it_out_again():
    row_roles.make_role()
    before = traces()
    with pytest.raises(CommandError, match="there is no role 'nobody'"):
        call_command("row_security", apply="nobody")
    with pytest.raises(CommandError, match=r"above policies(.|\n)*tables lack their policies"):
        call_command("row_security", check=True)
    said = StringIO()
    call_command("row_security", apply=row_roles.ROLE, stdout=said)
    assert {"customers_customer", "kith_record_customer()"} <= set(said.getvalue().split())
    again = StringIO()
    call_command("row_security", apply=row_roles.ROLE, stdout=again)
    assert again.getvalue() == ""
    assert traces() != before
    with as_role():
        assert row_security.problems() == []
    row_security.drop_views()
    with pytest.raises(CommandError, match="tables lack their policies"):
        call_command("row_security", check=True)
    call_command("row_security", remove=row_roles.ROLE, stdout=StringIO())
    assert traces() == before


@contextmanager
def as_role() -> Iterator[None]:
    """While it is entered, the session is one of web and worker."""
    rows(f"SET LOCAL ROLE {row_roles.ROLE}")
    yield
    rows("RESET ROLE")


def test_rights_that_web_and_worker_lack_are_named(settings):
    """Those of a role go with no backup, and a new table has none."""
    settings.ROW_SECURITY = True
    row_roles.make_role()
    with as_role():
        (told,) = installation.problems()
    assert re.search(r"may not use auth_group: run `manage\.py row_security --apply`", told)
    list(row_security.apply(row_roles.ROLE))
    with as_role():
        assert installation.problems() == []
    for right in ("SELECT ON kith_rows.customers_card", "INSERT ON search_customersearch"):
        rows(f"REVOKE {right} FROM {row_roles.ROLE}")
        with as_role():
            (told,) = installation.problems()
        assert f"may not use {re.split('[ .]', right)[-1]}:" in told
        rows(f"GRANT {right} TO {row_roles.ROLE}")


@pytest.mark.parametrize("name", ["SEARCH_DATABASE", "READ_DATABASE"])
def test_a_replica_is_not_read_as_somebody_else(monkeypatch, settings, name):
    """Such as the owner, whom nothing confines."""
    row_roles.make_role()
    list(row_security.apply(row_roles.ROLE))
    owner = connection.settings_dict["USER"]
    with database_of(monkeypatch, settings, name, owner), as_role():
        assert row_security.problems() == []
    with database_of(monkeypatch, settings, name, "another"), as_role():
        (told,) = row_security.problems()
    assert f"{name}_URL has another user than DATABASE_URL" in told


@contextmanager
def database_of(monkeypatch, settings, name: str, user: str) -> Iterator[None]:
    with monkeypatch.context() as patch:
        databases = dict(connections.settings)
        patch.setattr(connections, "settings", databases | {"s": {**databases["default"]}})
        connections["s"].settings_dict["USER"] = user
        setattr(settings, name, "s")
        yield
        del connections["s"]


def test_the_proof_of_isolation_is_none_for_whom_nothing_confines(settings):
    settings.ROW_SECURITY = True
    with pytest.raises(CommandError, match="above policies"):
        call_command("check_isolation", only="v1/business-accounts/self")


def traces() -> list[tuple[object, ...]]:
    """What row-level security changes in a database."""
    return rows(
        """
        SELECT relname::text, relrowsecurity, coalesce(relacl::text LIKE %s, false)::text
        FROM pg_class
        WHERE relname IN ('customers_customer', 'customers_change', 'customers_user')
        UNION ALL SELECT proname, prosecdef, proconfig::text FROM pg_proc
        WHERE proname LIKE 'kith%%'
        UNION ALL SELECT nspname, true, '' FROM pg_namespace WHERE nspname = 'kith_rows'
        UNION ALL SELECT polname, true, '' FROM pg_policy ORDER BY 1, 2, 3""",
        f"%{row_roles.ROLE}%",
    )


def test_each_account_sees_its_own_rows_of_every_table_and_no_others(family):
    accounts = {each.account.pk for each in family.holdings.values()}
    empty = set()
    for each in confined().values():
        seen = {}
        for own in accounts:
            with confined_to([own]):
                seen[own] = count(each.table)
                with looking():
                    assert count(each.table) == seen[own], each.table
        assert sum(seen.values()) == count(each.table), each.table
        if not all(seen.values()):
            empty.add(each.table)
        with confined_to([]):
            assert count(each.table) == 0, each.table
    assert empty == UNUSED


# --- The filter forgotten -------------------------------------------------------------------------


@pytest.fixture
def outsider(family) -> Iterator[None]:
    """Work of the outsider's."""
    with confined_to([family.accounts["outsider"].pk]):
        yield


def test_raw_sql_the_orm_and_copy_show_nothing_of_others(family, outsider):
    own = family.accounts["outsider"].pk
    assert {row.business_account_id for row in Customer.objects.all()} == {own}
    assert {row.customer.business_account_id for row in Contact.objects.all()} == {own}
    assert rows("SELECT DISTINCT business_account_id FROM customers_customer") == [(own,)]
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY (SELECT business_account_id FROM customers_customer) TO STDOUT") as copy,
    ):
        assert {line.decode().strip() for line in map(bytes, copy)} == {str(own)}


def test_a_list_whose_filter_was_forgotten_shows_nothing_of_others(family, monkeypatch):
    everybody = family.holdings["parent"]
    monkeypatch.setattr(CustomerQuerySet, "visible_to", lambda self, *_args, **_more: self)
    client = Client(headers={"Authorization": f"Bearer {family.holdings['outsider'].token}"})
    for query in ({}, {"name": "zq"}, {"sort": "lastName"}):
        said = client.get("/v1/customers", query).content.decode()
        assert everybody.mark not in said
    assert family.holdings["outsider"].mark in client.get("/v1/customers").content.decode()


def test_rows_of_others_are_neither_changed_nor_made(family, outsider):
    stranger = family.accounts["parent"].pk
    assert Customer.objects.filter(business_account=stranger).update(status="DELETED") == 0
    ((other,),) = stranger_ids(stranger)
    department = f"""
        INSERT INTO customers_department (id, business_account_id, name)
        VALUES ('{uuid4()}', '{stranger}', 'x')"""
    activity = f"""
        INSERT INTO customers_activity
            (id, customer_id, type, mode, is_read, is_secure, sent_date, subject, created_at)
        VALUES ('{uuid4()}', '{other}', 'email', 'inbound', true, true, now(), '', now())"""
    for sql in (department, activity):
        with (
            pytest.raises(DatabaseError, match="row-level security"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


def stranger_ids(account: object) -> list[tuple[object, ...]]:
    with unconfined(Reason.COMMAND):
        return rows(
            "SELECT id FROM customers_customer WHERE business_account_id = %s LIMIT 1", account
        )


def test_nobody_but_the_triggers_writes_the_change_log(family, outsider):
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("INSERT INTO customers_change DEFAULT VALUES")


def test_a_scope_that_was_told_within_a_savepoint_is_told_again_after_it(family):
    own = [family.accounts["outsider"].pk]
    with unconfined(Reason.COMMAND):
        everything = count("customers_customer")
    with confined_to(own):
        few = count("customers_customer")
        with transaction.atomic(), unconfined(Reason.COMMAND):
            assert count("customers_customer") == everything
            transaction.set_rollback(True)
        assert count("customers_customer") == few


# --- Loads ----------------------------------------------------------------------------------------


TEXTS = ["a\\b", "\\N", "\\\\N", "tab\there", "line\nend\r", "\\011", "Zoë\\", "", "{NULL}"]


def test_rows_keep_their_texts_as_they_are(family, owner):
    """Also those in which COPY would see an escape, an end of a line, or nothing."""
    customer = factories.make_customer(owner.account)
    made = []
    for text in TEXTS:
        row = blank(Activity)
        vars(row).update(customer_id=customer.pk, type="email", mode="inbound", subject=text)
        vars(row).update(sent_date=customer.created_at, created_at=customer.created_at)
        made.append(row)
    insert(made)
    assert [Activity.objects.get(id=row.id).subject for row in made] == TEXTS
    vars(made[0]).update(id=uuid4(), subject="x" * 256)
    with pytest.raises(DatabaseError, match="too long"), transaction.atomic():
        insert(made[:1])


def test_cards_of_a_holder_that_never_arrived_go_with_its_account(family, owner):
    cards = [bulk.card("c1", "shared"), bulk.card("never", "shared")]
    shared = bulk.account("c1", "shared", sourceCustomerIds=["c1", "never"], cards=cards)
    assert bulk.outcomes(bulk.load(owner, bulk.customer("c1", accounts=[shared]))) == ["CREATED"]
    of_never = Card.objects.filter(customer=bulk.id_of(owner, "never"))
    assert of_never.exists()
    alone = bulk.account("c1", "shared", sourceCustomerIds=["c1"])
    bulk.done(owner, bulk.put(owner, bulk.customer("c1", accounts=[alone])))
    assert not of_never.exists()


# --- Indexes --------------------------------------------------------------------------------------


def test_names_are_looked_for_by_their_index(family, outsider):
    plan = """EXPLAIN SELECT id FROM customers_customer WHERE search_text LIKE '%%smith%%'"""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "customer_search_trigrams" not in str(rows(plan))
    with looking():
        assert "customer_search_trigrams" in str(rows(plan))


def insert(made: list[Activity]) -> None:
    writes = Writes()
    writes.insert(Activity, made)
    writes.finish()
