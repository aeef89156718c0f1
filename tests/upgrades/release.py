"""The schema of 0.1.0, and databases of their own for it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import override_settings

# What the first commits of the repository had, before they got more migrations: whoever had one of
# them has a database like this. Every migration after these is an upgrade. Of the libraries those
# of today are taken, since the lock file of then names the same releases.
SCHEMA = {
    "platform": "0001_idempotency_keys",
    "customers": "0002_change_record",
    "search": "0001_customer_search",
    "ingest": "0001_bulk_requests",
}
THEIR_APPS = ("admin", "auth", "contenttypes", "oauth2_provider", "sessions")


def make_schema() -> None:
    """Migrate the empty database of this process to 0.1.0."""
    executor = MigrationExecutor(connection)
    theirs = [key for app in THEIR_APPS for key in executor.loader.graph.leaf_nodes(app)]
    executor.migrate([*SCHEMA.items(), *theirs])


@contextmanager
def database(name: str) -> Iterator[str]:
    """While it is entered, this process uses a new, empty database; yields its URL."""
    run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    run(f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        with entered(name) as url:
            yield url
    finally:
        run(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def entered(name: str) -> Iterator[str]:
    """While it is entered, this process uses another database, as its owner; yields its URL."""
    before, url = dict(connection.settings_dict), os.environ["DATABASE_URL"]
    parts = urlsplit(url)._replace(path=f"/{name}")
    with override_settings(ROW_SECURITY=False):
        use(NAME=name, USER=parts.username or before["USER"])
        os.environ["DATABASE_URL"] = parts.geturl()
        try:
            yield os.environ["DATABASE_URL"]
        finally:
            os.environ["DATABASE_URL"] = url
            use(NAME=before["NAME"], USER=before["USER"])


def use(**settings: str) -> None:
    """Connect with other settings from now on."""
    connection.close()
    connection.close_pool()
    connection.settings_dict.update(settings)


def session(url: str) -> "psycopg.Connection[psycopg.rows.TupleRow]":
    """A session beside those of the product."""
    return psycopg.connect(url, autocommit=True)


def run(statement: str) -> None:
    """Run a statement of the server, in no database of ours."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl()
    with session(url) as server:
        server.execute(statement.encode())


def reading(url: str) -> Callable[[str], list[tuple[object, ...]]]:
    """Runs queries of that database."""

    def rows(query: str) -> list[tuple[object, ...]]:
        with session(url) as open_session:
            return open_session.execute(query.encode()).fetchall()

    return rows
