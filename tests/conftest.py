"""The cast: who speaks in the tests, each with a real token of its own.

`parent` owns `house` and `sibling`; `house` owns `child`; `outsider` is another tree.
"""

import gc
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import psycopg
import pytest
from celery.signals import after_task_publish
from django.conf import settings as django_settings
from django.contrib.auth.hashers import ScryptPasswordHasher
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client as Browser
from django.test import TransactionTestCase

from config.api import throttling
from config.api.actors import Scope
from config.celery import app as celery
from config.db.scope import Reason, unconfined
from config.jobs import lease
from config.models import InstallationFact
from customers.models import BusinessAccount, Customer, OAuthClient, User
from tests import documented, factories, row_roles
from tests.buckets import bucket, endpoint, way
from tests.conversions import define, small_batches
from tests.factories import Client, Speaker
from tests.measuring import (
    is_first_process,
    library,
    measured_forks,
    pytest_runtest_setup,
    pytest_runtest_teardown,
    unmeasured,
)
from tests.migrated import migrated
from tests.modes import each_mode
from tests.replicas import reading
from tests.served import served_database
from tests.servers import pooler, rabbit, replica
from tests.supervised import said, supervisor
from tests.tracing import spans
from tests.workers import lose_messages

# Fixtures and hooks, which pytest finds here.
__all__ = [
    "bucket",
    "define",
    "each_mode",
    "endpoint",
    "library",
    "measured_forks",
    "migrated",
    "pooler",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "rabbit",
    "reading",
    "replica",
    "said",
    "served_database",
    "small_batches",
    "spans",
    "supervisor",
    "way",
]

# Permissions and roles.
MIGRATED = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Modules and tests are no garbage; looking through them took a tenth of a processor's time."""
    gc.disable()
    try:
        with nullcontext() if is_first_process() else unmeasured(session.config):
            return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: begun last, one would run while the other processes have no work.

    But before them those of a replica: while a transaction with many savepoints is open, and one of
    the long ones has thousands, a new replica lets nobody in.

    Most long tests wait most of the time. Those that do not are begun by the second process, whose
    share xdist takes from the middle: one process would still be at them when all others are done.
    The last comes first: those with the savepoints are begun when the replica has long been made.
    """
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    items.sort(key=lambda item: item.get_closest_marker("replica") is None)
    share = len(items) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    busy = [item for item in items if item.get_closest_marker("busy") is not None]
    others = [item for item in items if item.get_closest_marker("busy") is None]
    items[:] = [*others[:share], *reversed(busy), *others[share:]]


@pytest.fixture(autouse=True)
def own_cache(settings) -> Callable[[], None]:
    """Counters of one test, such as of requests, are not those of another that runs beside it.

    Called, it is an empty cache again.
    """

    def renew() -> None:
        caches = {name: dict(cache) for name, cache in settings.CACHES.items()}
        caches["default"]["KEY_PREFIX"] = f"test-{uuid.uuid4()}"
        settings.CACHES = caches

    renew()
    return renew


@pytest.fixture
def each_alone(own_cache, db) -> Callable[..., None]:
    """Does the same with each of many values, as if each had a test and a database of its own.

    The set-up, which takes longer than most of them, is made once. All that fail are named.
    """

    def try_all(attempt: Callable[..., None], values: Mapping[str, Sequence[object]]) -> None:
        assert values
        failed = []
        for name, arguments in values.items():
            own_cache()
            with transaction.atomic():
                try:
                    attempt(*arguments)
                except AssertionError as error:
                    failed.append(f"{name}: {error}")
                except Exception as error:
                    error.add_note(f"with {name}")
                    raise
                transaction.set_rollback(True)
        assert not failed, "\n".join(failed)

    return try_all


@pytest.fixture(autouse=True)
def one_minute(monkeypatch) -> None:
    """No minute ends within a test, with which counts per minute would begin anew."""
    at = throttling.now()
    monkeypatch.setattr(throttling, "now", lambda: at)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """A password's hash is of the product's kind, but made in no time instead of 0.2 seconds."""
    ScryptPasswordHasher.work_factor = 2


@pytest.fixture(scope="session", autouse=True)
def static_files_when_asked_for() -> None:
    """Each client of each test would look for all static files first."""
    django_settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings) -> None:
    """The test database is a copy of the one that `./kith test` has migrated, if it has."""
    if template := os.environ.get("TEST_TEMPLATE"):
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Tests that commit leave what migrating made: making it again takes as long as most tests."""
    with django_db_blocker.unblock():
        tables = set(connection.introspection.django_table_names(only_existing=True)) - MIGRATED
        facts = list(InstallationFact.objects.all())
        roles = list(Group.objects.values_list("pk", flat=True))
    # TRUNCATE makes the files of all tables and indexes anew: a hundred times as long for few rows.
    # As a replica, so that neither foreign keys nor the change log follow each row.
    delete = "; ".join(f"DELETE FROM {table}" for table in sorted(tables))

    owner = connection.get_connection_params()

    def empty_tables(_case: TransactionTestCase) -> None:
        with psycopg.connect(**owner | {"cursor_factory": psycopg.Cursor}) as session:
            session.execute(f"SET LOCAL session_replication_role = replica; {delete}")
            session.execute("DELETE FROM auth_group WHERE id <> ALL(%s)", [roles])
        InstallationFact.objects.bulk_create(facts)

    TransactionTestCase._fixture_teardown = empty_tables
    if not django_settings.ROW_SECURITY:
        yield
        return
    with django_db_blocker.unblock(), row_roles.confined_product():
        yield


@pytest.fixture(autouse=django_settings.ROW_SECURITY)
def unconfined_test() -> Iterator[None]:
    """A test sees everything; what it calls is confined by itself."""
    with unconfined(Reason.COMMAND):
        yield


@pytest.fixture
def data(settings, tmp_path) -> Path:
    """The data folder that this process and its workers share."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "results"},
        }
    }
    return tmp_path


@pytest.fixture(scope="session", autouse=True)
def own_document() -> None:
    """The OpenAPI document is that of the product, whatever URLs the first test has."""
    documented.document()


@pytest.fixture(scope="session", autouse=True)
def own_queue() -> Iterator[str]:
    """The name of a message queue that only this run's workers listen to."""
    name = f"test-{uuid.uuid4()}"
    celery.conf.task_default_queue = name
    yield name
    with celery.connection_or_acquire() as connection:
        connection.default_channel.queue_delete(name)


@pytest.fixture
def empty_queue(own_queue) -> Iterator[str]:
    """That queue, without messages of other tests."""
    lose_messages()
    yield own_queue
    lose_messages()


@pytest.fixture
def published() -> Iterator[list[tuple[str, list[str]]]]:
    """The messages that went to the broker meanwhile, as names of tasks and their arguments."""
    messages: list[tuple[str, list[str]]] = []

    def note(
        sender: str, body: tuple[list[str], dict[str, str], object], **_signal: object
    ) -> None:
        messages.append((sender, list(body[0])))

    after_task_publish.connect(note, weak=False)
    yield messages
    after_task_publish.disconnect(note)


@pytest.fixture
def broker_away(monkeypatch) -> AbstractContextManager[None]:
    """While it is entered, nobody listens where the message broker is said to be."""

    @contextmanager
    def away() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setitem(celery.conf, "broker_url", "redis+socket:///nowhere/broker.sock")
            celery._after_fork()  # connections at hand are forgotten
            yield
        celery._after_fork()

    return away()


@pytest.fixture
def storage(settings, tmp_path) -> Path:
    """An empty folder where result files go."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path, "file_permissions_mode": 0o600},
        }
    }
    return tmp_path


@pytest.fixture(autouse=True)
def own_leases(request, monkeypatch) -> None:
    """None is renewed where the thread that does it sees nothing of a test's own transaction.

    To it the job would be gone: what takes longer than 0.4 seconds would be given up.
    """
    mark = request.node.get_closest_marker("django_db")
    asked = set(request.fixturenames)
    commits = mark is not None and mark.kwargs.get("transaction", False)
    if (mark or "db" in asked) and not (commits or asked & {"transactional_db", "live_server"}):
        monkeypatch.setattr(lease, "BEAT_SECONDS", 600)


@pytest.fixture
def anonymous() -> Client:
    """Somebody without a token."""
    return Client()


@pytest.fixture
def parent_account(db) -> BusinessAccount:
    return factories.make_business_account("Parent Holding")


@pytest.fixture
def account(parent_account) -> BusinessAccount:
    """The house: the business account that a test is about."""
    return factories.make_business_account("House Bank", parent=parent_account)


@pytest.fixture
def child_account(account) -> BusinessAccount:
    return factories.make_business_account("Child Branch", parent=account)


@pytest.fixture
def browser(account) -> Browser:
    """The browser of an Owner of the house, in the back office."""
    return factories.browser_of(account, name="Olivia Owner")


@pytest.fixture
def owner(account) -> Speaker:
    """The house's own program, with all scopes but `customers.sensitive`."""
    return factories.make_speaker(account)


@pytest.fixture
def colleague(account) -> Speaker:
    """Another program of the house, with a client of its own."""
    return factories.make_speaker(account)


@pytest.fixture
def confidant(account) -> Speaker:
    """A program of the house that may see sensitive values."""
    return factories.make_speaker(account, scopes=factories.ALL_SCOPES)


@pytest.fixture
def reader(account) -> Speaker:
    """A program of the house that may only read customers."""
    return factories.make_speaker(account, scopes=(Scope.CUSTOMERS_READ,))


@pytest.fixture
def child(child_account) -> Speaker:
    """A program of an account below the house, which sees nothing of the house."""
    return factories.make_speaker(child_account)


@pytest.fixture
def parent(parent_account) -> Speaker:
    """A program of the account above, which sees the house and all below it."""
    return factories.make_speaker(parent_account)


@pytest.fixture
def sibling(parent_account) -> Speaker:
    """A program of an account beside the house."""
    return factories.make_speaker(
        factories.make_business_account("Sibling Bank", parent=parent_account)
    )


@pytest.fixture
def outsider(db) -> Speaker:
    """A program of a business account that has nothing to do with the house."""
    return factories.make_speaker(factories.make_business_account("Outside Bank"))


@pytest.fixture
def revoked(account) -> Speaker:
    """A program of the house whose client was revoked after it had got its token."""
    speaker = factories.make_speaker(account)
    speaker.oauth_client.is_active = False
    speaker.oauth_client.save(update_fields=["is_active"])
    return speaker


@pytest.fixture
def employee(account) -> Speaker:
    """A Clerk of the house who has signed in to an app."""
    return factories.make_employee_speaker(account, role="Clerk")


@pytest.fixture
def app(db) -> OAuthClient:
    """An app in which people sign in."""
    return factories.make_app()


@pytest.fixture
def clerk(account) -> User:
    """An employee of the house who has not signed in."""
    return factories.make_employee(account, role="Clerk")


@pytest.fixture
def customer(account) -> Customer:
    """Ada Lovelace, an individual of the house."""
    return factories.make_customer(account)
