"""What has ended is kept for a time, and then deleted: by an index, and in batches."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from config.celery import app as celery
from config.jobs.models import claimable, without_message
from config.jobs.retention import delete_in_batches
from config.models import IdempotencyKey
from config.tasks import delete_expired_sessions
from customers.models import Change, Grant
from customers.services.change_partitions import FIRST, partitions
from customers.services.changes import BATCH, DELETE, INDEX, delete_old_changes
from customers.tasks import delete_expired_tokens
from ingest.cleanup import delete_old_content, delete_old_requests
from ingest.models import BulkContent, BulkFile, BulkItem, BulkPart, BulkRequest
from search.models import CustomerSearch
from search.services import delete_dead_files, delete_old_searches
from tests import bulk
from tests.bulk import customer
from tests.jobs import claim, outcome, submit
from tests.uploads import lines, send

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20_000


def age(model: Any, days: float) -> None:
    """Let everything have ended so many days ago."""
    model.objects.filter(finished_at__isnull=False).update(finished_at=Now() - timedelta(days=days))


# --- Bulk requests --------------------------------------------------------------------------------


def test_a_bulk_request_is_kept_for_its_time_and_then_as_if_it_never_was(owner, settings):
    public_id = bulk.send(owner, customer("c1"), customer("c2", country="?"))
    bulk.run(public_id)
    age(BulkRequest, settings.BULK_RETENTION_DAYS - 0.1)
    delete_old_content()
    assert delete_old_requests() == 0
    assert len(bulk.ledger(owner, public_id)["items"]) == 2
    age(BulkRequest, settings.BULK_RETENTION_DAYS)
    assert delete_old_requests() == 1
    never = owner.api.get(f"{bulk.REQUESTS}/{uuid4()}")
    gone = owner.api.get(f"{bulk.REQUESTS}/{public_id}")
    assert gone.status_code == never.status_code == 404
    assert gone.json()["title"] == never.json()["title"]
    assert not BulkItem.objects.exists()
    assert not BulkContent.objects.exists()


def test_the_id_of_a_deleted_request_may_be_used_for_another(owner, settings):
    name = {"X-CDLX-Request-Id": str(uuid4())}
    bulk.run(bulk.send(owner, customer("c1"), **name))
    other = {"customers": [customer("c2")]}
    assert owner.api.post(bulk.CUSTOMERS, other, headers=name).status_code == 422
    age(BulkRequest, settings.BULK_RETENTION_DAYS)
    delete_old_requests()
    assert bulk.outcomes(bulk.done(owner, bulk.send(owner, customer("c2"), **name))) == ["CREATED"]


def test_a_request_that_has_not_ended_is_kept_however_old_it_is(owner):
    waits, runs = bulk.send(owner, customer()), bulk.send(owner, customer())
    BulkRequest.claim(bulk.request_of(runs).pk, worker="tester")
    BulkRequest.objects.update(submitted_at=Now() - timedelta(days=1000))
    assert (delete_old_content(), delete_old_requests()) == (0, 0)
    assert {bulk.request_of(each).status for each in (waits, runs)} == {"SUBMITTED", "PICKED"}


def test_a_load_goes_with_its_files_and_with_what_killed_attempts_left(owner, storage, settings):
    public_id = send(owner, lines(customer("c1")))
    pk = bulk.request_of(public_id).pk
    left = storage / f"bulk/{pk}/{uuid4()}/results.ndjson"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"")
    bulk.run(public_id)
    assert BulkPart.objects.exists()
    age(BulkRequest, settings.BULK_RETENTION_DAYS)
    assert delete_old_requests() == 0, "its files would never be found again"
    delete_old_content()
    assert list((storage / "bulk").iterdir()) == []
    assert not BulkPart.objects.exists()
    assert delete_old_requests() == 1
    assert not BulkFile.objects.exists()


def test_files_that_cannot_be_deleted_keep_their_request_and_nobody_else_s(
    owner, storage, settings
):
    stuck, other = (send(owner, lines(customer())) for _ in range(2))
    bulk.run(stuck, other)
    age(BulkRequest, settings.BULK_RETENTION_DAYS)
    folder = storage / f"bulk/{bulk.request_of(stuck).pk}"
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()
    folder.write_bytes(b"a file where a folder should be")
    delete_old_content()
    assert delete_old_requests() == 1
    folder.unlink()
    delete_old_content()
    assert delete_old_requests() == 1


# --- Searches -------------------------------------------------------------------------------------


def test_a_search_is_kept_for_its_time_and_then_as_if_it_never_was(owner, settings):
    job = claim(submit(owner))
    job.start()
    job.finish(**outcome())
    url = f"/v1/search/customer-accounts/{job.pk}"
    age(CustomerSearch, settings.SEARCH_RETENTION_DAYS - 0.1)
    assert delete_old_searches() == 0
    assert owner.api.get(url).status_code == 200
    age(CustomerSearch, settings.SEARCH_RETENTION_DAYS)
    assert delete_old_searches() == 1
    assert owner.api.get(url).status_code == 404


def test_a_search_is_not_deleted_before_its_file(owner, storage, settings):
    job = claim(submit(owner))
    job.start()
    job.note(storage_name=f"searches/{job.pk}/a/file.csv")
    job.finish(**outcome())
    age(CustomerSearch, settings.SEARCH_RETENTION_DAYS)
    assert delete_old_searches() == 0
    CustomerSearch.objects.update(expires_at=Now())
    assert delete_dead_files() == 1
    assert delete_old_searches() == 1


# --- Everything else ------------------------------------------------------------------------------


def test_sessions_that_ran_out_are_deleted():
    for number, hours in enumerate([-1, 0, 1]):
        Session.objects.create(
            session_key=str(number), expire_date=timezone.now() + timedelta(hours=hours)
        )
    assert delete_expired_sessions() == 2
    assert Session.objects.get().session_key == "2"


def test_authorization_codes_that_ran_out_are_deleted(app, clerk):
    for hours in (-1, 1):
        Grant.objects.create(
            user=clerk,
            application=app,
            code=str(hours),
            expires=timezone.now() + timedelta(hours=hours),
            redirect_uri="https://app.example/",
        )
    delete_expired_tokens()
    assert Grant.objects.get().expires > timezone.now()


@pytest.fixture
def no_change_index() -> Iterator[None]:
    """The index that the first deletion makes does not stay for other tests."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")


def has_index() -> bool:
    """Whether it is there, and whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [INDEX]
        )
        return cursor.fetchone() == (True,)


def test_the_change_log_is_kept_for_ever_unless_a_time_is_set(owner, settings, no_change_index):
    bulk.load(owner, customer("c1"))
    count = Change.objects.count()
    Change.objects.update(at=F("at") - timedelta(days=4000))
    assert settings.CHANGE_RETENTION_DAYS == 0
    assert delete_old_changes() == 0
    assert not has_index(), "nobody pays for what is not used"
    bulk.load(owner, customer("c2"))
    settings.CHANGE_RETENTION_DAYS = 365
    assert delete_old_changes() == count
    assert has_index()
    assert set(Change.objects.values_list("customer_id", flat=True)) == {bulk.id_of(owner, "c2")}
    assert delete_old_changes() == 0


def test_an_index_that_was_left_half_made_is_made_again(owner, settings, no_change_index):
    bulk.load(owner, customer("c1"))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {INDEX} ON {FIRST} (at)")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", [INDEX]
        )
    settings.CHANGE_RETENTION_DAYS = 365
    cache.add(f"making:{INDEX}", 1, 60)
    delete_old_changes()
    assert not has_index(), "another worker makes it"
    cache.delete(f"making:{INDEX}")
    delete_old_changes()
    assert has_index()


@pytest.mark.parametrize(
    ("name", "days"), [("KITH_BULK_RETENTION_DAYS", "29"), ("KITH_CHANGE_RETENTION_DAYS", "29")]
)
def test_nothing_that_an_undo_needs_can_be_set_to_go_earlier(name, days):
    environment = os.environ | {name: days}
    command = [sys.executable, "-c", "import config.settings"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name} must be" in done.stderr


def test_every_clean_up_is_scheduled():
    scheduled = {entry["task"] for entry in celery.conf.beat_schedule.values()}
    celery.loader.import_default_modules()
    deleting = {name for name in celery.tasks if ".delete_" in name}
    assert len(deleting) == 10
    assert deleting <= scheduled


# --- By index, in batches -------------------------------------------------------------------------


def test_batches_leave_alone_what_another_transaction_holds(owner):
    jobs = [claim(submit(owner)) for _ in range(2)]
    for _ in range(3):
        jobs[-1].fail("NO", "No.")
        jobs.append(claim(submit(owner)))
    for job in (jobs[0], jobs[-1]):
        job.fail("NO", "No.")
    old = CustomerSearch.objects.order_by("finished_at")
    holder = connections.create_connection(DEFAULT_DB_ALIAS)
    holder.set_autocommit(False)
    try:
        with holder.cursor() as cursor:
            cursor.execute(
                "SELECT FROM search_customersearch WHERE id = %s FOR UPDATE", [jobs[0].pk]
            )
        assert delete_in_batches(old, batch=2) == 4
        holder.rollback()
    finally:
        holder.close()
    assert delete_in_batches(old, batch=2) == 1


@pytest.fixture
def many_rows(owner) -> None:
    """So many rows that have ended, and nearly all of them not long ago."""
    ended = "now() - (i % 80) * interval '1 day'"
    common = """
        business_account_id, actor_type, actor_id, client_id, request_id, status, picked_at,
        started_at, finished_at, lease_until, claim_id, attempts, worker, error_code, error_message,
        id"""
    values = f"""
        '{owner.account.pk}', 'internal', '', '', '', 'FINISHED', {ended}, {ended}, {ended},
        {ended}, gen_random_uuid(), 1, '', '', '', gen_random_uuid()"""
    with connection.cursor() as cursor:
        cursor.execute(f"""
            INSERT INTO ingest_bulkrequest ({common}, public_id, action, source_customer_id,
                source_account_id, fingerprint, items, created, updated, unchanged, failed,
                keeps_content, is_dry_run)
            SELECT {values}, gen_random_uuid(), 'CREATE_CUSTOMERS', '', '', '', 1, 1, 0, 0, 0,
                i % 50 = 0, false
            FROM generate_series(1, {MANY}) i""")
        cursor.execute(f"""
            INSERT INTO search_customersearch ({common}, criteria, result_format, columns,
                compression, external_ids, accounts, rows, bytes, sha256, storage_name, snapshot_at,
                expires_at)
            SELECT {values}, '{{}}', 'CSV', '{{}}', 'NONE', '{{}}', '{{}}', 1, 1, 'x',
                CASE WHEN i % 80 < 7 THEN 'x' ELSE '' END, now(), {ended} + interval '7 days'
            FROM generate_series(1, {MANY}) i""")
        cursor.execute(f"""
            INSERT INTO {IdempotencyKey._meta.db_table} (id, fingerprint, status, headers,
                body_sealed, created_at)
            SELECT gen_random_uuid(), '', 200, '{{}}', '', now() - i * interval '4 seconds'
            FROM generate_series(1, {MANY}) i""")
        cursor.execute(f"""
            INSERT INTO django_session (session_key, session_data, expire_date)
            SELECT i::text, '', now() + i * interval '1 second'
            FROM generate_series(1, {MANY}) i""")
        cursor.execute(f"""
            INSERT INTO customers_change (customer_id, at, actor_type, actor_id, via, request_id,
                reason, entity, entity_id, operation)
            SELECT gen_random_uuid(), now() - (i % 80) * interval '1 day', 'internal', '', 'v1', '',
                '', 'customer', gen_random_uuid(), 'created'
            FROM generate_series(1, {MANY}) i""")
        cursor.execute("ANALYZE")


def nodes_of(plan: dict[str, Any]) -> Iterator[str]:
    """What is read how."""
    yield f"{plan['Node Type']} {plan.get('Relation Name', '')} {plan.get('Index Name', '')}"
    for part in plan.get("Plans", []):
        yield from nodes_of(part)


def plan_of(queryset: QuerySet[Any]) -> list[str]:
    ((found,),) = [json.loads(queryset.explain(format="json"))]
    return list(nodes_of(found["Plan"]))


def plan_of_changes() -> dict[str, Any]:
    with connection.cursor() as cursor:
        values = {"days": 365, "batch": BATCH, "end": partitions()[0].ends}
        cursor.execute(f"EXPLAIN (FORMAT JSON) {DELETE}", values)
        ((found,),) = cursor.fetchall()
    return found[0]["Plan"]


def test_no_clean_up_reads_a_whole_table(many_rows, settings, no_change_index):
    settings.CHANGE_RETENTION_DAYS = 365
    delete_old_changes()
    expired = IdempotencyKey.objects.filter(created_at__lte=Now() - timedelta(hours=24))
    plans = {
        "old content": plan_of(BulkRequest.objects.with_old_content()[:100]),
        "old requests": plan_of(BulkRequest.objects.past_retention()[:100]),
        "old searches": plan_of(CustomerSearch.objects.past_retention()[:100]),
        "dead files": plan_of(CustomerSearch.objects.with_dead_files()[:100]),
        "idempotency keys": plan_of(expired[:100]),
        "sessions": plan_of(
            Session.objects.filter(expire_date__lte=Now()).order_by("expire_date")[:100]
        ),
        "lost bulk requests": plan_of(BulkRequest.objects.filter(claimable(), without_message())),
        "lost searches": plan_of(CustomerSearch.objects.filter(claimable(), without_message())),
        "changes": list(nodes_of(plan_of_changes())),
    }
    for name, nodes in plans.items():
        assert not [node for node in nodes if node.startswith("Seq Scan")], (name, nodes)
    assert any(INDEX in node for node in plans["changes"])
