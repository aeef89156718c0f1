"""Schemathesis calls the API with all that its documentation allows, and with what it does not."""

import logging
import re
from collections import Counter
from zlib import crc32

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, settings
from inflection import camelize
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ensure_resource_availability,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
)

from ingest import runner as loads
from ingest.models import BulkRequest
from search import runner as searches
from search.models import CustomerSearch
from tests.fuzz.allowed import lead_to_files, may_accept_wrong_data, show_body, stays_when_deleted
from tests.inventory import make_documented, make_inventory

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover, pytest.mark.long, pytest.mark.busy]

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
lead_to_files(schema.raw_schema)
schema.config.generation.update(deterministic=True, with_security_parameters=False)
schema.config.checks.negative_data_rejection.expected_statuses = ["4xx"]


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


# --- Along the links ------------------------------------------------------------------------------

STEPS = 10
# Paths among which chains of calls go; links of which some are followed by every run, and how many
# chains that takes. Hypothesis thinks of other ones where other modules are loaded, and chains of
# customers often end at a body that is refused.
FAMILIES = {
    "customers": (
        "^/(v1/customers|core)",
        {"readCustomer", "updateCustomer", "deleteCustomer", "listChanges", "recordActivity"},
        32,
    ),
    "searches": ("^/v1/search", {"readSearch", "cancelSearch", "downloadResult"}, 8),
    "loads": (
        "^/(v2/data|v1/customers)",
        {"readBulkRequest", "undoBulkRequest", "retryBulkRequest", "readBulkResults"},
        8,
    ),
}


class Calls:
    """Chains of calls, each chain in a registry of its own; jobs are done before the next call."""

    token = ""
    followed = Counter()

    def setup(self):
        self.turn = 0
        self.chain = transaction.atomic()
        self.chain.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.chain.__exit__(None, None, None)

    def before_call(self, case):
        """Two of three bodies are those that the document shows: most others are refused."""
        self.turn += 1
        if self.turn % 3:
            show_body(case, self.turn)
        case.headers["Authorization"] = f"Bearer {self.token}"

    def after_call(self, response, case):
        """Do what was queued, and note which link led here."""
        super().after_call(response, case)
        if response.status_code == 200 and case.method in {"POST", "PUT"}:
            do_jobs()
        call = self.recorder.cases[case.id]
        if call.transition is not None and call.is_transition_applied:
            name = case.operation.definition.raw["operationId"]
            self.followed[name, response.status_code < 400] += 1

    def validate_response(self, response, case, additional_checks=(), **_):
        """Also whether what was made is there, and what was deleted is not."""
        checks = [*CHECKS, ensure_resource_availability]
        if not stays_when_deleted(case):
            checks.append(use_after_free)
        case.validate_response(response, checks=checks, recorder=self.recorder)


def do_jobs():
    """Do all that is queued, but files, which are loaded by sessions of their own."""
    for search in CustomerSearch.objects.filter(status="SUBMITTED"):
        searches.run(search.pk)
    for request in BulkRequest.objects.filter(status="SUBMITTED").order_by("number"):
        if not request.is_by_file:
            loads.run(request.pk)


@pytest.mark.parametrize(("paths", "links", "scenarios"), FAMILIES.values(), ids=FAMILIES)
def test_chains_of_calls_are_answered_as_documented(paths, links, scenarios, confidant, storage):
    make_documented(confidant)
    machine = schema.include(path_regex=paths).as_state_machine()
    chains = type("Chains", (Calls, machine), {"token": confidant.token, "followed": Counter()})
    chains.run(
        settings=settings(
            max_examples=scenarios,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )
    followed = {name for name, is_success in chains.followed if is_success}
    assert followed & links, chains.followed
