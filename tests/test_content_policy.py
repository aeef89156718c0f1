"""Every page says what a browser may run on it; `tests.browser` sees that it works with that."""

import re
from importlib import import_module

import pytest
from django.test import Client as Browser
from django.utils.module_loading import autodiscover_modules

from config.api.dialects import base_of
from config.api.routes import routes
from customers.isolation.holdings import make_holding, values_of
from customers.isolation.walk import PLAIN
from customers.models import User
from customers.views.sign_in import BackOfficeLogin

pytestmark = pytest.mark.django_db
# A few of the pages that have to be among those that are shown.
PAGES = {
    "",
    "docs",
    "account/forgot-password",
    "account/password/<uidb64>/<token>",
    "admin/",
    "admin/login/",
    "admin/customers/customer/<path:object_id>/edit/",
    "admin/customers/user/account/two-factor/",
    "admin/ingest/bulkrequest/upload/<uuid:draft_id>/",
    "admin/search/customersearch/<path:object_id>/change/",
    "^oauth2/login/?$",
}


def assert_has_policy(path: str, policy: str) -> None:
    scripts = re.search(r"script-src ([^;]*)", policy).group(1)
    assert "'unsafe-inline'" not in scripts
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("'unsafe-eval'" in scripts) == path.startswith("/admin/")


@pytest.mark.no_cover
def test_every_page_of_the_url_table_has_a_policy_without_inline_scripts(account, storage):
    import_module("customers.isolation.customers")
    autodiscover_modules("isolation")
    holding = make_holding(account, "zqpolicyqz")
    ids = PLAIN | values_of(holding.handles)
    User.objects.filter(pk=holding.owner.pk).update(is_superuser=True)
    operator, nobody = (Browser(raise_request_exception=False) for _ in range(2))
    operator.force_login(holding.owner)
    shown = set()
    for browser in (operator, nobody):
        for route in routes():
            path = route.url(ids)
            answer = browser.get(path)
            answer.getvalue()
            if answer.get("Content-Type", "").startswith("text/html"):
                assert "Content-Security-Policy" in answer, (path, answer.status_code)
                assert_has_policy(path, answer["Content-Security-Policy"])
                assert not base_of(path)
                if answer.status_code == 200:
                    shown.add(route.pattern)
    assert shown >= PAGES


def test_pages_of_errors_have_a_policy(monkeypatch):
    browser = Browser(enforce_csrf_checks=True, raise_request_exception=False)
    refused = browser.post("/admin/login/", headers={"Accept": "text/html"})
    missing = browser.get("/nowhere", headers={"Accept": "text/html"})

    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(BackOfficeLogin, "dispatch", fail)
    failed = browser.get("/admin/login/", headers={"Accept": "text/html"})
    for answer, status in ((refused, 403), (missing, 404), (failed, 500)):
        assert answer.status_code == status
        assert answer["Content-Type"].startswith("text/html")
        path = answer.request["PATH_INFO"]
        assert_has_policy(path, answer["Content-Security-Policy"])


def test_answers_of_the_api_have_no_policy_to_carry(owner):
    assert "Content-Security-Policy" not in owner.api.get("/v1/customers").headers
