"""What ends a person's access: a new password, and an authorization code that comes twice."""

import json
import sys

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser

from customers.authentication import actor_of
from customers.models import AccessToken, Grant, RefreshToken, User
from tests import factories
from tests.factories import PASSWORD
from tests.oauth_steps import (
    answer,
    assert_oauth_error,
    authorize_url,
    redeem,
    refresh,
    signed_in,
    submit,
    token_pair,
)

pytestmark = pytest.mark.django_db
NEW = "a quite different sentence 42"


def by_model(user):
    user.set_password(NEW)
    user.save()


def by_back_office(user):
    browser = Browser()
    assert browser.login(username=user.email, password=PASSWORD)
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert browser.post("/admin/password_change/", form).status_code == 302


def by_command(user, monkeypatch):
    answers = iter([NEW, NEW])
    monkeypatch.setattr("getpass.getpass", lambda *_args, **_named: next(answers))
    call_command("changepassword", user.email, stdout=sys.stderr)


def by_locking(user):
    user.set_unusable_password()
    user.save()


def by_sql(user):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_user SET password = 'x' WHERE id = %s", [user.pk])


@pytest.mark.parametrize("door", [by_model, by_back_office, by_command, by_locking, by_sql])
def test_a_new_password_ends_all_that_the_person_had_open(app, account, door, monkeypatch):
    user = factories.make_employee(account, is_staff=True)
    pair = token_pair(app, user)
    code = answer(submit(signed_in(user), authorize_url(app)))["code"]
    browser = signed_in(user)
    assert browser.get("/admin/").status_code == 200
    assert actor_of(pair["access_token"])
    door(user, monkeypatch) if door is by_command else door(user)
    assert actor_of(pair["access_token"]) is None
    assert_oauth_error(refresh(app, pair["refresh_token"]), "invalid_grant")
    assert_oauth_error(redeem(app, code), "invalid_grant")
    assert browser.get("/admin/").status_code == 302
    assert browser.get(authorize_url(app)).status_code == 302
    for model in (AccessToken, RefreshToken, Grant):
        assert not model.objects.filter(user=user).exists()


def test_a_new_password_ends_nobody_else_s_access(app, account, owner):
    user, colleague = factories.make_employee(account), factories.make_employee(account)
    theirs = token_pair(app, colleague)
    by_model(user)
    assert actor_of(theirs["access_token"])
    assert owner.actor
    assert refresh(app, theirs["refresh_token"]).status_code == 200


def test_what_changes_no_password_ends_nothing(app, clerk):
    pair = token_pair(app, clerk)
    clerk.name = "Grace"
    clerk.save()
    User.objects.filter(pk=clerk.pk).update(password=clerk.password)
    assert actor_of(pair["access_token"])


def test_after_a_new_password_the_person_signs_in_again(app, account):
    user = factories.make_employee(account, is_staff=True)
    by_model(user)
    assert Browser().login(username=user.email, password=NEW)
    assert actor_of(token_pair(app, user)["access_token"])


def test_a_code_that_comes_twice_revokes_what_the_first_time_gave(app, clerk):
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    pair = redeem(app, code).json()
    assert actor_of(pair["access_token"])
    assert_oauth_error(redeem(app, code), "invalid_grant")
    assert actor_of(pair["access_token"]) is None
    assert_oauth_error(refresh(app, pair["refresh_token"]), "invalid_grant")


def test_a_code_that_comes_twice_revokes_what_was_refreshed_since(app, clerk):
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    first = redeem(app, code).json()
    second = refresh(app, first["refresh_token"]).json()
    assert_oauth_error(redeem(app, code), "invalid_grant")
    assert actor_of(second["access_token"]) is None
    assert_oauth_error(refresh(app, second["refresh_token"]), "invalid_grant")


def test_a_code_that_another_app_shows_revokes_nothing(app, clerk):
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    pair = redeem(app, code).json()
    other = factories.make_app()
    assert_oauth_error(redeem(other, code), "invalid_grant")
    assert actor_of(pair["access_token"])


def test_the_tokens_of_another_code_of_the_person_live_on(app, clerk):
    other = token_pair(app, clerk)
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    redeem(app, code)
    redeem(app, code)
    assert actor_of(other["access_token"])


def test_a_code_is_kept_as_a_hash_after_its_use(app, clerk):
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    redeem(app, code)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(g)::text FROM customers_grant g")
        rows = [json.loads(row) for (row,) in cursor.fetchall()]
    assert len(rows) == 1
    assert code not in json.dumps(rows)
