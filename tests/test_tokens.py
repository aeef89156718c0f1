"""Who speaks: bearer tokens, what they may do, and the exchange of keys for tokens."""

import base64
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config.api.actors import DEFAULT_SCOPES, SCOPES, ActorType, Scope
from customers.authentication import actor_of
from customers.models import AccessToken, BusinessAccount, Customer, OAuthClient
from tests import factories
from tests.factories import Client, make_token

EXCHANGE = "/v1/api-keys/exchange"
SELF = "/v1/business-accounts/self"

pytestmark = pytest.mark.django_db


def basic(key: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()


def exchange(key: str, secret: str, **headers):
    return Client().post(EXCHANGE, HTTP_AUTHORIZATION=basic(key, secret), **headers)


# --- The actor of a token -------------------------------------------------------------------------


def test_a_key_s_token_speaks_for_its_service_account(owner, account, child_account):
    actor = owner.actor
    assert actor.type == ActorType.SERVICE_ACCOUNT
    assert actor.id == str(owner.oauth_client.service_account_id)
    assert actor.business_account_id == account.pk
    assert set(actor.tree) == {account.pk, child_account.pk}
    assert actor.scopes == set(DEFAULT_SCOPES)
    assert actor.client_id == owner.key.id
    assert actor.region == "US"
    assert actor.customer_id is None


def test_the_tree_goes_down_all_generations_and_never_up(parent, account, child_account, sibling):
    grandchild = factories.make_business_account(parent=child_account)
    seen = {parent.account.pk, account.pk, child_account.pk, grandchild.pk, sibling.account.pk}
    assert set(parent.actor.tree) == seen
    assert set(sibling.actor.tree) == {sibling.account.pk}


def test_the_region_is_that_of_the_business_account():
    account = factories.make_business_account(default_region="PT")
    assert factories.make_speaker(account).actor.region == "PT"


@pytest.mark.parametrize("role", ["Owner", "Clerk", "View Only"])
def test_an_employee_may_do_what_the_role_may(account, role):
    actor = factories.make_employee_speaker(account, role=role).actor
    assert actor.type == ActorType.EMPLOYEE
    assert actor.may(Scope.CUSTOMERS_READ)
    assert actor.may(Scope.CUSTOMERS_WRITE) == (role != "View Only")
    assert actor.may(Scope.CUSTOMERS_SENSITIVE) == (role == "Owner")


def test_an_employee_s_token_never_may_more_than_it_was_given(account):
    speaker = factories.make_employee_speaker(account, role="Owner", scopes=(Scope.SEARCH_RUN,))
    assert speaker.actor.scopes == {Scope.SEARCH_RUN}


def test_an_employee_without_a_role_may_nothing(employee):
    employee.user.groups.clear()
    assert employee.actor.scopes == frozenset()


def test_a_scope_taken_from_the_service_account_is_gone_from_its_tokens_at_once(owner):
    service_account = owner.oauth_client.service_account
    service_account.scopes = [Scope.CUSTOMERS_READ]
    service_account.save()
    assert owner.actor.scopes == {Scope.CUSTOMERS_READ}


def test_a_customer_who_signs_in_is_itself_and_reads(customer, child_account):
    actor = factories.make_customer_speaker(customer).actor
    assert actor.type == ActorType.CUSTOMER
    assert actor.id == str(customer.pk)
    assert actor.customer_id == customer.pk
    assert actor.tree == (customer.business_account_id,)
    assert actor.scopes == {Scope.CUSTOMERS_READ, Scope.CORE_READ}


@pytest.mark.parametrize("status", [Customer.Status.SUSPENDED, Customer.Status.DELETED])
def test_a_customer_who_is_not_active_cannot_act(customer, status):
    speaker = factories.make_customer_speaker(customer)
    Customer.objects.filter(pk=customer.pk).update(status=status)
    assert actor_of(speaker.token) is None


@pytest.mark.parametrize("who", ["owner", "employee"])
def test_a_token_costs_one_query(request, who, django_assert_num_queries):
    speaker = request.getfixturevalue(who)
    with django_assert_num_queries(1):
        assert actor_of(speaker.token)


def test_a_customer_s_token_costs_two_queries(customer, django_assert_num_queries):
    speaker = factories.make_customer_speaker(customer)
    with django_assert_num_queries(2):
        assert actor_of(speaker.token)


def test_first_use_is_noted_and_then_at_most_once_a_minute(owner, django_assert_num_queries):
    clients = OAuthClient.objects.filter(pk=owner.oauth_client.pk)
    clients.update(last_used_at=None)
    with django_assert_num_queries(2):
        actor_of(owner.token)
    assert clients.get().last_used_at is not None
    with django_assert_num_queries(1):
        actor_of(owner.token)
    long_ago = timezone.now() - timedelta(minutes=2)
    clients.update(last_used_at=long_ago)
    actor_of(owner.token)
    assert clients.get().last_used_at > long_ago


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_another_request_that_notes_the_same_use(owner):
    clients = OAuthClient.objects.filter(pk=owner.oauth_client.pk)
    clients.update(last_used_at=None)
    held, done = threading.Event(), threading.Event()

    def hold_the_row():
        try:
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(
                    "UPDATE customers_oauthclient SET last_used_at = now() WHERE id = %s",
                    [owner.oauth_client.pk],
                )
                held.set()
                done.wait(20)
                cursor.execute("ROLLBACK")
        finally:
            connection.close()

    holder = threading.Thread(target=hold_the_row)
    holder.start()
    assert held.wait(20)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
        assert actor_of(owner.token)
        cursor.execute("RESET lock_timeout")
    done.set()
    holder.join()


# --- Requests with and without a token ------------------------------------------------------------


def assert_refused(response):
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    body = response.json()
    assert set(body) == {"timestamp", "traceId", "message", "errorCode", "errors"}


def test_a_good_token_opens_the_api(owner, account):
    response = owner.api.get(SELF)
    assert response.status_code == 200
    assert response.json()["id"] == str(account.pk)


def test_the_scheme_is_read_without_case(owner):
    client = Client(HTTP_AUTHORIZATION=f"bEARER   {owner.token} ")
    assert client.get(SELF).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 5000,
        "Token abc",
        "Basic YTpi",
    ],
)
def test_a_missing_or_bad_token_is_401(anonymous, header):
    extra = {} if header is None else {"HTTP_AUTHORIZATION": header}
    assert_refused(anonymous.get(SELF, **extra))


def test_a_token_in_the_query_string_is_no_token(owner, anonymous):
    assert anonymous.get(SELF, {"access_token": owner.token}).status_code == 401


def test_an_expired_token_is_401(owner):
    expired = make_token(owner.oauth_client, seconds=-1)
    assert_refused(Client(expired).get(SELF))


def test_a_revoked_client_s_token_is_401(revoked):
    assert_refused(revoked.api.get(SELF))


def test_a_deleted_token_is_401(owner):
    AccessToken.objects.all().delete()
    assert_refused(owner.api.get(SELF))


def test_an_inactive_service_account_s_token_is_401(owner):
    service_account = owner.oauth_client.service_account
    service_account.is_active = False
    service_account.save()
    assert_refused(owner.api.get(SELF))


def test_an_inactive_employee_s_token_is_401(employee):
    assert employee.api.get(SELF).status_code == 200
    employee.user.is_active = False
    employee.user.save()
    assert_refused(employee.api.get(SELF))


def test_a_person_without_a_business_account_has_no_token_that_works(employee):
    employee.user.business_account = None
    employee.user.save()
    assert_refused(employee.api.get(SELF))


def test_a_person_cannot_speak_through_an_api_key(owner, employee):
    token = make_token(owner.oauth_client, user=employee.user)
    assert_refused(Client(token).get(SELF))


def test_an_app_without_a_person_is_nobody():
    token = make_token(factories.make_app(), scopes=DEFAULT_SCOPES)
    assert_refused(Client(token).get(SELF))


def test_a_known_actor_without_the_scope_is_403(account):
    speaker = factories.make_speaker(account, scopes=(Scope.BULK_WRITE,))
    assert speaker.api.get(SELF).status_code == 403


# --- POST /v1/api-keys/exchange -------------------------------------------------------------------


def test_a_key_and_its_secret_give_a_token(account, anonymous):
    key = factories.make_api_key(account)
    response = exchange(key.id, key.secret)
    assert response.status_code == 200
    body = response.json()
    assert list(body) == ["access_token", "token_type", "expires_in"]
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert response["Cache-Control"] == "no-store"
    assert Client(body["access_token"]).get(SELF).json()["id"] == str(account.pk)


def test_a_token_of_a_machine_whose_clock_is_behind_is_good(account, monkeypatch):
    key = factories.make_api_key(account)
    behind = timezone.now() - timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: behind)
    token = exchange(key.id, key.secret).json()["access_token"]
    assert Client(token).get(SELF).status_code == 200


def test_each_exchange_gives_another_token_and_all_are_good(account):
    key = factories.make_api_key(account)
    tokens = {exchange(key.id, key.secret).json()["access_token"] for _ in range(3)}
    assert len(tokens) == 3
    assert all(Client(token).get(SELF).status_code == 200 for token in tokens)


def test_a_token_has_the_scopes_of_the_service_account(account):
    key = factories.make_api_key(account, scopes=(Scope.SEARCH_RUN,))
    actor = actor_of(exchange(key.id, key.secret).json()["access_token"])
    assert actor.scopes == {Scope.SEARCH_RUN}


def test_an_idempotency_key_does_not_keep_the_secret(account):
    key = factories.make_api_key(account)
    header = {"HTTP_IDEMPOTENCY_KEY": "exchange-1"}
    first, second = (exchange(key.id, key.secret, **header).json() for _ in range(2))
    assert first["access_token"] != second["access_token"]


def assert_exchange_refused(response):
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")
    body = response.json()
    assert set(body) == {"timestamp", "traceId", "message", "errorCode", "errors"}
    assert body["errorCode"] == "INVALID_KEY"
    return body["message"]


def test_whatever_is_wrong_with_a_key_the_answer_is_the_same(account, revoked):
    key = factories.make_api_key(account)
    retired = factories.make_api_key(account)
    retired.client.service_account.is_active = False
    retired.client.service_account.save()
    app = factories.make_app(
        client_type=OAuthClient.CLIENT_CONFIDENTIAL, client_secret="apps-secret"
    )
    refused = [
        exchange(key.id, "wrong"),
        exchange(key.id, ""),
        exchange(key.id, key.client.client_secret),
        exchange("unknown", key.secret),
        exchange("", ""),
        exchange("\0", "\0"),
        exchange("schlüssel", "geheim\ud800".encode(errors="replace").decode()),
        exchange(revoked.key.id, revoked.key.secret),
        exchange(retired.id, retired.secret),
        exchange(app.client_id, "apps-secret"),
    ]
    assert len({assert_exchange_refused(response) for response in refused}) == 1
    assert AccessToken.objects.filter(application=key.client).count() == 0


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ???", "Basic /w==", "Basic bm9jb2xvbg==", "Bearer x", "Basic é"]
)
def test_a_bad_authorization_header_is_401(anonymous, header):
    assert_exchange_refused(anonymous.post(EXCHANGE, HTTP_AUTHORIZATION=header))


def test_the_exchange_answers_post_only(anonymous):
    response = anonymous.get(EXCHANGE)
    assert response.status_code == 405
    assert "POST" in response["Allow"]
    assert response.json()["errorCode"] == "METHOD_NOT_ALLOWED"


def test_an_address_that_guesses_is_stopped_with_a_time_to_come_back(account, settings):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 3
    key = factories.make_api_key(account)
    answers = [exchange(key.id, "guess") for _ in range(8)]
    assert answers[0].status_code == 401
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    # A secret of 256 random bits is not guessed, and must not be locked out by who tries.
    assert exchange(key.id, key.secret).status_code == 200


# --- What is stored -------------------------------------------------------------------------------


def test_neither_secret_nor_token_is_in_any_table(account):
    key = factories.make_api_key(account)
    token = exchange(key.id, key.secret).json()["access_token"]
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        assert "customers_accesstoken" in tables
        for table in tables:
            for value in (key.secret, token):
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" row WHERE row::text LIKE %s', [f"%{value}%"]
                )
                assert cursor.fetchone() == (0,), table


def test_every_scope_is_one_that_the_actor_knows():
    assert set(SCOPES) == {scope.value for scope in Scope}


def test_no_business_account_is_visible_above_the_token_s_own(child, account, parent_account):
    seen = BusinessAccount.objects.visible_to(child.actor)
    assert not seen.filter(pk__in=[account.pk, parent_account.pk]).exists()
