"""Makes a call as its documentation shows it, undoes it, and tells what it answered and wrote."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from config.api.dialects import base_of
from config.api.json import Json
from config.api.routes import Route
from config.openapi.calls import JSON_TYPE, Call, call_of
from config.openapi.views import document
from customers.isolation.family import Caller

# What differs from answer to answer, whoever asks: moments, new ids, what signs a form or a link.
CHANGING = re.compile(
    r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d[:\d.]*(?:Z|[+-]\d\d:?\d\d)?"
    r'|(?<=name="csrfmiddlewaretoken" value=")\w+'
    r"|(?<=/)\d{10,}:[\w-]{20,}"
    r"|:[0-9A-Za-z]{6}:[\w-]{20,}"
    r"|\b\d\d:\d\d(?::\d\d)?\b"
)
UUID_TEXT = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
HEADERS = ("Location", "WWW-Authenticate", "Content-Type", "Content-Disposition")
# What `pg_stat_xact_user_tables` tells, in less than half the time: that looks for indexes, too.
WRITTEN = """
    SELECT * FROM (
        SELECT relname, pg_stat_get_xact_tuples_inserted(oid) AS inserted,
            pg_stat_get_xact_tuples_updated(oid) AS updated,
            pg_stat_get_xact_tuples_deleted(oid) AS deleted
        FROM pg_class
        WHERE relkind = 'r'
            AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    ) AS counted
    WHERE inserted + updated + deleted > 0"""
SAFE = ("GET", "HEAD")
LEAST_TYPED = 8

Counts = dict[str, tuple[int, ...]]


class UndocumentedError(Exception):
    """A call of the API that its document does not have: nobody knows how to make it."""


@dataclass(frozen=True)
class Answer:
    """What a call was answered: `text` as it came, `told` without what differs every time.

    `written` is the number of rows that the call inserted, updated and deleted, by table.
    """

    status: int
    text: str
    told: tuple[object, ...]
    written: Counts


class Asker:
    """Somebody who makes calls; each is undone before the next."""

    def __init__(self, caller: Caller) -> None:
        place = urlsplit(settings.PUBLIC_URL)
        self.client = Client(
            raise_request_exception=False,
            headers={"Authorization": f"Bearer {caller.token}"} if caller.token else None,
            SERVER_NAME=place.hostname or "localhost",
        )
        self.is_secure = place.scheme == "https"
        if caller.user is not None and not caller.token:
            self.client.force_login(caller.user)
        self.cookies = self.client.cookies.output(header="", sep=";")

    def ask(
        self,
        route: Route,
        method: str,
        ids: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        """Make a call with these values of its variables, and the query of its first examples.

        `query` and `body`, of JSON, go in place of those. Raises `KeyError` for a variable that
        nothing is known of, and `UndocumentedError`.
        """
        address, kind, content = route.url(ids), "application/x-www-form-urlencoded", b""
        if base_of("/" + route.pattern):
            shown = documented(route, method)
            query = shown.query if query is None else query
            kind = shown.content_type or JSON_TYPE
            if shown.content_type:
                sent = shown.body if body is None else body
                content = (json.dumps(sent) if kind == JSON_TYPE else str(sent)).encode()
        if query:
            address = f"{address}?{urlencode(query)}"
        # What one page says to the next, such as a message, is of another call.
        self.client.cookies = SimpleCookie(self.cookies)
        before = {} if method in SAFE else written()
        with transaction.atomic():
            response = self.client.generic(
                method, address, content, content_type=kind, secure=self.is_secure
            )
            text = response.getvalue().decode(errors="replace")
            transaction.set_rollback(True)
        after = {} if method in SAFE else written()
        typed = [ids[route.key(name, ids)] for name in route.variables]
        typed += (query or {}).values()
        typed += UUID_TEXT.findall(json.dumps(body))
        headers = [f"{name}: {response[name]}" for name in HEADERS if name in response]
        told = (response.status_code, *(settled(each, typed) for each in [*headers, text]))
        return Answer(response.status_code, text, told, difference(before, after))


def settled(text: str, typed: list[str]) -> str:
    """A text without what differs every time, and without what was typed in."""
    for each in sorted(typed, key=len, reverse=True):
        # A shorter one may be a part of anything.
        if len(each) >= LEAST_TYPED:
            text = text.replace(each, "*")
    return CHANGING.sub("*", text)


@cache
def documented(route: Route, method: str) -> Call:
    """A call with the first examples of the API's document. Raises `UndocumentedError`."""
    operation = paths().get(route.path, {}).get(method.lower())
    if operation is None:
        raise UndocumentedError
    return call_of(route.path, method, operation)


@cache
def document_of() -> Json:
    """The API's document."""
    found: Json = json.loads(document("json"))
    return found


def paths() -> Json:
    """All calls of the API's document, by path and method."""
    found: Json = document_of()["paths"]
    return found


def written() -> Counts:
    """How many rows this transaction has written so far, by table; undone ones, too."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return {name: tuple(counts) for name, *counts in cursor.fetchall()}


def difference(before: Counts, after: Counts) -> Counts:
    """What has been written in between."""
    none = (0, 0, 0)
    found = {
        name: tuple(now - then for now, then in zip(counts, before.get(name, none), strict=True))
        for name, counts in after.items()
    }
    return {name: counts for name, counts in found.items() if any(counts)}
