"""Every route of the URL table is guarded and documented, without anybody having to think of it.

That an answer has the error body of its dialect is checked with every answer (`tests.documented`).
"""

import json

import pytest
from django.urls import path
from rest_framework.permissions import AllowAny

from config.api.actors import SCOPES
from config.api.dialects import base_of
from config.api.permissions import HasScope
from config.api.routes import METHODS, api_routes, routes
from config.api.views import ApiView
from tests import factories
from tests.documented import call, operations
from tests.factories import Client
from tests.inventory import make_inventory, make_nothing
from tests.tables import WITHOUT_SCOPE

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

# Routes outside of the API, each with what guards it instead.
OUTSIDE = {
    "": "a page of links, the same for everybody",
    "healthz": "for machines that watch this one; says nothing but that it lives",
    "readyz": "likewise; names the parts, and why database and release or keys do not fit",
    "metrics": "asks for a token of its own (test_metrics)",
    "schema": "the documentation is public",
    "docs": "likewise",
    "docs/oauth2-redirect": "an empty page with a script, for who signs in at /docs",
    "docs/samples.json": "likewise",
    "docs/collection.json": "likewise",
    "docs/": "leads there",
    "schema/": "likewise",
    "admin/": "the back office signs people in itself (test_admin)",
    "^oauth2/authorize/?$": "signs people in itself (test_oauth)",
    "^oauth2/login/?$": "where they do",
    "^oauth2/token/?$": "is where tokens come from (test_oauth_tokens)",
    "^oauth2/revoke_token/?$": "asks for the client's secret (test_oauth_tokens)",
    "^oauth2/introspect/?$": "likewise, or for a token",
    "account/forgot-password": "tells nobody whether there is such an address (test_people_pages)",
    "account/password/<uidb64>/<token>": "a link is good once (test_people_pages)",
    "account/password-chosen": "a page, the same for everybody",
    ".well-known/oauth-authorization-server": "metadata, public by RFC 8414",
}
CALLS = {
    f"{method} {route.pattern}": (route, method)
    for route in api_routes()
    for method in route.methods
}
GUARDED = {name: row for name, row in CALLS.items() if row[0].pattern not in WITHOUT_SCOPE}
WITH_IDS = {name: row for name, row in CALLS.items() if row[0].variables}
STRANGERS = ["sibling", "outsider", "child"]
# The caller's own words for its things: none is foreign, and what is unknown its ledger says.
OPAQUE = {"source_customer_id", "source_account_id"}
CHANGING = {"timestamp", "traceId", "requestId"}
OF_THE_REQUEST = {"X-Request-Id", "RateLimit"}


@pytest.fixture(autouse=True)
def files(storage):
    """Result files of these tests are thrown away."""


@pytest.fixture
def house(owner):
    """What there is in the house."""
    return make_inventory(owner)


def told(answer, ids=()):
    """All that an answer tells, but for what differs from request to request, and these ids."""
    headers = {name: value for name, value in answer.items() if name not in OF_THE_REQUEST}
    text = answer.content.decode()
    for each in ids:
        text = text.replace(each, "*")
    body = json.loads(text) if text else {}
    return (
        answer.status_code,
        headers,
        {name: value for name, value in body.items() if name not in CHANGING},
    )


# --- The table itself -----------------------------------------------------------------------------


def test_every_route_outside_of_the_api_is_known_for_a_reason():
    found = {
        "admin/" if route.pattern.startswith("admin/") else route.pattern
        for route in routes()
        if not base_of("/" + route.pattern)
    }
    assert found == OUTSIDE.keys()


def test_every_api_route_is_guarded_by_a_scope_or_known_for_a_reason():
    assert all(issubclass(route.view, ApiView) for route in api_routes())
    unguarded = {
        route.pattern
        for route in api_routes()
        if not any(issubclass(each, HasScope) for each in route.view.permission_classes)
        or not set(route.methods) <= route.view.scopes.keys()
    }
    assert unguarded == WITHOUT_SCOPE.keys()


def test_every_call_is_documented_and_nothing_else():
    served = {(route.path, method) for route in api_routes() for method in route.methods}
    assert {(path, method) for path, method, _ in operations()} == served


class Forgotten(ApiView):
    permission_classes = [AllowAny]

    def get(self, _request):
        """Nobody thought of this one."""


urlpatterns = [path("v1/forgotten", Forgotten.as_view()), path("beside", Forgotten.as_view())]


@pytest.mark.urls("tests.test_routes")
def test_a_route_that_was_forgotten_is_found():
    assert [route.pattern for route in routes()] == ["v1/forgotten", "beside"]
    with pytest.raises(AssertionError):
        test_every_route_outside_of_the_api_is_known_for_a_reason()
    with pytest.raises(AssertionError):
        test_every_api_route_is_guarded_by_a_scope_or_known_for_a_reason()
    with pytest.raises(AssertionError):
        test_every_call_is_documented_and_nothing_else()


# --- Who is refused -------------------------------------------------------------------------------


def test_without_a_token_there_is_nothing(house, anonymous, each_alone):
    def refused(route, method):
        answers = [call(anonymous, route, method, ids) for ids in (house, make_nothing())]
        for answer in answers:
            assert answer.status_code == 401
            assert answer["WWW-Authenticate"] == "Bearer"
        assert told(answers[0]) == told(answers[1])

    each_alone(refused, GUARDED)


def test_a_token_of_a_revoked_client_is_worth_nothing(house, revoked, each_alone):
    def refused(route, method):
        answer = call(revoked.api, route, method, house)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    each_alone(refused, GUARDED)


def test_only_the_scope_of_the_call_opens_it(house, account, each_alone):
    def refused(route, method):
        needed = route.view.scopes[method]
        others = tuple(scope for scope in SCOPES if scope != needed)
        for scopes in ((), others):
            speaker = factories.make_speaker(account, scopes=scopes)
            for ids in (house, make_nothing()):
                assert call(speaker.api, route, method, ids).status_code == 403

    each_alone(refused, GUARDED)


def test_who_may_only_read_starts_and_changes_nothing(house, reader, each_alone):
    def refused(route, method):
        assert call(reader.api, route, method, house).status_code == 403

    each_alone(refused, {name: row for name, row in GUARDED.items() if row[1] != "GET"})


def test_a_method_that_is_not_there_is_405(house, owner, each_alone):
    def refused(route):
        for method in set(METHODS) - set(route.methods):
            answer = owner.api.generic(method, route.url(house))
            assert answer.status_code == 405, method
            assert set(answer["Allow"].split(", ")) - {"HEAD"} == set(route.methods)

    each_alone(refused, {route.pattern: (route,) for route in api_routes()})


# --- What strangers learn -------------------------------------------------------------------------


@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_is_foreign_is_what_never_was(stranger, house, request, each_alone):
    speaker = request.getfixturevalue(stranger)
    own, nothing = make_inventory(speaker), make_nothing()

    def hidden(route, method):
        mixed = [own | named(house, name) for name in route.variables]
        unknown = [own | named(nothing, name) for name in route.variables]
        for foreign, never in zip([house, *mixed], [nothing, *unknown], strict=True):
            answers = [call(speaker.api, route, method, ids) for ids in (foreign, never)]
            expected = 200 if OPAQUE.issuperset(route.variables) else 404
            assert answers[0].status_code == expected
            assert told(answers[0], foreign.values()) == told(answers[1], never.values())

    each_alone(hidden, WITH_IDS)


def named(ids, name):
    """The ids of this name, with those that are for other paths."""
    return {key: value for key, value in ids.items() if key.partition(" of ")[0] == name}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_no_answer_to_a_stranger_names_what_is_in_the_house(stranger, house, request, each_alone):
    speaker = request.getfixturevalue(stranger)
    own = make_inventory(speaker)

    def silent(route, method):
        answer = call(speaker.api, route, method, own)
        assert answer.status_code < 300
        for name in ("customer_id", "address_id", "account_id", "search_id"):
            assert house[name] not in answer.getvalue().decode()

    each_alone(silent, GUARDED)


def test_what_moves_out_of_the_tree_is_out_of_reach_at_once(parent, child, each_alone):
    """By a token of before the move."""
    theirs, nothing = make_inventory(child), make_nothing()
    reached = set()

    def hidden(route, method):
        if method == "GET" and call(parent.api, route, method, theirs).status_code == 200:
            reached.add(route.pattern)
        child.account.parent = None
        child.account.save(update_fields=["parent"])
        answers = [call(parent.api, route, method, ids) for ids in (theirs, nothing)]
        assert told(answers[0], theirs.values()) == told(answers[1], nothing.values())

    each_alone(hidden, WITH_IDS)
    assert reached >= {
        "v1/customers/<id:customer_id>",
        "v1/customers/<id:customer_id>/history",
        "v1/customers/<id:customer_id>/activities",
        "v1/business-accounts/<id:account_id>",
    }


def test_whose_it_is_sees_it(house, owner, each_alone):
    """Otherwise the tests above would not be about what they say."""

    def seen(route, method):
        assert call(owner.api, route, method, house).status_code < 300

    each_alone(seen, WITH_IDS)


# --- The routes that no scope guards --------------------------------------------------------------


def test_an_exchange_without_a_secret_is_refused(anonymous):
    answer = anonymous.post("/v1/api-keys/exchange")
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "NOT_AUTHENTICATED")
    assert answer["WWW-Authenticate"].startswith("Basic ")


def test_a_link_without_its_signature_leads_nowhere(house, owner, anonymous):
    ids = house | {"signature": make_nothing()["signature"]}
    (route,) = [route for route in api_routes() if "signature" in route.variables]
    for api in (anonymous, owner.api, Client("not-a-token")):
        answer = api.get(route.url(ids))
        assert answer.status_code == (401 if api.token == "not-a-token" else 404)
