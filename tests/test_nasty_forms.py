"""No form of a page fails, whatever is typed into it, or whichever file is chosen."""

from html.parser import HTMLParser
from importlib import import_module
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.module_loading import autodiscover_modules

from config.api.dialects import base_of
from config.api.routes import routes
from customers.isolation.holdings import make_holding, values_of
from customers.isolation.walk import PLAIN
from tests import factories
from tests.nasty_input import BODIES, TEXTS, check

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

# How often each form is sent; each field has another text each time.
TURNS = 3
# It would end the browser's session.
LEAVING = "/admin/logout/"
# Tells that no worker runs beside this test.
READINESS = "readyz"


class Forms(HTMLParser):
    """The forms of a page: each with its address, and its fields with their types and values."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.found.append((given.get("action") or "", (given.get("method") or "").lower(), {}))
        elif tag in {"input", "select", "textarea", "button"} and given.get("name") and self.found:
            kind = given.get("type") or tag
            self.found[-1][2][given["name"]] = (kind, given.get("value") or "")


def pages(holding):
    """The addresses of all pages, those of one thing with what there is."""
    ids = PLAIN | values_of(holding.handles)
    outside = (route for route in routes() if not base_of("/" + route.pattern))
    return sorted({route.url(ids) for route in outside if route.pattern != READINESS})


def filled(fields, turn):
    """What a form is sent with: a nasty text in each field, and a nasty file."""
    texts, files = list(TEXTS.values()), list(BODIES.values())
    sent = {}
    for number, (name, (kind, value)) in enumerate(fields.items()):
        index = number * 7 + turn * 11
        if kind == "file":
            content = files[index % len(files)].content[:100_000]
            sent[name] = SimpleUploadedFile("a\u202e'\"<b>.csv", content)
        elif kind in {"hidden", "submit", "button", "radio"} and turn % 2:
            # Else most forms say no before they look at the rest.
            sent[name] = value
        else:
            sent[name] = texts[index % len(texts)]
    return sent


def test_no_form_of_a_page_fails(account, storage, each_alone):
    import_module("customers.isolation.customers")
    autodiscover_modules("isolation")
    holding = make_holding(account, "forms")
    browser = factories.browser_of(account, is_superuser=True)
    seen = set()

    def answered(page):
        answer = browser.get(page)
        check(answer, page)
        if "text/html" not in answer.get("Content-Type", ""):
            return
        for action, method, fields in Forms(answer.content.decode()).found:
            address = urlsplit(action).path or page
            if method != "post" or address == LEAVING or (address, *fields) in seen:
                continue
            seen.add((address, *fields))
            for turn in range(TURNS):
                check(browser.post(address, filled(fields, turn)), (page, address, turn))

    each_alone(answered, {page: (page,) for page in pages(holding)})
    assert len(seen) > 30
