"""No body that anybody can send fails: each is refused in the dialect's words, or understood.

That an answer is a documented one, and has the error body of its dialect, is checked with every
answer (`tests.documented`).
"""

import copy
import json
from itertools import count

import pytest

from config.api.routes import api_routes
from customers.isolation.asking import difference, written
from ingest import runner as loads
from ingest.models import BulkRequest
from search import runner as searches
from search.models import CustomerSearch
from tests import bulk
from tests.documented import document, examples
from tests.inventory import make_documented
from tests.nasty_input import BODIES, JSON, MEGABYTE, TEXTS, VALUES, check

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.no_cover]

FILES = "v2/data/files"
# Values that each member has by itself; all of them are tried in all members at once.
ALONE = 3


def calls():
    """Route, method and examples of each call that reads a JSON body."""
    for route in api_routes():
        for method in route.methods:
            operation = document()["paths"][route.path][method.lower()]
            shown = [each for each in examples(operation.get("requestBody", {})) if each[0] == JSON]
            if shown:
                yield route, method, [value for _, _, value in shown]


def without_body():
    """Route and method of each call that changes something and reads no body."""
    for route in api_routes():
        for method in set(route.methods) - {"GET"}:
            if "requestBody" not in document()["paths"][route.path][method.lower()]:
                yield route, method


@pytest.fixture
def things(confidant, storage):
    """What there is."""
    return make_documented(confidant)


def send(api, method, url, body):
    """Send a body as it is."""
    headers = {"Content-Encoding": body.encoding} if body.encoding else {}
    return api.generic(method, url, body.content, content_type=body.kind, headers=headers)


@pytest.mark.django_db
def test_no_call_takes_a_body_that_is_none_or_stores_anything_of_it(confidant, things, each_alone):
    def refused(route, method):
        url = route.url(things)
        for name, body in BODIES.items():
            before = written()
            answer = send(confidant.api, method, url, body)
            assert answer.status_code in body.statuses, f"{name}: {answer.getvalue()[:500]}"
            assert difference(before, written()) == {}, name

    each_alone(refused, {f"{m} {route.pattern}": (route, m) for route, m, _ in calls()})


@pytest.mark.django_db
def test_calls_without_a_body_do_not_mind_one(confidant, things, each_alone):
    def answered(route, method):
        for name, body in BODIES.items():
            answer = send(confidant.api, method, route.url(things), body)
            check(answer, name)

    each_alone(answered, {f"{m} {route.pattern}": (route, m) for route, m in without_body()})


# --- Bodies of the right form ---------------------------------------------------------------------


def places(value, at=()):
    """The way to each member and entry of a JSON value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in entries:
        yield (*at, step)
        if isinstance(inner, dict | list):
            yield from places(inner, (*at, step))


def with_value(body, place, value):
    """A copy of a body with another value at a place."""
    changed = copy.deepcopy(body)
    parent = changed
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = value
    return changed


def with_all(body, value):
    """A copy of a body with another value at every place that holds neither object nor list."""
    if isinstance(body, dict):
        return {name: with_all(inner, value) for name, inner in body.items()}
    return [with_all(inner, value) for inner in body] if isinstance(body, list) else value


def variants(shown):
    """Bodies like those that are shown, each with something nasty in it."""
    values = list(VALUES.values())
    turns = count()
    seen = set()
    whole = max(shown, key=lambda body: len(json.dumps(body)))
    yield whole | {"": "", "\ud7ff\n": None}
    yield from (with_all(whole, value) for value in values)
    for body in shown:
        for place in places(body):
            if (way := tuple(0 if isinstance(step, int) else step for step in place)) in seen:
                continue
            seen.add(way)
            for _ in range(ALONE):
                yield with_value(body, place, values[next(turns) % len(values)])


def do_jobs():
    """Do what was queued; no job may fail for what was sent."""
    for search in CustomerSearch.objects.filter(status="SUBMITTED"):
        searches.run(search.pk)
    for request in BulkRequest.objects.filter(status="SUBMITTED").order_by("number"):
        loads.run(request.pk)
    for kind in (CustomerSearch, BulkRequest):
        assert set(kind.objects.values_list("status", "error_code")) <= {("FINISHED", "")}


def batched(shown):
    """The bodies of a bulk call: nasty lists of items, and items with as many as one may have."""
    (member,) = shown[0]
    yield from ({member: value} for value in VALUES.values())
    items = list(variants([item for each in shown for item in each[member]]))
    yield from ({member: items[start : start + 50]} for start in range(0, len(items), 50))


@pytest.mark.django_db
def test_no_value_in_a_body_fails(confidant, things, each_alone):
    def answered(route, method, shown):
        is_bulk = route.pattern.startswith("v2/data/")
        for body in batched(shown) if is_bulk else variants(shown):
            content = json.dumps(body).encode()
            answer = confidant.api.generic(method, route.url(things), content, content_type=JSON)
            check(answer, content[:500])
        do_jobs()

    each_alone(answered, {f"{m} {route.pattern}": (route, m, each) for route, m, each in calls()})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["application/x-ndjson", "text/csv"])
def test_each_line_of_a_file_is_accounted_for(owner, storage, kind):
    if kind == "text/csv":
        cells = [text.replace('"', '""') for text in TEXTS.values()]
        lines = [f'"{cell}","{cell}",{number},"{cell}"' for number, cell in enumerate(cells)]
        content = "\n".join(["email,firstName,externalId,dateOfBirth", *lines]).encode()
    else:
        lines = [body.content.replace(b"\n", b" ") for body in BODIES.values()]
        lines = [line for line in lines if line.strip() and len(line) < MEGABYTE]
        lines += [json.dumps(item).encode() for item in variants([bulk.customer("c1")])]
        content = b"\n".join(lines)
    answer = owner.api.generic("POST", f"/{FILES}", content, content_type=kind)
    found = bulk.done(owner, bulk.accepted(answer))
    assert sum(found["counts"].values()) == len(lines)
