"""What people and programs type stands neither in the log nor in a message to a worker."""

import base64
import json
import logging
import re
from uuid import uuid4

import pytest
from celery.signals import before_task_publish
from django.test import Client as Browser

from config.logging import JSONFormatter
from tests import bulk, factories
from tests.factories import PASSWORD, Client
from tests.oauth_steps import VERIFIER, answer, authorize_url, redeem, refresh, signed_in, submit
from tests.second_factors import code_of, equip

pytestmark = pytest.mark.django_db
FILES = "/v2/data/files"
CARD = "4111111111111111"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def person(account):
    return factories.make_employee(account, role="Owner", is_staff=True)


def exchange(key, secret):
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    header = f"Basic {basic}"
    Client().post("/v1/api-keys/exchange", HTTP_AUTHORIZATION=header)
    Client().post("/v2/session/startSession", {"clientId": key, "secret": secret})
    form = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret}
    Browser().post("/oauth2/token", form)
    Browser().post("/oauth2/introspect", form | {"token": secret})
    Browser().post("/oauth2/revoke_token", form | {"token": secret})
    return basic


def test_no_door_logs_a_password_secret_token_or_code(person, owner, app, caplog):
    caplog.set_level(logging.DEBUG)
    recovery = equip(person)
    typed = {owner.key.secret, "a-wrong-secret", owner.token, "a-wrong-token", VERIFIER}
    typed |= {exchange(owner.key.id, secret) for secret in (owner.key.secret, "a-wrong-secret")}
    for door in ("/admin/login/", "/oauth2/login"):
        browser = Browser()
        for password in ("a-wrong-password", PASSWORD):
            browser.post(door, {"username": person.email, "password": password})
        for code in ("000111", recovery.pop()):
            browser.post(door, {"code": code})
            typed.add(code)
    typed |= {"a-wrong-password", PASSWORD, person.email, code_of(person)}
    form = {"old_password": "a-wrong-password", "new_password1": PASSWORD, "new_password2": "x"}
    signed_in(person).post("/admin/password_change/", form)
    for token in (owner.token, "a-wrong-token"):
        Client(token).get("/v1/customers")
        Client().get("/v2/data/requests", headers={"X-CDLX-Session-Token": token})
        Client(token).get(f"/v1/customers?access_token={token}")
    code = answer(submit(signed_in(person), authorize_url(app)))["code"]
    pair = redeem(app, code).json()
    refresh(app, pair["refresh_token"])
    typed |= {code, pair["access_token"], pair["refresh_token"]}
    written = "\n".join(JSONFormatter().format(record) for record in caplog.records)
    assert written.count("\n") > 20
    assert not {secret for secret in typed if secret in written}


@pytest.fixture
def messages():
    """The messages that went to the broker meanwhile, with all that they carry."""
    found = []

    def note(sender, body, headers, **_signal):
        found.append((sender, body, headers))

    before_task_publish.connect(note)
    yield found
    before_task_publish.disconnect(note)


def test_a_message_names_what_is_to_be_done_and_carries_nothing_of_it(
    owner, person, messages, settings, storage, django_capture_on_commit_callbacks
):
    settings.EMAIL_URL = "smtp://mail.example"
    typed = ["Lovelace", "ada@example.com", "+14151234", person.email, CARD, owner.token]
    line = json.dumps({"sourceCustomerId": "ada@example.com", "metadata": {"a": "Lovelace"}})
    with django_capture_on_commit_callbacks(execute=True):
        for request in (str(uuid4()), CARD):
            headers = {"X-Request-Id": request}
            search = {"lastName": "Lovelace", "email": "ada@example.com"}
            search |= {"customerAccountType": "INDIVIDUAL", "resultFormat": "CSV"}
            sent = {"customers": [bulk.customer("c1", city="Lovelace")]}
            kind = "application/x-ndjson"
            answers = [
                owner.api.post("/v1/search/customer-accounts", search, headers=headers),
                owner.api.post(bulk.CUSTOMERS, sent, headers=headers),
                owner.api.generic("POST", FILES, line, content_type=kind, headers=headers),
            ]
            assert [each.status_code for each in answers] == [200] * 3
        Browser().post("/account/forgot-password", {"email": person.email})
    told = {name for name, _, _ in messages}
    assert len(told) >= 3, told
    for name, (arguments, named, _), headers in messages:
        assert not named, name
        assert all(UUID.fullmatch(str(each)) for each in arguments), name
        text = json.dumps(headers, default=str)
        assert not [each for each in typed if each in text], name
