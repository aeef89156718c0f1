"""How often a client may ask, and an address may fail to say who it is."""

import uuid

import pytest
from django.urls import path
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import throttling
from config.api.actors import Actor, ActorType, Scope
from config.api.errors import TooManyRequests
from config.api.views import ApiView
from tests.factories import Client


class Constant(ApiView):
    scopes = {"GET": Scope.CUSTOMERS_READ}

    def get(self, _request: Request):
        return Response({"ok": True})


class Guessed(ApiView):
    permission_classes = [AllowAny]

    def perform_authentication(self, request: Request):
        request._not_authenticated()
        throttling.refuse_guessers(request, "exchange")
        throttling.note_failure(request, "exchange")

    def get(self, _request: Request):
        raise AuthenticationFailed


urlpatterns = [
    path("v1/constant", Constant.as_view()),
    path("v1/guessed", Guessed.as_view()),
]

pytestmark = pytest.mark.urls("tests.test_limits")


def make_client(client_id: str = "one") -> Client:
    account = uuid.UUID(int=1)
    scopes = frozenset({Scope.CUSTOMERS_READ})
    actor = Actor(ActorType.SERVICE_ACCOUNT, "5", account, (account,), scopes, client_id)
    client = Client()
    client.force_authenticate(user=None, token=actor)
    return client


@pytest.fixture
def api():
    return make_client()


@pytest.fixture
def clock(monkeypatch):
    """The minute of the limits stands still; `clock[0] += 60` is the next one."""
    hands = [1_800_000_000.0]
    monkeypatch.setattr(throttling, "now", lambda: hands[0])
    monkeypatch.setattr(throttling, "_availability", throttling._Availability())
    return hands


def test_a_client_has_so_many_requests_a_minute(api, clock, settings):
    settings.REQUESTS_PER_MINUTE = 3
    clock[0] += 20
    answers = [api.get("/v1/constant") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[0]["RateLimit-Policy"] == '"client";q=3;w=60'
    assert answers[0]["RateLimit"] == '"client";r=2;t=40'
    assert answers[3]["RateLimit"] == '"client";r=0;t=40'
    assert answers[3]["Retry-After"] == "40"
    assert answers[3].json()["errorCode"] == "TOO_MANY_REQUESTS"
    assert make_client("two").get("/v1/constant").status_code == 200
    clock[0] += 40
    assert api.get("/v1/constant").status_code == 200


def test_a_limit_of_0_is_none(api, clock, settings):
    settings.REQUESTS_PER_MINUTE = 0
    assert "RateLimit" not in api.get("/v1/constant")


@given(st.integers(1, 3000), st.lists(st.integers(0, 2), min_size=1, max_size=60))
def test_processes_together_never_pass_the_limit_nor_stop_far_below(limit, turns):
    processes = [throttling._Blocks() for _ in range(3)]
    key, block = f"blocks:{uuid.uuid4()}", max(1, limit // 600)
    numbers = [processes[turn].take(key, 1, limit) for turn in turns]
    assert len(set(numbers)) == len(numbers), "two requests were counted as one"
    assert max(numbers) <= len(turns) + len(processes) * (block - 1)


def test_without_redis_everything_passes_and_the_log_is_told_once(api, clock, settings, caplog):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    settings.REQUESTS_PER_MINUTE = 1
    answers = [api.get("/v1/constant") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit" not in answers[0]
    assert [record.name for record in caplog.records].count("config.api.throttling") == 1


def test_an_address_that_tries_out_secrets_is_stopped(clock, settings):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 2
    guesser = Client()
    statuses = [guesser.get("/v1/guessed").status_code for _ in range(4)]
    assert statuses == [401, 401, 429, 429]
    assert guesser.get("/v1/guessed", REMOTE_ADDR="192.0.2.7").status_code == 401
    clock[0] += 60
    assert guesser.get("/v1/guessed").status_code == 401


def test_an_address_that_tries_out_tokens_is_stopped(clock, settings, db):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 2
    guesser = Client("guess")
    answers = [guesser.get("/v1/constant") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[2]["Retry-After"]) <= 60


def test_failures_of_one_kind_are_not_those_of_another(clock, settings, rf):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 1
    request = rf.get("/")
    throttling.note_failure(request, "token")
    throttling.refuse_guessers(request, "exchange")
    with pytest.raises(TooManyRequests):
        throttling.refuse_guessers(request, "token")


@pytest.mark.parametrize(("trusted", "address"), [(True, "203.0.113.9"), (False, "127.0.0.1")])
def test_only_a_trusted_proxy_says_where_a_request_is_from(rf, settings, trusted, address):
    settings.TRUST_PROXY = trusted
    request = rf.get("/", HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.9")
    assert throttling.address_of(request) == address
