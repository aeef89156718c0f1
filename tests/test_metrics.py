"""Figures for monitoring: of all processes of a machine, and only for who has the token."""

import re
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.db import connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config import metrics
from customers.criteria import Criteria
from ingest.models import BulkRequest
from search.models import CustomerSearch
from search.services import submit_search
from tests import bulk, factories
from tests.served import wait_until, web
from tests.workers import worker

INDIVIDUALS = Criteria(customer_account_type="INDIVIDUAL")
TOKEN = "a-token-for-watching-this"


def figures(text):
    """Values by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found, name, **labels):
    return found.get((name, tuple(sorted(labels.items()))), 0)


@pytest.fixture
def watcher(settings, tmp_path, db, client):
    """Gets the page, in this process."""
    settings.METRICS_TOKEN = TOKEN
    settings.DATA_DIR = tmp_path
    return lambda token=TOKEN: client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


# --- Who may see them -----------------------------------------------------------------------------


def test_without_the_setting_there_is_no_such_page_and_nothing_is_counted(client, db, settings):
    assert settings.METRICS_TOKEN == ""
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    metrics.start()
    assert metrics._counters is None


def test_only_the_token_opens_the_page(watcher, client):
    assert watcher().status_code == 200
    assert watcher()["Cache-Control"].startswith("max-age=0")
    for answer in (watcher("another"), watcher(""), client.get("/metrics")):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert "kith_" not in answer.content.decode()


def test_who_tries_out_tokens_has_to_wait(watcher, settings):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 3
    assert [watcher("wrong").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert watcher().status_code == 429


# --- What the database tells ----------------------------------------------------------------------


def test_jobs_that_wait_are_counted_with_the_age_of_the_oldest(watcher, owner):
    for minutes in (5, 1):
        search = submit_search(actor=owner.actor, criteria=INDIVIDUALS)
        CustomerSearch.objects.filter(pk=search.pk).update(
            submitted_at=timezone.now() - timedelta(minutes=minutes)
        )
    found = figures(watcher().content.decode())
    labels = {"kind": "customersearch", "status": "SUBMITTED"}
    assert value(found, "kith_jobs", **labels) == 2
    assert 300 <= value(found, "kith_oldest_job_seconds", **labels) < 400
    assert ("kith_jobs", (("kind", "bulkrequest"), ("status", "STARTED"))) in found
    assert value(found, "kith_database_up") == 1
    assert value(found, "kith_database_sessions", state="active") >= 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_told(watcher, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    found = figures(watcher().content.decode())
    connection.close()
    assert value(found, "kith_database_up") == 0


# --- What processes count -------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_all_processes_of_a_machine_are_added_up(own_queue, empty_queue, tmp_path, owner, account):
    given = {"KITH_METRICS_TOKEN": TOKEN}
    customer = factories.make_customer(account)
    with (
        web(own_queue, tmp_path, **given) as one,
        web(own_queue, tmp_path, **given) as other,
        worker(own_queue, tmp_path, processes=2, **given),
    ):
        for address in (one, other, other):
            assert get(f"{address.url}/v1/customers/{customer.pk}", owner.token)
        for token in ("wrong", "also-wrong"):
            with pytest.raises(HTTPError):
                get(f"{one.url}/v1/customers", token)
        load = bulk.send(owner, bulk.customer(), bulk.customer())
        wait_until(lambda: ended(BulkRequest, public_id=load), 90)
        search = submit_search(actor=owner.actor, criteria=INDIVIDUALS)
        wait_until(lambda: ended(CustomerSearch, pk=search.pk), 90)
        found = figures(get(f"{one.url}/metrics", TOKEN))

    route = {"method": "GET", "route": "v1/customers/<id:customer_id>", "status": "200"}
    assert value(found, "kith_request_seconds_count", **route) == 3
    assert 0 < value(found, "kith_request_seconds_sum", **route) < 30
    assert value(found, "kith_request_seconds_bucket", le="+Inf", **route) == 3
    assert value(found, "kith_failed_authentications_total", kind="token") == 2
    assert value(found, "kith_rows_total", kind="customersearch") == 3
    assert value(found, "kith_rows_total", kind="bulkrequest") == 2
    for kind in ("customersearch", "bulkrequest"):
        assert value(found, "kith_jobs_ended_total", kind=kind, status="FINISHED") == 1
    assert not re.search(str(customer.pk), str(found))


def ended(kind, **named):
    return kind.objects.filter(status="FINISHED", **named).exists()


def get(url, token):
    with urlopen(Request(url, headers={"Authorization": f"Bearer {token}"}), timeout=30) as answer:
        return answer.read().decode()
