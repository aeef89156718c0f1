"""A real Chromium before the back office, for the tests of what operators do there.

`operator` is an Owner of the house, who is signed in on `page`, a window of 1280 pixels.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client as Session
from playwright.sync_api import Browser, Error, Page, sync_playwright

from customers.models import BusinessAccount, User
from tests import factories

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all of these tests; nobody else could run an event loop beside it."""
    # Playwright runs an event loop in this thread, in which Django would refuse to ask a database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def ask_again(monkeypatch) -> None:
    """A page is asked for once more where Django's test server hung up without a word.

    It did so once in some fifty runs, in the first request of a process on a busy machine, while
    the page was being made. The product's own server is no part of these tests.
    """
    goto = Page.goto

    def go(page: Page, url: str, **options):
        try:
            return goto(page, url, **options)
        except Error as error:
            if "ERR_EMPTY_RESPONSE" not in error.message:
                raise
            return goto(page, url, **options)

    monkeypatch.setattr(Page, "goto", go)


@pytest.fixture
def operator(transactional_db, account: BusinessAccount) -> User:
    """An Owner of the house, who may use the back office."""
    return factories.make_employee(account, role="Owner", is_staff=True)


@pytest.fixture
def open_page(chromium, live_server) -> Iterator:
    """Opens a window for somebody who is signed in, or for nobody.

    What a page's script throws, and what it asks for against its policy, fails the test.
    """
    contexts, complaints = [], []

    def open_one(user: User | None = None, **options) -> Page:
        context = chromium.new_context(
            base_url=live_server.url, viewport=options.pop("viewport", DESKTOP), **options
        )
        contexts.append(context)
        if user is not None:
            session = Session()
            session.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
            name = settings.SESSION_COOKIE_NAME
            cookie = {"name": name, "value": session.cookies[name].value, "url": live_server.url}
            context.add_cookies([cookie])
        window = context.new_page()
        window.set_default_timeout(20_000)
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.on(
            "console",
            lambda line: complaints.append(line.text) if "Content Security" in line.text else None,
        )
        return window

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(open_page, operator) -> Page:
    """A window of the operator's."""
    return open_page(operator)
