"""Every page says what a browser may run on it, and works with that."""

import re
import shutil

import pytest
from django.test import Client as Browser
from django.urls import reverse
from playwright.sync_api import sync_playwright

from customers.models import User
from tests import factories
from tests.factories import PASSWORD
from tests.inventory import make_inventory

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ("/", "/docs", "/admin/login/", "/oauth2/authorize")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_policy_without_inline_scripts(path):
    policy = Browser().get(path, follow=True)["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]*)", policy).group(1)
    assert "'unsafe-inline'" not in scripts
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("'unsafe-eval'" in scripts) == path.startswith("/admin/")


def test_answers_of_the_api_have_no_policy_to_carry(owner):
    assert "Content-Security-Policy" not in owner.api.get("/v1/customers").headers


@pytest.mark.browser
def test_the_back_office_works_under_its_policy(live_server, owner, storage):
    """No page of it asks for what its policy refuses."""
    ids = make_inventory(owner)
    person: User = factories.make_employee(owner.account, role="Owner")
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    lists = [
        reverse(f"admin:{app}_{name}_changelist")
        for app, name in (("customers", "customer"), ("search", "customersearch"))
    ]
    detail = reverse("admin:customers_customer_change", args=[ids["customer_id"]])
    refused: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page()
        page.on(
            "console",
            lambda line: refused.append(line.text) if "Content Security" in line.text else None,
        )
        page.on("pageerror", lambda error: refused.append(str(error)))
        page.goto(f"{live_server.url}/admin/")
        page.fill("[name=username]", person.email)
        page.fill("[name=password]", PASSWORD)
        page.click("[type=submit]")
        page.wait_for_url("**/admin/")
        for path in ("/admin/", *lists, detail, reverse("admin:password_change"), "/"):
            page.goto(live_server.url + path)
            page.wait_for_load_state("networkidle")
        chromium.close()
    assert refused == []
