"""Schemathesis calls the API with all that its documentation allows, and with what it does not."""

import logging
import re
from collections import Counter
from urllib.parse import parse_qsl, urlsplit
from zlib import crc32

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from inflection import camelize
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.inventory import make_inventory

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover, pytest.mark.long]

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]

schema = schemathesis.openapi.from_wsgi(
    "/schema", get_wsgi_application(), config=SchemathesisConfig(seed=1)
)
schema.config.generation.update(deterministic=True, with_security_parameters=False)
schema.config.checks.negative_data_rejection.expected_statuses = ["4xx"]


@schemathesis.serializer(
    *("application/x-ndjson", "application/ndjson", "application/jsonl", "application/gzip")
)
def as_lines(_context, value):
    """A file is text to the document; whatever it is, it is sent, and under `gzip` no gzip."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


# How many cases there are of each kind at a place, and how many of them came up.
made, seen = Counter(), Counter()


@schema.hook
def filter_case(context, case):
    """Counts each case when the tests are collected, and leaves none out."""
    made[kind_of(case)] += 1
    return True


def kind_of(case):
    """What a case tries at which place of a request; None if it is the only one that does.

    A place of a wrong type has five or six of them, a valid one many lengths, words and formats.
    """
    data = case.meta.phase.data
    if not isinstance(data, CoveragePhaseData):
        return None
    if data.scenario is CoverageScenario.INCORRECT_TYPE:
        place = (data.parameter_location, data.parameter, data.location)
    elif data.scenario is CoverageScenario.VALID_OBJECT:
        place = tuple(re.findall(r"'(\w+)'", data.description))
    else:
        return None
    return (case.operation.label, case.method, case.media_type, data.scenario, place)


def is_in_turn(case):
    """Whether a case stands for its kind: at one place the first of them, at another the third.

    All together would be two thirds of all cases, and differ in what they say and not in where.
    """
    kind = kind_of(case)
    if kind is None:
        return True
    seen[kind] += 1
    return seen[kind] % made[kind] == crc32(repr(kind).encode()) % made[kind]


@pytest.fixture(autouse=True)
def one_transaction():
    """Requests come through WSGI as from outside, and stay in the test's transaction."""
    ends = (signals.request_started, signals.request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    logging.getLogger("kith.access").disabled = True
    yield
    logging.getLogger("kith.access").disabled = False
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def house(confidant, storage):
    """What there is, by the names that paths give it in the document."""
    return {camelize(name, False): value for name, value in make_inventory(confidant).items()}


@schema.parametrize()
@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_a_documented_one(case, confidant, house):
    """Ids in paths are those of things that exist; each call finds them as they were made."""
    if not is_in_turn(case):
        return
    case.path_parameters = {name: house[name] for name in case.path_parameters or {}}
    with transaction.atomic():
        response = case.call(headers={"Authorization": f"Bearer {confidant.token}"})
        transaction.set_rollback(True)
    refused = [] if may_accept_wrong_data(case, response) else [negative_data_rejection]
    case.validate_response(response, checks=[*CHECKS, *refused])


def may_accept_wrong_data(case, response):
    """Whether an answer of success to what the document forbids is what the contract says."""
    # A parameter without a value is one that was not given.
    sent = parse_qsl(urlsplit(response.request.url).query, keep_blank_values=True)
    # Of a bulk request only the envelope is checked at once; a wrong item is told in the ledger.
    is_bulk = case.method in {"POST", "PUT"} and case.path.startswith("/v2/data/")
    return is_bulk or any(not value for _, value in sent) or has_empty_text(case.body)


def has_empty_text(value):
    """Whether `""` stands somewhere in a body: it means "not given", whatever belongs there."""
    if isinstance(value, dict):
        value = list(value.values())
    return any(map(has_empty_text, value)) if isinstance(value, list) else value == ""
