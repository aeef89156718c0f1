"""Log lines as JSON, without personal data."""

import json
import logging
import os
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from time import time
from types import TracebackType
from typing import TextIO

import orjson
from celery.exceptions import CeleryError
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from kombu.exceptions import KombuError
from redis import RedisError

from config import tracing
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

    Members: `timestamp`, `level`, `logger`, `message`, `requestId`, `trace` if there is one (its
    id), whatever `extra` brings, and `exception` with its `type`, its `trace` as file, line and
    function, its `cause`, and its `message` where that cannot quote data.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line = head(record.created, record.levelname, record.name, record.getMessage())
        line |= {name: value for name, value in vars(record).items() if name not in STANDARD}
        if record.exc_info and record.exc_info[1]:
            line["exception"] = described(record.exc_info[1])
        return as_json(line)


class StandardError(logging.StreamHandler[TextIO]):
    """Writes the lines of a `JSONFormatter` to standard error."""

    def write(self, line: Mapping[str, object]) -> None:
        """Write one line by itself; what cannot be written is lost, as it is to any handler."""
        with suppress(OSError):
            os.write(self.stream.fileno(), f"{as_json(line)}\n".encode())


def log_quickly(logger: logging.Logger, message: str, members: Mapping[str, object]) -> None:
    """What ``logger.info(message, extra=members)`` does, without a `LogRecord`.

    With one, the line of a request took a tenth of a GET's processor time. Where anybody else
    listens to the logger, it gets one.
    """
    if not logger.isEnabledFor(logging.INFO):
        return
    match logging.root.handlers:
        case [StandardError() as only] if not logger.handlers and logger.propagate:
            only.write(head(time(), "INFO", logger.name, message) | {**members})
        case _:
            logger.info(message, extra=members)


def head(created: float, level: str, logger: str, message: str) -> dict[str, object]:
    """The members that every line has."""
    line: dict[str, object] = {
        "timestamp": wire_time(datetime.fromtimestamp(created, UTC)),
        "level": level,
        "logger": logger,
        "message": message,
        "requestId": request_id.get(),
    }
    if trace_id := tracing.trace_id():
        line["trace"] = trace_id
    return line


def as_json(line: Mapping[str, object]) -> str:
    """A line as it is written."""
    return printable(orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode())


def printable(line: str) -> str:
    """The same JSON with escapes for all that is no visible part of it.

    JSON itself escapes only some of what ASCII has of that. Other line ends would be lines of their
    own to some readers; control sequences and changes of direction deceive who looks at a terminal.
    """
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)


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
