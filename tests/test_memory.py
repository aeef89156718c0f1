"""What processes that run for as long as the registry does without, and what they share."""

import gc
import json
import os
import subprocess
import sys
import weakref
from uuid import uuid4

import pytest

from config.api.views import ApiView
from config.launcher.guard import CHECKOUT
from customers.filter_form import CheckedForm
from tests.customers import ADA, create
from tests.workers import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]

SHELL = {"click_repl", "prompt_toolkit"}
# What commands, files of tables and tests need; the worker runs writers as programs of their own.
SELDOM = {"pyarrow", "xlsxwriter", "boto3", "botocore", "pytest", "faker", "config.backup.services"}


def modules(code: str, environ: dict[str, str] | None = None) -> set[str]:
    """What a program has imported at its end."""
    told = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", told],
        cwd=CHECKOUT,
        env=os.environ if environ is None else environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_launcher_imports_neither_the_product_nor_drivers_nor_cryptography():
    found = modules("import config.launcher.__main__")
    assert not found & {"django", "celery", "psycopg", "redis", "cryptography", "asyncio"}


def test_the_fork_server_itself_imports_nothing_but_what_it_is_told_to_load():
    found = modules("import config.launcher.fork_server")
    assert not found & {"django", "celery", "psycopg", "subprocess", "http.client"}


def test_a_program_seldom_looks_for_garbage_before_it_loads_anything():
    code = "import gc, sys, config; print(gc.get_threshold()[0] >= 10_000, 'django' in sys.modules)"
    told = subprocess.check_output([sys.executable, "-c", code], cwd=CHECKOUT, text=True)
    assert told.split() == ["True", "False"]


def test_an_idle_process_has_loaded_nothing_that_only_commands_and_files_need():
    found = modules("from config.loading import load; load()")
    assert {"config.celery", "customers.views", "search.tasks", "ingest.tasks"} <= found
    assert not found & (SHELL | SELDOM)


def test_what_is_loaded_before_processes_are_forked_is_what_they_need(own_queue, data):
    """What each of them imported by itself would be there once for each."""
    environ = environment(own_queue, data)
    loaded = "from config.loading import load; load()\n"
    before = modules(loaded, environ)
    own = {
        "web": "import config.asgi",
        "worker": "from config.celery import app\napp.Worker(concurrency=1)",
    }
    for name, code in own.items():
        more = modules(loaded + code, environ) - before
        ours = {each for each in more if each.startswith(("config", "customers", "django"))}
        assert ours <= {"config.asgi"}, name
        assert not any(".migrations" in each for each in more), name


@pytest.fixture
def belongings(monkeypatch):
    """Views, requests and forms of the calls from here on; nothing is searched for garbage."""
    made = []

    def watch(kind, name):
        usual = getattr(kind, name)

        def watched(self, *args, **kwargs):
            result = usual(self, *args, **kwargs)
            made.extend(weakref.ref(each) for each in (self, result) if each is not None)
            return result

        monkeypatch.setattr(kind, name, watched)

    watch(ApiView, "initialize_request")
    watch(CheckedForm, "__init__")
    gc.disable()
    yield made
    gc.enable()


def test_what_belongs_to_a_call_is_gone_with_its_answer(owner, belongings):
    customer = f"/v1/customers/{create(owner, ADA)['id']}"
    owner.api.get(customer)
    owner.api.head(customer)
    owner.api.get(f"{customer}/history")
    owner.api.get("/v1/customers?primaryEmail=ada@example.com&includeChildren=true")
    core = "/core/customermgr/v3/customer?email=ada@example.com"
    owner.api.get(core)
    owner.api.get(core, HTTP_ACCEPT="application/xml")
    owner.api.put(customer, {"type": "BUSINESS"})
    owner.api.post("/v1/customers", ADA, HTTP_IDEMPOTENCY_KEY=str(uuid4()))
    owner.api.delete(customer)
    assert len(belongings) > 20
    assert [each() for each in belongings if each() is not None] == []
