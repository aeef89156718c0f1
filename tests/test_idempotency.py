"""A POST that is sent twice happens once, and is answered twice the same."""

import uuid
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import idempotency
from config.api.actors import Actor, ActorType, Scope
from config.api.errors import Forbidden, NotFound
from config.api.views import ApiView
from config.models import IdempotencyKey
from config.tasks import delete_expired_idempotency_keys
from customers.roles import ROLES
from tests.factories import Client

KEY = "a-key-of-the-client"


def made() -> list[str]:
    """Names of the groups that requests have made; the roles are groups too."""
    return list(Group.objects.exclude(name__in=ROLES).values_list("name", flat=True))


running, go_on = Event(), Event()
committed: list[str] = []


class Groups(ApiView):
    """Makes a group, and does what `then` says after that."""

    scopes = {"POST": Scope.CUSTOMERS_WRITE, "PUT": Scope.CUSTOMERS_WRITE}
    parameters = {"POST": {"x"}}

    def post(self, request: Request):
        group = Group.objects.create(name=request.data["name"])
        transaction.on_commit(lambda: committed.append(group.name))
        match request.data.get("then"):
            case "fail":
                raise NotFound
            case "forbid":
                raise Forbidden("No.")
            case "empty":
                return Response(status=204)
            case "break":
                raise LookupError
            case "wait":
                running.set()
                assert go_on.wait(20)
        return Response(
            {"id": group.pk, "random": str(uuid.uuid4())},
            status=201,
            headers={"Location": f"/v1/groups/{group.pk}"},
        )

    put = post


class Secrets(Groups):
    idempotent = False


urlpatterns = [path("v1/groups", Groups.as_view()), path("v1/secrets", Secrets.as_view())]
handler404 = "config.api.handlers.page_not_found"

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.test_idempotency")]


def make_client(client_id: str = "one", actor_id: str = "5") -> Client:
    account = uuid.UUID(int=1)
    scopes = frozenset({Scope.CUSTOMERS_WRITE})
    actor = Actor(ActorType.SERVICE_ACCOUNT, actor_id, account, (account,), scopes, client_id)
    client = Client()
    client.force_authenticate(user=None, token=actor)
    return client


@pytest.fixture
def api():
    return make_client()


def post(api, name="a", key=KEY, where="/v1/groups", **more):
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return api.post(where, {"name": name, **more}, **headers)


def test_the_first_answer_comes_again_byte_for_byte(api):
    first, second = post(api), post(api)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first["Location"] == second["Location"]
    assert first["Content-Type"] == second["Content-Type"]
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert first["X-Request-Id"] != second["X-Request-Id"]
    assert made() == ["a"]


def test_an_empty_answer_comes_again_empty(api):
    first, second = post(api, then="empty"), post(api, then="empty")
    assert (first.status_code, first.content) == (second.status_code, second.content) == (204, b"")
    assert "Content-Type" not in first
    assert "Content-Type" not in second


def test_without_a_key_nothing_is_kept(api):
    post(api, "a", key=None)
    post(api, "b", key=None)
    assert made() == ["a", "b"]
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize(
    ("where", "name"), [("/v1/groups", "b"), ("/v1/groups?x=1", "a")], ids=["body", "path"]
)
def test_a_key_for_another_request_is_422(api, where, name):
    post(api)
    response = post(api, name, where=where)
    assert (response.status_code, response.json()["errorCode"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert made() == ["a"]


@pytest.mark.parametrize("key", ["short", "", "x" * 256, "tab\tinside", "ümlaut", "new\nline"])
def test_a_key_that_is_no_key_is_400(api, key):
    response = post(api, key=key)
    assert response.status_code == 400
    assert response.json()["errorCode"] == "INVALID_IDEMPOTENCY_KEY"
    assert made() == []


@pytest.mark.parametrize("key", ["sixsix", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
def test_a_key_may_have_6_to_255_printable_characters(api, key):
    assert post(api, key=key).status_code == 201


def test_a_client_error_does_not_use_the_key_up_and_its_work_is_undone(api):
    assert post(api, then="fail").status_code == 404
    assert not IdempotencyKey.objects.exists()
    assert made() == []
    assert post(api, "corrected").status_code == 201
    assert made() == ["corrected"]


def test_a_fault_of_ours_is_not_kept_and_the_next_attempt_runs(api):
    assert post(api, then="break").status_code == 500
    assert not IdempotencyKey.objects.exists()
    assert made() == []
    assert post(api).status_code == 201


def test_a_refusal_is_not_kept(api):
    assert post(api, then="forbid").status_code == 403
    assert not IdempotencyKey.objects.exists()


def test_each_client_has_keys_of_its_own(api):
    post(api, "a")
    assert post(make_client(client_id="two"), "b").status_code == 201
    assert post(make_client(actor_id="6"), "c").status_code == 201


def test_only_a_post_asks_for_it(api):
    for name in ("a", "b"):
        response = api.put("/v1/groups", {"name": name}, HTTP_IDEMPOTENCY_KEY=KEY)
        assert response.status_code == 201


def test_an_answer_that_is_a_secret_is_not_kept(api):
    assert post(api, "a", where="/v1/secrets").status_code == 201
    assert post(api, "b", where="/v1/secrets").status_code == 201
    assert not IdempotencyKey.objects.exists()


def test_what_is_kept_shows_neither_key_nor_body(api):
    response = post(api, "Ada Lovelace")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text, body_sealed FROM platform_idempotencykey t")
        text, sealed = cursor.fetchone()
    assert KEY not in text
    assert response.json()["random"].encode() not in bytes(sealed)


def test_an_answer_whose_encryption_key_is_gone_is_not_done_again(api, settings):
    post(api)
    settings.ENCRYPTION_KEYS = {"new": b"n" * 32}
    response = post(api)
    assert (response.status_code, response.json()["errorCode"]) == (409, "IDEMPOTENT_ANSWER_LOST")
    assert made() == ["a"]


def test_after_24_hours_the_key_is_free(api):
    post(api, "a")
    IdempotencyKey.objects.update(created_at=timezone.now() - idempotency.KEPT)
    response = post(api, "b")
    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response
    assert post(api, "b")["Idempotent-Replayed"] == "true"


def test_old_keys_are_deleted_in_batches(api, monkeypatch):
    monkeypatch.setattr(idempotency, "BATCH", 2)
    for number in range(5):
        post(api, f"old {number}", key=f"old-key-{number}")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    post(api, "young")
    delete_expired_idempotency_keys()
    assert IdempotencyKey.objects.count() == 1
    assert post(api, "young")["Idempotent-Replayed"] == "true"


def test_a_replay_costs_a_transaction_of_two_queries(api, django_assert_num_queries):
    post(api)
    # Lock and look-up, between a savepoint and its release: the test itself is a transaction.
    with django_assert_num_queries(4):
        post(api)


@pytest.mark.django_db(transaction=True)
def test_while_the_first_runs_the_second_is_409(api):
    answers = []

    def first():
        try:
            answers.append(post(make_client(), then="wait"))
        finally:
            connection.close()

    running.clear()
    go_on.clear()
    committed.clear()
    thread = Thread(target=first)
    thread.start()
    try:
        assert running.wait(20)
        response = post(api, then="wait")
        assert response.status_code == 409
        assert response["Retry-After"] == "1"
        assert response.json()["errorCode"] == "IDEMPOTENCY_KEY_IN_USE"
        assert committed == []
    finally:
        go_on.set()
        thread.join(20)
    assert answers[0].status_code == 201
    assert committed == ["a"]
    replay = post(api, then="wait")
    assert replay.content == answers[0].content
    assert made() == ["a"]


@pytest.mark.django_db(transaction=True)
def test_what_a_failed_request_wanted_to_send_on_commit_is_not_sent(api):
    committed.clear()
    post(api, then="break")
    post(api, "b", key="another-key", then="fail")
    assert committed == []
