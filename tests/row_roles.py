"""The role that web and worker connect as in tests, where row-level security is on."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test.utils import override_settings
from psycopg import sql

from config.db import row_security

ROLE = "kith_test_app"


def make_role() -> None:
    """Make the role, unless another run on the same server has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE])
        if cursor.fetchone() is not None:
            return
        try:
            with transaction.atomic():
                cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))
        except ProgrammingError:
            # Just now.
            return


def connect_as_role() -> None:
    """Confine the test database, and go on as the role."""
    make_role()
    list(row_security.apply(ROLE))
    connection.close()
    connection.settings_dict["USER"] = ROLE


@contextmanager
def confined_product() -> Iterator[None]:
    """While it is entered, this process is one of web or worker, as with `KITH_ROW_SECURITY`."""
    owner = connection.settings_dict["USER"]
    connect_as_role()
    try:
        with override_settings(ROW_SECURITY=True):
            yield
            connection.close()
    finally:
        connection.close()
        connection.settings_dict["USER"] = owner
        list(row_security.remove(ROLE))
