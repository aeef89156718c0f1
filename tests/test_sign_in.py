"""Who guesses passwords or secrets is stopped, at every door together; a good key still works."""

import base64
from functools import partial

import pytest
from django.test import Client as Browser

from config.api import attempts
from tests import factories
from tests.factories import PASSWORD, Client

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
DOORS = ("/admin/login/", "/oauth2/login")


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


@pytest.mark.parametrize(
    "guess",
    [
        *(partial(sign_in, door) for door in DOORS),
        *(exchange, ask_token, start_session),
    ],
    ids=[*DOORS, "exchange", "token", "session"],
)
def test_of_a_hundred_wrong_passwords_at_any_door_next_to_none_is_tried(guess, person, owner):
    name = person.email if isinstance(guess, partial) else owner.key.id
    statuses = [guess(name, f"wrong {number}").status_code for number in range(100)]
    assert statuses.count(429) > 100 - attempts.FREE
