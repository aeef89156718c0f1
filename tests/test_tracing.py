"""Traces: a request, its statements and its jobs are one, and no span has a value of anybody's."""

import json
import re
import signal
import socket
import subprocess
import sys
from uuid import uuid4

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.test import Client as Browser
from opentelemetry.trace import StatusCode

from config import tracing
from config.api.routes import routes
from config.context import request_id
from config.logging import JSONFormatter
from config.tracing import spans as made
from ingest import runner as bulk_runner
from ingest.models import BulkRequest
from search import runner
from search.models import CustomerSearch
from tests import bulk, factories
from tests.inventory import make_inventory
from tests.served import wait_until, web
from tests.tracing import collector
from tests.workers import ROOT, environment, unaided, until, worker

pytestmark = pytest.mark.django_db(transaction=True)
SEARCHES = "/v1/search/customer-accounts"
EVERYBODY = {"customerAccountType": "INDIVIDUAL"}
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# All that a span may say, as patterns of the values.
SAID = {
    "http.request.method": "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|other",
    "http.route": None,  # one of the URL table
    "http.response.status_code": r"\d{3}",
    "db.system.name": "postgresql",
    "db.operation.name": "[A-Z]+",
    "db.query.summary": "[A-Z]+( [a-z0-9_]+)?",
    "error.type": r"\w+",
    "kith.job.kind": "[a-z]+",
    "kith.job.id": UUID,
    "kith.job.attempt": "[123]",
    "kith.job.status": "FINISHED|FAILED",
    "kith.statements.dropped": r"\d+",
}
RESOURCE = {"service.name", "service.version", "service.instance.id"}
RESOURCE |= {f"telemetry.sdk.{name}" for name in ("language", "name", "version")}
NEEDLE = "Xylophonist"
ADDRESS = "192.0.2.77"
# Of a page of whose methods nothing is known.
PAGE = ("GET", "POST")


def parents(found) -> dict[str, str]:
    """The name of each span's parent, by its own name."""
    names = {span.context.span_id: span.name for span in found}
    return {span.name: names.get(span.parent.span_id) for span in found if span.parent}


def check(found) -> None:
    """Every attribute is one that may be said, and looks like it."""
    patterns = {route.pattern for route in routes()}
    for span in found:
        for name, value in span.attributes.items():
            if name == "http.route":
                assert value in patterns, value
            else:
                assert re.fullmatch(SAID[name], str(value)), (name, value)
        assert not span.events
        assert not span.status.description
        assert set(span.resource.attributes) == RESOURCE
        method, _, rest = span.name.partition(" ")
        known = {span.attributes.get("db.query.summary"), f"job {rest}", method}
        assert span.name in known or rest in patterns, span.name


# --- One trace ------------------------------------------------------------------------------------


def test_a_request_its_statements_and_its_job_are_one_trace(owner, storage, spans):
    factories.make_customer(owner.account)
    spans.taken()
    search_id = owner.api.post(SEARCHES, EVERYBODY).json()["queryId"]
    runner.run(CustomerSearch.objects.get(pk=search_id).pk)
    found = spans.taken()
    check(found)
    assert len({span.context.trace_id for span in found}) == 1
    above = parents(found)
    post = f"POST {SEARCHES[1:]}"
    assert above["INSERT search_customersearch"] == post
    assert above["job customersearch"] == post
    assert above["COPY"] == "job customersearch"
    job = next(span for span in found if span.name == "job customersearch")
    assert job.attributes["kith.job.status"] == "FINISHED"
    assert job.attributes["kith.job.id"] == search_id


def test_requests_that_are_done_together_have_their_job_each(owner, spans):
    sent = [bulk.send(owner, bulk.customer()) for _ in range(3)]
    spans.taken()
    bulk_runner.run(bulk.request_of(sent[0]).pk)
    found = [span for span in spans.taken() if span.name == "job bulkrequest"]
    check(found)
    traces = {f"{span.context.trace_id:032x}" for span in found}
    rows = BulkRequest.objects.values_list("trace_parent", flat=True)
    assert traces == {parent.split("-")[1] for parent in rows}
    assert len(traces) == 3
    (whole,) = [span for span in found if "kith.job.status" in span.attributes]
    others = [span for span in found if span is not whole]
    assert [span.links[0].context.span_id for span in others] == [whole.context.span_id] * 2


def test_a_log_line_names_the_trace(owner, spans, caplog):
    caplog.set_level("INFO", "kith.access")
    caplog.handler.setFormatter(JSONFormatter())
    owner.api.get("/v1/customers")
    line = json.loads(caplog.text.splitlines()[-1])
    assert line["trace"] == f"{spans.taken()[-1].context.trace_id:032x}"


def test_only_a_proxy_says_what_trace_a_request_belongs_to(owner, spans, settings):
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01", "tracestate": f"a={NEEDLE}"}
    owner.api.get("/v1/customers", headers=headers)
    first = spans.taken()
    settings.TRUST_PROXY = True
    owner.api.get("/v1/customers", headers=headers)
    second = spans.taken()
    assert {f"{span.context.trace_id:032x}" for span in second} == {trace_id}
    assert trace_id not in {f"{span.context.trace_id:032x}" for span in first}
    assert not any(span.context.trace_state for span in second)


# --- What is not told -----------------------------------------------------------------------------


class Anything(dict):
    """Values for variables of paths; one that nobody thought of is a word."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return NEEDLE


@pytest.mark.no_cover
def test_no_span_of_any_route_has_a_value(owner, storage, spans):
    ids = make_inventory(owner)
    person = factories.make_employee(owner.account, role="Owner", is_staff=True)
    browser = Browser(raise_request_exception=False)
    browser.force_login(person)
    owner.api.raise_request_exception = False
    secrets = {NEEDLE.lower(), owner.token.lower(), person.email, ADDRESS, *ids.values()}
    # Words of routes, too, and numbers.
    secrets -= {value for value in ids.values() if len(value) < 8}
    headers = {"User-Agent": NEEDLE, "X-Request-Id": NEEDLE, "traceparent": NEEDLE}
    body = json.dumps({"firstName": NEEDLE, "email": f"{NEEDLE}@example.com", "clientId": NEEDLE})
    walked = 0
    for route in routes():
        # The sign-out would end the walk.
        if route.pattern.endswith(("logout/", "metrics")):
            continue
        speaker, methods = (owner.api, route.methods) if route.methods else (browser, PAGE)
        for method in methods:
            url = f"{route.url(Anything(ids))}?search={NEEDLE}&{NEEDLE}=1&lastName={NEEDLE}"
            speaker.generic(
                *(method, url, body, "application/json"), headers=headers, REMOTE_ADDR=ADDRESS
            )
        found = spans.taken()
        walked += len(found)
        check(found)
        told = "".join(span.to_json() for span in found).lower()
        # Jobs are named, and belong to nobody.
        for job in (span.attributes.get("kith.job.id", "") for span in found):
            told = told.replace(str(job), "")
        assert not [secret for secret in secrets if str(secret).lower() in told], route.pattern
    assert walked > 500


def test_what_fails_is_told_by_its_type_alone(owner, spans):
    customer = factories.make_customer(owner.account, email=f"{NEEDLE}@example.com")
    row = f"('{customer.pk}', '{NEEDLE}')"
    with (
        spans.spans.job("conversion", uuid4(), "", 1),
        pytest.raises(DatabaseError),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"INSERT INTO customers_customer (id, name) VALUES {row}")
    found = spans.taken()
    check(found)
    statement = next(span for span in found if span.name == "INSERT customers_customer")
    assert statement.attributes["error.type"].endswith("Error")
    assert statement.status.status_code == StatusCode.ERROR
    assert NEEDLE not in "".join(span.to_json() for span in found)


@pytest.mark.parametrize(
    ("sql", "summary"),
    [
        ("SELECT 1", "SELECT"),
        ('SELECT "a"."b" FROM "customers_customer" a', "SELECT customers_customer"),
        ("\n  (select x from Ada)", "SELECT"),
        ("Ada Lovelace", "OTHER"),
        ("SET LOCAL work_mem = '1MB'", "SET"),
        ("COPY (SELECT id FROM customers_customer) TO STDOUT", "COPY"),
        ("COPY customers_card (id) FROM STDIN", "COPY customers_card"),
        ("WITH a AS (INSERT INTO customers_card (id) SELECT 1) SELECT", "INSERT customers_card"),
    ],
)
def test_a_statement_is_summed_up_in_words_of_our_own(sql, summary):
    assert made.summary_of(sql)[1] == summary


# --- What it costs --------------------------------------------------------------------------------


def test_without_the_setting_nothing_is_imported(settings, tmp_path):
    assert settings.TRACES_URL == ""
    tracing.start()
    assert tracing._spans is None
    assert (tracing.here(), tracing.trace_id()) == ("", "")
    check_modules = (
        "import sys, config.celery, django; django.setup(); from config import asgi;"
        # Redis's client imports the API where it is installed.
        "assert 'config.tracing.spans' not in sys.modules;"
        "assert 'opentelemetry.exporter' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", check_modules],
        cwd=ROOT,
        env=environment("kith", tmp_path),
        check=True,
    )


def test_packages_that_are_missing_are_named(settings, monkeypatch):
    settings.TRACES_URL = "http://127.0.0.1:1/v1/traces"
    monkeypatch.setitem(sys.modules, "config.tracing.spans", None)
    with pytest.raises(ImproperlyConfigured, match="opentelemetry-sdk"):
        tracing.start()


def test_a_trace_has_an_end_however_long_the_job(owner, storage, spans, monkeypatch):
    monkeypatch.setattr(made, "MOST_STATEMENTS", 2)
    owner.api.get("/v1/customers")
    found = spans.taken()
    assert len(found) == 3
    assert found[-1].attributes["kith.statements.dropped"] >= 1


def test_a_collector_that_says_nothing_holds_no_stop_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        traced = made.Spans(made.sender(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"))
        with traced.job("conversion", uuid4(), "", 1):
            pass
        with unaided(silent.close):
            traced.flush()
            traced.close()


# --- For real -------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.no_cover
def test_web_server_and_worker_send_one_trace(owner, own_queue, data):
    factories.make_customer(owner.account)
    with collector() as (url, got):
        with (
            web(own_queue, data, KITH_TRACES_URL=url) as address,
            worker(own_queue, data, processes=1, KITH_TRACES_URL=url) as process,
        ):
            headers = {"Authorization": f"Bearer {owner.token}"}
            answer = httpx.post(f"{address.url}{SEARCHES}", json=EVERYBODY, headers=headers)
            search = CustomerSearch.objects.get(pk=answer.json()["queryId"])

            def is_done() -> bool:
                search.refresh_from_db()
                return search.status == "FINISHED"

            wait_until(is_done, 60)
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        wanted = search.trace_parent.split("-")[1]

        def names() -> set[str]:
            return {span.name for _, span in got if span.trace_id.hex() == wanted}

        expected = {f"POST {SEARCHES[1:]}", "job customersearch", "COPY"}
        until(lambda: expected <= names(), 30)
    assert {a.key for resource, _ in got for a in resource.attributes} == RESOURCE
    assert request_id.get() == ""
