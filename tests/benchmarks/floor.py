"""The least that a web server in Python can do: one prepared statement, no framework at all."""

import os
from collections.abc import Callable, Iterable
from functools import cache
from threading import local

import psycopg

BY_ID = "SELECT row_to_json(c)::text FROM customers_customer c WHERE id = %s"
Start = Callable[[str, list[tuple[str, str]]], object]
_thread = local()


@cache
def url() -> str:
    """Where the registry is."""
    return os.environ["DATABASE_URL"]


def application(environ: dict[str, str], start_response: Start) -> Iterable[bytes]:
    """The row of the customer whose id is the path."""
    if not hasattr(_thread, "session"):
        _thread.session = psycopg.connect(url(), autocommit=True, prepare_threshold=0)
    (text,) = _thread.session.execute(BY_ID, [environ["PATH_INFO"][1:]]).fetchone()
    body = text.encode()
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    )
    return [body]
