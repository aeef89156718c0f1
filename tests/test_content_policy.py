"""Every page says what a browser may run on it; `tests.browser` sees that it works with that."""

import re

import pytest
from django.test import Client as Browser

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
