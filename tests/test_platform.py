"""What is around every request: ids, log lines, health, a worker, system checks."""

import logging
import re
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import orjson
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError
from django.templatetags.static import static
from django.urls import include, path
from kombu.exceptions import OperationalError as BrokerError
from rest_framework.request import Request
from rest_framework.response import Response

from config import checks, health, heartbeat
from config.api.actors import Actor, ActorType, Scope
from config.api.views import ApiView
from config.celery import BrokerAway
from config.celery import app as celery
from config.context import request_id
from config.logging import JSONFormatter
from tests import workers
from tests.factories import Client
from tests.storage import little_space

NAME = "Ada Lovelace"
ADDRESS = "ada@example.com"


class Echo(ApiView):
    scopes = {"GET": Scope.CUSTOMERS_READ, "POST": Scope.CUSTOMERS_READ}
    parameters = None

    def get(self, _request: Request, name: str = ""):
        logging.getLogger("tests").warning("within %s", len(name))
        return Response({"ok": True})

    def post(self, request: Request):
        return Response(request.data)


urlpatterns = [
    path("v1/echo", Echo.as_view()),
    path("v1/echo/<name>", Echo.as_view()),
    path("", include("config.urls")),
]
handler404 = "config.api.handlers.page_not_found"

pytestmark = pytest.mark.urls("tests.test_platform")


def make_client(client_id: str = "one") -> Client:
    account = uuid.UUID(int=1)
    scopes = frozenset({Scope.CUSTOMERS_READ})
    actor = Actor(ActorType.SERVICE_ACCOUNT, "5", account, (account,), scopes, client_id)
    client = Client(raise_request_exception=False)
    client.force_authenticate(user=None, token=actor)
    return client


@pytest.fixture
def api():
    return make_client()


def lines(caplog, logger="kith.access"):
    """What a logger wrote, as it is in the log."""
    formatter = JSONFormatter()
    return [
        orjson.loads(formatter.format(record)) for record in caplog.records if record.name == logger
    ]


# --- Request ids and the access log --------------------------------------------------------------


@pytest.mark.parametrize("header", ["HTTP_X_REQUEST_ID", "HTTP_X_CDLX_REQUEST_ID"])
def test_a_sane_request_id_of_the_caller_is_kept(api, header):
    response = api.get("/v1/echo", **{header: "batch:2026-11.a_7"})
    assert response["X-Request-Id"] == "batch:2026-11.a_7"


@pytest.mark.parametrize("insane", ["", " ", "a b", "x" * 65, "é", "a\nb", '"><script>'])
def test_any_other_request_id_is_replaced(api, insane):
    given_back = api.get("/v1/echo", HTTP_X_REQUEST_ID=insane)["X-Request-Id"]
    assert uuid.UUID(given_back)


@pytest.mark.parametrize("where", ["/v1/nothing", "/static/kith/index.css", "/healthz", "/admin"])
def test_every_response_has_a_request_id(api, where):
    assert uuid.UUID(api.get(where)["X-Request-Id"])


def test_log_lines_of_a_request_carry_its_id(api):
    handler = logging.StreamHandler(stream := BytesAsText())
    handler.setFormatter(JSONFormatter())
    logging.getLogger("tests").addHandler(handler)
    try:
        api.get("/v1/echo", HTTP_X_REQUEST_ID="mine")
    finally:
        logging.getLogger("tests").removeHandler(handler)
    assert orjson.loads(stream.text)["requestId"] == "mine"
    assert request_id.get() == ""


class BytesAsText:
    """A stream that remembers."""

    text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_a_request_is_one_line_without_personal_data(api, caplog):
    caplog.set_level(logging.INFO)
    api.get(f"/v1/echo/{ADDRESS}?search={ADDRESS}")
    (line,) = lines(caplog)
    assert line["route"] == "v1/echo/<name>"
    assert (line["method"], line["status"], line["clientId"]) == ("GET", 200, "one")
    assert line["milliseconds"] > 0
    assert ADDRESS not in str(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/v1/custmers/{ADDRESS}", "/v1/custmers/*"),
        ("/v2/data/customer/Ada%20Lovelace/", "/v2/data/customer/*/"),
        ("/wp-login.php", "/*"),
        ("/v1/customers" + "/a" * 1000, "/v1/customers" + "/*" * 10),
    ],
)
def test_the_path_of_no_route_is_logged_without_values(api, caplog, path, shown):
    caplog.set_level(logging.INFO)
    api.get(path)
    (line,) = lines(caplog)
    assert (line["route"], line["path"], line["status"]) == ("", shown, 404)


def raised(error: Exception) -> Exception:
    """`error`, as it is after it was raised here."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def logged(error: Exception) -> dict:
    facts = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "m", (), facts)
    return orjson.loads(JSONFormatter().format(record))["exception"]


def test_an_exception_is_logged_without_the_values_that_it_met():
    facts = logged(raised(ValueError(NAME)))
    assert facts["type"] == "builtins.ValueError"
    assert "test_platform.py" in facts["trace"][-1]
    assert NAME not in str(facts)


def test_an_exception_that_speaks_of_code_keeps_its_text():
    assert logged(raised(TypeError("no such argument")))["message"] == "no such argument"


@pytest.mark.django_db
def test_an_error_of_the_database_is_logged_by_its_constraint_not_by_its_row():
    Group.objects.create(name=NAME)
    with pytest.raises(IntegrityError) as caught:
        Group.objects.create(name=NAME)
    facts = logged(caught.value)
    assert facts["sqlstate"] == "23505"
    assert facts["table_name"] == "auth_group"
    assert facts["cause"]["type"] == "psycopg.errors.UniqueViolation"
    assert NAME not in str(facts)


def post_chunked(api, body: BytesIO):
    """As a server gives a chunked body to Django: a stream with an end, and no length."""
    return api.request(
        REQUEST_METHOD="POST",
        PATH_INFO="/v1/echo",
        CONTENT_TYPE="application/json",
        HTTP_TRANSFER_ENCODING="chunked",
        **{"wsgi.input": body, "wsgi.input_terminated": True},
    )


def test_a_body_of_unannounced_length_is_read(api):
    assert post_chunked(api, BytesIO(b'{"a": 1}')).json() == {"a": 1}


# --- Health ---------------------------------------------------------------------------------------


def test_healthz_needs_nothing_else(client):
    # Without a database mark, a query would fail this test.
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": django_settings.VERSION}
    assert "no-store" in response["Cache-Control"]
    assert client.post("/healthz").status_code == 405


@pytest.fixture
def storage(settings, tmp_path, monkeypatch):
    """A storage of this test's own, and no memory of whether it was writable."""
    monkeypatch.setitem(health.CHECKS, "storage", health.Seldom(health.check_storage))
    folder = tmp_path / "results"
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder},
        }
    }
    return folder


@pytest.mark.django_db
def test_readyz_is_200_when_every_part_works(client, storage):
    heartbeat.beat()
    response = client.get("/readyz")
    assert response.status_code == 200
    parts = ("database", "installation", "cache", "broker", "storage", "worker")
    body = response.json()
    assert body.pop("storageFreeBytes") > 0
    assert body == {"status": "ok", "parts": dict.fromkeys(parts, "ok")}
    assert [path for path in storage.rglob("*") if path.is_file()] == []


@pytest.mark.django_db
def test_readyz_tells_keys_that_do_not_open_the_database(client, storage, settings, monkeypatch):
    check = health.Seldom(health.check_installation)
    monkeypatch.setitem(health.CHECKS, "installation", check)
    settings.ENCRYPTION_KEYS = {"k9": bytes(32)}
    response = client.get("/readyz")
    assert (response.status_code, response.json()["parts"]["installation"]) == (503, "unavailable")
    (problem,) = response.json()["problems"]
    assert "KITH_ENCRYPTION_KEYS lacks the key 'k1'" in problem


@pytest.mark.django_db
def test_readyz_tells_a_full_disk_and_the_space_that_is_left(client, storage):
    with little_space(1000):
        body = client.get("/readyz").json()
    assert body["parts"]["storage"] == "unavailable"
    assert body["storageFreeBytes"] > 0
    assert [path for path in storage.rglob("*") if path.is_file()] == []


@pytest.mark.django_db
def test_readyz_names_a_replica_and_does_not_need_it(client, storage, settings):
    heartbeat.beat()
    assert health.state_of(health.check_replica) == ("ok", "")
    settings.SEARCH_DATABASE = "gone"
    response = client.get("/readyz")
    assert (response.status_code, response.json()["parts"]["replica"]) == (200, "unavailable")


@pytest.mark.django_db
def test_readyz_is_503_without_a_worker(client, storage):
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert response.json()["parts"]["worker"] == "unavailable"
    assert response.json()["parts"]["database"] == "ok"


@pytest.mark.django_db
def test_readyz_tells_a_storage_that_cannot_be_written(client, storage):
    storage.write_text("a file where the folder should be")
    assert client.get("/readyz").json()["parts"]["storage"] == "unavailable"
    storage.unlink()
    assert client.get("/readyz").json()["parts"]["storage"] == "ok"


@pytest.mark.django_db
def test_readyz_tells_a_broker_and_a_cache_that_are_away(client, storage, settings, monkeypatch):
    monkeypatch.setattr(celery.conf, "broker_url", "redis+socket:///nowhere/secret.sock")
    location = {"LOCATION": "unix:///nowhere/secret.sock"}
    settings.CACHES = {"default": settings.CACHES["default"] | location}
    response = client.get("/readyz")
    assert response.status_code == 503
    parts = response.json()["parts"]
    assert (parts["broker"], parts["cache"], parts["database"]) == (
        "unavailable",
        "unavailable",
        "ok",
    )
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
def test_readyz_does_not_wait_for_parts_that_do_not_answer(client, storage, monkeypatch):
    frozen = threading.Event()
    for name in health.CHECKS:
        monkeypatch.setitem(health.CHECKS, name, frozen.wait)
    with workers.unaided(frozen.set):
        parts = client.get("/readyz").json()["parts"]
    # All are waited for together, and the answer is promised within two seconds.
    assert health.CHECK_SECONDS <= 1.5
    assert parts == dict.fromkeys(health.CHECKS, "unavailable")
    before = threading.active_count()
    client.get("/readyz")
    assert threading.active_count() == before, "more and more threads wait for a frozen part"
    frozen.set()


def test_a_broker_that_failed_is_left_alone_for_a_while(broker_away):
    with broker_away:
        with pytest.raises(BrokerError):
            celery.send_task("config.tasks.reap_jobs")
        with pytest.raises(BrokerAway):
            celery.send_task("config.tasks.reap_jobs")


def test_readyz_tells_a_database_that_is_away(client, storage, django_db_blocker):
    with django_db_blocker.block():
        response = client.get("/readyz")
    assert response.json()["parts"]["database"] == "unavailable"


def test_the_back_office_wears_the_mark_and_the_green_of_the_other_pages(client, db):
    page = client.get("/admin/login/").content.decode()
    assert f'<link rel="icon" href="{static("kith/icon.svg")}"' in page
    assert "rgb(31, 111, 92)" in page


def test_the_first_page_leads_everywhere(client):
    page = client.get("/").content.decode()
    for href in ("/admin/", "/docs", "/schema", "/readyz"):
        assert f'href="{href}"' in page
    assert "style=" not in page
    for asset in re.findall(r'"(/static/[^"]+)"', page):
        assert client.get(asset).status_code == 200, asset


# --- A worker -------------------------------------------------------------------------------------


@contextmanager
def running_worker(folder: Path, queue: str):
    """A worker process on this test's database and a queue of its own; gives its log's path."""
    environment = workers.environment(queue, folder) | {"KITH_LOG_LEVEL": "INFO"}
    log = folder / "worker.log"
    command = [sys.executable, "-m", "config.jobs", "worker", "--concurrency", "1"]
    with log.open("wb") as output:
        worker = subprocess.Popen(
            command, env=environment, cwd=django_settings.BASE_DIR, stdout=output, stderr=output
        )
    try:
        yield log
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        select.select([], [], [], 0.05)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_seen_and_logs_under_the_id_of_the_request(tmp_path, settings):
    queue = f"test-{uuid.uuid4()}"
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": queue}}

    def task_lines():
        found = [orjson.loads(line) for line in log.open() if line.startswith("{")]
        return [line for line in found if line["logger"] == "kith.tasks"]

    assert health.state_of(health.check_worker) == ("unavailable", "")
    with running_worker(tmp_path, queue) as log:
        assert wait_until(heartbeat.is_seen), log.read_text()
        assert health.state_of(health.check_worker) == ("ok", "")
        token = request_id.set("from-a-request")
        try:
            name = "config.tasks.delete_expired_idempotency_keys"
            celery.send_task(name, queue=queue)
            celery.send_task(name, args=[NAME], queue=queue)
        finally:
            request_id.reset(token)
        assert wait_until(lambda: len(task_lines()) >= 3), log.read_text()
    done, failure, failed = task_lines()
    assert (done["task"], done["state"], done["requestId"]) == (name, "SUCCESS", "from-a-request")
    assert (failed["state"], failed["requestId"]) == ("FAILURE", "from-a-request")
    assert failure["exception"]["type"] == "builtins.TypeError"
    assert NAME not in log.read_text()
    with celery.connection_for_write() as broker:
        broker.default_channel.queue_delete(queue)


# --- System checks --------------------------------------------------------------------------------


def ids(messages):
    return {message.id for message in messages}


def test_this_installation_has_nothing_to_complain_about(db):
    call_command("check", databases=["default"])


@pytest.mark.parametrize(
    ("changes", "message_id"),
    [
        ({"SECRET_KEY": "x" * 49}, "kith.E001"),
        ({"DEBUG": True, "PUBLIC_URL": "https://kith.example.com"}, "kith.E002"),
        ({"PUBLIC_URL": "kith.example.com"}, "kith.E003"),
        ({"PUBLIC_URL": "https://kith.example.com", "TRUST_PROXY": False}, "kith.W001"),
        ({"ALLOWED_HOSTS": ["*"]}, "kith.W002"),
    ],
)
def test_a_setting_that_should_not_be_is_named(settings, changes, message_id):
    assert message_id not in ids(checks.check_settings(app_configs=None))
    for name, value in changes.items():
        setattr(settings, name, value)
    (found,) = [each for each in checks.check_settings(app_configs=None) if each.id == message_id]
    assert found.hint


def test_a_folder_that_cannot_be_written_is_named(storage):
    assert checks.check_storage(app_configs=None) == []
    storage.write_text("a file where the folder should be")
    assert ids(checks.check_storage(app_configs=None)) == {"kith.E004"}


def test_a_check_that_finds_an_error_stops_the_start(storage):
    storage.write_text("a file where the folder should be")
    with pytest.raises(SystemCheckError, match=r"kith\.E004"):
        call_command("check")


def test_an_old_database_is_named(db, monkeypatch):
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 99)
    assert "kith.E005" in ids(checks.check_databases(app_configs=None, databases=["default"]))
