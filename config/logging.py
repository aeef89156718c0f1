"""Log lines as JSON, without personal data."""

import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType

import orjson
from celery.exceptions import CeleryError
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from kombu.exceptions import KombuError
from redis import RedisError

from config.api.json import wire_time
from config.context import request_id

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}
# The text of these speaks of code, files and servers. That of others may quote what a client sent.
SPEAKS_OF_CODE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    CeleryError,
    ImportError,
    ImproperlyConfigured,
    InterfaceError,
    KombuError,
    NameError,
    OperationalError,
    OSError,
    RedisError,
    RuntimeError,
    TypeError,
)
DEEPEST_CHAIN = 5


class JSONFormatter(logging.Formatter):
    """One JSON object a line.

    Members: `timestamp`, `level`, `logger`, `message`, `requestId`, whatever `extra` brings, and
    `exception` with its `type`, its `trace` as file, line and function, its `cause`, and its
    `message` where that cannot quote data.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line: dict[str, object] = {
            "timestamp": wire_time(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "requestId": request_id.get(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info and record.exc_info[1]:
            line["exception"] = described(record.exc_info[1])
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def described(error: BaseException, depth: int = 1) -> dict[str, object]:
    """An exception without the values that it met."""
    kind = type(error)
    text: dict[str, object] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if isinstance(error, SPEAKS_OF_CODE):
        text["message"] = (str(error).splitlines() or [""])[0]
    if isinstance(error, DatabaseError):
        text |= database_facts(error)
    text["trace"] = frames(error.__traceback__)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < DEEPEST_CHAIN:
        text["cause"] = described(cause, depth + 1)
    return text


def database_facts(error: DatabaseError) -> dict[str, str]:
    """What PostgreSQL says of an error beside its text, which quotes the row."""
    diagnostics = getattr(error.__cause__, "diag", None)
    names = ("sqlstate", "table_name", "column_name", "constraint_name")
    facts = {name: getattr(diagnostics, name, None) for name in names}
    return {name: fact for name, fact in facts.items() if fact}


def frames(trace: TracebackType | None) -> list[str]:
    """``file:line function`` of each frame, the failing one last."""
    return [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)
    ]
