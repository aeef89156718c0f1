"""The database by PostgreSQL's own tools: the embedded server's, or those of this machine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Any

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient
from psycopg.conninfo import make_conninfo

from config.backup.archive import BackupError
from config.files import BLOCK_BYTES
from config.launcher.servers import EmbeddedError, postgres_binaries, server_environment

# Newer tools say it to every server, and servers before 17 do not know it.
UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
# Among so many first lines it stands.
PREAMBLE_LINES = 60
TABLES = """
    SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p') AND nspname = 'public'"""

# Belongs to whoever runs the server, who alone may make it elsewhere; named by tools since 17.
WITHOUT_EXTENSION = "--exclude-extension=pg_stat_statements"

Process = subprocess.Popen[bytes]


def dumped(snapshot: str) -> Iterator[bytes]:
    """The database as of a snapshot that another session holds. Raises `BackupError`."""
    command = [
        tool("pg_dump"),
        *("--format=custom", "--no-owner", "--no-privileges", "--no-comments"),
        *(f"--snapshot={snapshot}", f"--dbname={address()}"),
        *([WITHOUT_EXTENSION] if tool_version() >= 17 else []),
    ]
    with TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=environment()
        )
        try:
            output = pipe(process.stdout)
            while block := output.read(BLOCK_BYTES):
                yield block
            if process.wait():
                raise BackupError(f"pg_dump could not read the database: {last_line(errors)}")
        finally:
            ended(process)


def require_server() -> None:
    """Raise `BackupError` where a pooler stands before the database.

    These programs change settings of a session that they take for their own, such as the
    `search_path`: whoever gets it next may find no tables.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ((number,),) = cursor.fetchall()
    # A pooler makes up the number of the session by which its clients cancel.
    if number != connection.connection.info.backend_pid:
        raise BackupError(
            "DATABASE_URL leads to a pooler such as PgBouncer: for this command, set it to the"
            " database server itself"
        )


def is_empty() -> bool:
    """Whether the database has no tables at all."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        ((count,),) = cursor.fetchall()
    return int(count) == 0


def restore(dump: Iterable[bytes]) -> None:
    """Put a dump into the empty database, in one transaction: all of it, or nothing.

    Raises `BackupError`, and what the dump raises.
    """
    script = [tool("pg_restore"), "--file=-", "--no-owner", "--no-privileges", "--no-comments"]
    run = [
        *(tool("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"),
        *("--single-transaction", f"--dbname={address()}", "--file=-"),
    ]
    with TemporaryFile() as errors:
        own, pipes = environment(), subprocess.PIPE
        reading = subprocess.Popen(script, stdin=pipes, stdout=pipes, stderr=errors, env=own)
        writing = subprocess.Popen(
            run, stdin=pipes, stdout=subprocess.DEVNULL, stderr=errors, env=own
        )
        feeder = Feeder(dump, pipe(reading.stdin))
        try:
            feeder.start()
            with suppress(BrokenPipeError):
                copy(pipe(reading.stdout), pipe(writing.stdin))
            # Only when all of it was read and written may psql come to its end, and commit.
            if reading.wait():
                feeder.join()
                raise feeder.error or BackupError(f"pg_restore failed: {last_line(errors)}")
            feeder.join()
            if feeder.error:
                raise feeder.error
            with suppress(BrokenPipeError):
                pipe(writing.stdin).close()
            if writing.wait():
                raise BackupError(f"the database could not be restored: {last_line(errors)}")
        finally:
            ended(writing)
            ended(reading)


class Feeder(Thread):
    """Writes a dump to a program that reads it, while another thread reads what that one makes."""

    def __init__(self, dump: Iterable[bytes], target: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._dump, self._target = dump, target
        self.error: BaseException | None = None

    def run(self) -> None:
        """Write all of it."""
        try:
            for block in self._dump:
                self._target.write(block)
        except BrokenPipeError:
            # The program has ended, and says why itself.
            pass
        except BaseException as error:  # noqa: BLE001 -- raised in the thread that waits
            self.error = error
        finally:
            with suppress(OSError):
                self._target.close()


def copy(source: IO[bytes], target: IO[bytes]) -> None:
    """All of a script, but for what older servers do not know."""
    is_old = server_version() < 17
    for _ in range(PREAMBLE_LINES):
        line = source.readline()
        if not (is_old and line == UNKNOWN_BEFORE_17):
            target.write(line)
    shutil.copyfileobj(source, target, BLOCK_BYTES)
    target.flush()


def tool(name: str) -> str:
    """The path of a program of PostgreSQL's. Raises `BackupError` where there is none."""
    with suppress(EmbeddedError):
        own: Path = postgres_binaries() / name
        if own.exists():
            return str(own)
    if found := shutil.which(name):
        return found
    raise BackupError(f"{name} is not installed (Debian and Ubuntu: postgresql-client)")


def tool_version() -> int:
    """The major version of `pg_dump`. Raises `BackupError`."""
    command = [tool("pg_dump"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", said)
    if found is None:
        raise BackupError(f"{command[0]} does not tell its version")
    return int(found[1])


def address() -> str:
    """Where the database is, for these programs; the password goes by the environment."""
    given = connection.settings_dict
    parts = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}
    known: dict[str, Any] = {word: given[key] for word, key in parts.items() if given[key]}
    options = {key: value for key, value in given["OPTIONS"].items() if isinstance(value, str)}
    return make_conninfo(**(options | known))


def environment() -> Mapping[str, str]:
    """The variables of these programs."""
    _, variables = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    given = {"PGPASSWORD": os.environ["PGPASSWORD"]} if "PGPASSWORD" in os.environ else {}
    return server_environment() | given | (variables or {}) | {"PGCONNECT_TIMEOUT": "10"}


def server_version() -> int:
    """The major version of the server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        ((version,),) = cursor.fetchall()
    return int(version)


def ended(process: Process) -> None:
    """Make sure that a program is gone; one that writes has its transaction rolled back."""
    process.kill()
    for stream in (process.stdin, process.stdout):
        with suppress(OSError):
            if stream is not None:
                stream.close()
    process.wait()


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """A stream that was asked for when the program was started."""
    if stream is None:
        raise RuntimeError("no pipe")
    return stream


def last_line(errors: IO[bytes]) -> str:
    """The first error of what programs said, or the last thing."""
    errors.seek(0)
    lines = [line for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    wrong = [line for line in lines if "ERROR" in line or "error:" in line]
    return (wrong or lines or ["it did not say why"])[0].strip()
