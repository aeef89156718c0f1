"""The servers that the user gave by DATABASE_URL and REDIS_URL: whether they can be used at all.

What is wrong is said in one line, with the variable that has to be changed. No password is ever
repeated. psycopg and redis-py are loaded only where there is something to reach: the launcher lives
for as long as the registry, and they take 20 MB.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from config.launcher.instance import is_given

SECONDS = 5
# Whatever made tables of ours has this one, too.
HOLDS_DATA = "SELECT to_regclass('django_migrations') IS NOT NULL"


class GivenError(Exception):
    """A server that the user gave cannot be used; the message says why."""


def value_of(name: str, source: Mapping[str, str] = os.environ) -> str:
    """The value of variable `name`, or of the file that `NAME_FILE` names. Raises GivenError."""
    path = source.get(f"{name}_FILE", "")
    if not path:
        return source.get(name, "")
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise GivenError(f"{name}_FILE names {path}, which cannot be read: {error}") from error
    if not value:
        raise GivenError(f"{name}_FILE names {path}, which is empty")
    return value


def check_servers() -> bool:
    """Reach each server that was given; whether its database holds data already.

    Raises GivenError.
    """
    holds_data = is_given("DATABASE_URL") and check_database(value_of("DATABASE_URL"))
    if is_given("REDIS_URL"):
        check_redis(value_of("REDIS_URL"))
    return holds_data


def check_database(url: str) -> bool:
    """Open a session; whether there is data behind it. Raises GivenError."""
    import psycopg  # noqa: PLC0415 -- see above

    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres"}:
        raise GivenError(
            "DATABASE_URL must begin with postgresql://, such as"
            " postgresql://user:password@host/database"
        )
    try:
        with psycopg.connect(url, connect_timeout=SECONDS) as connection:
            ((holds_data,),) = connection.execute(HOLDS_DATA).fetchall()
    except psycopg.ProgrammingError as error:
        raise GivenError("DATABASE_URL is not a PostgreSQL URL that libpq can read") from error
    except psycopg.Error as error:
        raise GivenError(f"the database of DATABASE_URL cannot be used: {reason(error)}") from error
    return bool(holds_data)


def check_redis(url: str) -> None:
    """Have it answer a PING. Raises GivenError."""
    import redis  # noqa: PLC0415 -- see above

    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS
        ) as server:
            server.ping()
    except ValueError as error:
        raise GivenError(
            "REDIS_URL must begin with redis://, rediss:// or unix://, such as redis://host:6379/0"
        ) from error
    except (redis.RedisError, OSError) as error:
        raise GivenError(f"the server of REDIS_URL cannot be used: {reason(error)}") from error


def reason(error: Exception) -> str:
    """The line of an error that says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
