"""Who guesses passwords or secrets is stopped, at every door together; a good key still works."""

import base64
from functools import cache, partial

import pytest
from django.contrib.messages import get_messages
from django.test import Client as Browser

from config.api import attempts
from customers.models import SignInAttempt, User
from tests import factories
from tests.factories import PASSWORD, Client
from tests.oauth_steps import signed_in
from tests.second_factors import equip

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
DOORS = ("/admin/login/", "/oauth2/login")
MANY = 100


@pytest.fixture
def person(account):
    return factories.make_employee(account, is_staff=True)


def sign_in(door, email, password, address="192.0.2.1"):
    form = {"username": email, "password": password}
    return Browser().post(door, form, REMOTE_ADDR=address)


def exchange(key, secret, address="192.0.2.1"):
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    return Client().post(
        "/v1/api-keys/exchange", HTTP_AUTHORIZATION=f"Basic {basic}", REMOTE_ADDR=address
    )


def ask_token(key, secret, address="192.0.2.1"):
    form = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret}
    return Browser().post("/oauth2/token", form, REMOTE_ADDR=address)


@pytest.mark.parametrize("door", DOORS)
def test_an_account_is_paused_after_some_wrong_passwords_from_any_address(door, person):
    answers = [
        sign_in(door, person.email, "wrong", f"192.0.2.{number}") for number in range(attempts.FREE)
    ]
    assert [answer.status_code for answer in answers] == [200] * (attempts.FREE - 1) + [429]
    refused = sign_in(door, person.email, PASSWORD, "198.51.100.1")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "Too many failed attempts" in refused.content.decode()


def test_the_doors_count_together(person):
    for number in range(attempts.FREE):
        sign_in(DOORS[number % 2], person.email.upper(), "wrong")
    assert [sign_in(door, person.email, PASSWORD).status_code for door in DOORS] == [429, 429]


@pytest.mark.parametrize("door", DOORS)
def test_a_pause_does_not_tell_whether_there_is_such_an_account(door, person):
    told = []
    for email in (person.email, "nobody@example.com"):
        answers = [sign_in(door, email, "wrong") for _ in range(attempts.FREE + 1)]
        texts = [a.content.decode().replace(email, "WHO") for a in answers]
        told.append(
            [(a.status_code, "Too many failed" in t) for a, t in zip(answers, texts, strict=True)]
        )
    assert told[0] == told[1]


def test_pauses_grow_with_every_failure_and_have_an_end(rf):
    request, seconds = rf.get("/"), []
    for number in range(attempts.FREE + 14):
        request.META["REMOTE_ADDR"] = f"192.0.2.{number}"
        try:
            attempts.note_failure(request, "guessed@example.com")
        except attempts.TooManyRequests as error:
            seconds.append(int(error.headers["Retry-After"]))
    assert seconds[:4] == [30, 60, 120, 240]
    assert seconds == sorted(seconds)
    assert seconds[-1] == attempts.LONGEST_PAUSE


def test_a_success_forgets_the_failures_before(person):
    for _ in range(3):
        for _ in range(attempts.FREE - 2):
            assert sign_in(DOORS[0], person.email, "wrong").status_code == 200
        assert sign_in(DOORS[1], person.email, PASSWORD).status_code == 302


def test_an_address_that_guesses_many_accounts_is_stopped_at_every_door(settings, person, owner):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 4
    for number in range(2):
        sign_in(DOORS[0], f"a{number}@example.com", "wrong")
        exchange(f"key{number}", "wrong")
    assert sign_in(DOORS[1], "b@example.com", "wrong").status_code == 429
    assert exchange("key9", "wrong").status_code == 429
    assert ask_token("key9", "wrong").status_code == 429
    assert sign_in(DOORS[1], person.email, PASSWORD, "198.51.100.1").status_code == 302


def test_a_good_key_works_from_an_address_that_guesses_and_for_a_key_that_is_guessed(
    settings, owner
):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 3
    key = owner.key
    statuses = [exchange(key.id, "wrong").status_code for _ in range(9)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert ask_token(key.id, "wrong").status_code == 429
    assert exchange(key.id, key.secret).status_code == 200
    assert ask_token(key.id, key.secret).status_code == 200


def test_guesses_at_a_key_from_many_addresses_are_refused(owner):
    statuses = [
        door(owner.key.id, "wrong", f"192.0.2.{number}").status_code
        for number in range(attempts.FREE)
        for door in (exchange, ask_token)
    ]
    assert statuses[0] == 401
    assert statuses[-2:] == [429, 429]


def start_session(key, secret):
    body = {"clientId": key, "secret": secret, "scope": ["api:institution"]}
    return Client().post("/v2/session/startSession", body, REMOTE_ADDR="192.0.2.1")


def send_form(path, name, secret):
    form = {"client_id": name, "client_secret": secret, "token": secret}
    return Browser().post(path, form, REMOTE_ADDR="192.0.2.1")


def bearer(method, path, _key, secret):
    return Client(secret).generic(method, path)


def session(_key, secret):
    return Client().get("/v2/data/requests", headers={"X-CDLX-Session-Token": secret})


def second_step(door, email, wrong):
    browser = Browser()
    first = browser.post(door, {"username": email, "password": PASSWORD})
    code = wrong.removeprefix("wrong ").zfill(6)
    return first if first.status_code == 429 else browser.post(door, {"code": code})


@cache
def browser_of(email):
    return signed_in(User.objects.get(email=email))


def own_password(path, email, wrong):
    """Where somebody who is signed in has to show the password once more."""
    form = {"old_password": wrong, "password": wrong, "new_password1": "x", "new_password2": "y"}
    answer = browser_of(email).post(path, form)
    if any("Too many" in str(message) for message in get_messages(answer.wsgi_request)):
        answer.status_code = 429
    return answer


OWN_PASSWORD = (
    "/admin/password_change/",
    "/admin/customers/user/account/two-factor/remove/",
    "/admin/customers/user/account/recovery-codes/",
)
OF_A_PERSON = {
    **{door: partial(sign_in, door) for door in DOORS},
    **{f"{door} second step": partial(second_step, door) for door in DOORS},
    **{path: partial(own_password, path) for path in OWN_PASSWORD},
}
OF_A_PROGRAM = {
    "/v1/api-keys/exchange": exchange,
    "/oauth2/token": ask_token,
    "/v2/session/startSession": start_session,
    "/oauth2/introspect": partial(send_form, "/oauth2/introspect"),
    "/oauth2/introspect bearer": partial(bearer, "POST", "/oauth2/introspect"),
    "/oauth2/revoke_token": partial(send_form, "/oauth2/revoke_token"),
    "bearer": partial(bearer, "GET", "/v1/customers"),
    "session token": session,
    "/metrics": partial(bearer, "GET", "/metrics"),
}


@pytest.mark.parametrize("door", [*OF_A_PERSON, *OF_A_PROGRAM])
def test_of_many_wrong_passwords_at_any_door_next_to_none_is_tried(door, person, owner, settings):
    # What a machine made is limited by the address alone, where no key is named.
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = attempts.FREE
    settings.METRICS_TOKEN = "a token of those who watch"
    if "second step" in door:
        equip(person)
    guess = OF_A_PERSON.get(door) or OF_A_PROGRAM[door]
    name = person.email if door in OF_A_PERSON else owner.key.id
    statuses = [guess(name, f"wrong {number}").status_code for number in range(MANY)]
    assert statuses[0] in {200, 302, 401}
    assert statuses.count(429) >= MANY - attempts.FREE


@pytest.mark.parametrize("path", OWN_PASSWORD)
def test_who_guesses_the_own_password_is_locked_out_everywhere_and_it_is_on_record(path, person):
    for number in range(attempts.FREE):
        own_password(path, person.email, f"wrong {number}")
    assert sign_in(DOORS[0], person.email, PASSWORD).status_code == 429
    outcomes = SignInAttempt.objects.order_by("at", "id").values_list("person", "outcome")
    wrong = [(person.pk, "WRONG_PASSWORD")] * attempts.FREE
    assert list(outcomes) == [*wrong, (person.pk, "LOCKED_OUT")]


def test_the_page_of_a_new_password_tells_who_has_to_wait_for_how_long(person):
    browser = signed_in(person)
    new = dict.fromkeys(["new_password1", "new_password2"], "a quite different sentence 42")
    for _ in range(attempts.FREE):
        answer = browser.post(OWN_PASSWORD[0], new | {"old_password": "wrong"})
    answer = browser.post(OWN_PASSWORD[0], new | {"old_password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"].isdecimal()) == (429, True)
    assert "Too many failed attempts" in answer.content.decode()
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
