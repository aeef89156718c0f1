"""The back office shows everybody the own tree and nothing else, whatever address is typed in.

Walked over every page of every registered model, so that a new page is covered, too.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse

from customers.models import AttributeDefinition, BusinessAccount, SignInAttempt, User
from customers.roles import ROLES
from customers.services.attributes import convert_attribute
from ingest.models import BulkRequest
from tests import factories
from tests.factories import browser_of
from tests.inventory import make_bulk_request, make_finished_search

pytestmark = pytest.mark.django_db
MODELS = list(admin.site._registry)
PAGES = ("change", "history", "delete")
# Every way to compare a column, with a value that some database or parser stumbles over.
LOOKUPS = {
    "exact": "x",
    "iexact": "x",
    "contains": "\0",
    "startswith": "a",
    "regex": "(",
    "iregex": "^[a-m]",
    "gt": "a",
    "lt": "99999999999999999999",
    "in": "a,b",
    "range": "a",
    "isnull": "maybe",
    "year": "99999999999",
    "date": "0000-00-00",
    "has_key": "a",
    "len": "x",
}


@dataclass
class Stock:
    """Things of one business account: their keys by model, and the words that name them."""

    account: BusinessAccount
    keys: dict[type[models.Model], str] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)


def make_stock(account: BusinessAccount, mark: str) -> Stock:
    """One thing of each kind, with `mark` in its names."""
    speaker = factories.make_speaker(account)
    key = speaker.oauth_client
    key.service_account.name = f"{mark}-program"
    key.service_account.save()
    client = factories.make_app(business_account=account, name=f"{mark}-client")
    person = factories.make_employee(
        account, email=f"{mark}-clerk@example.com", name=f"{mark}-person"
    )
    department = factories.make_department(account, f"{mark}-department")
    AttributeDefinition.objects.create(business_account=account, name=f"{mark}-attribute")
    customer = factories.make_customer(
        account, first_name=f"{mark}-first", email=f"{mark}@mail.example", department=department
    )
    request = BulkRequest.objects.get(public_id=make_bulk_request(speaker))
    search = make_finished_search(speaker)
    sign_in = SignInAttempt.objects.create(
        person=person, business_account=account, door="APP", outcome="SIGNED_IN"
    )
    attribute = AttributeDefinition.objects.get(business_account=account)
    conversion = convert_attribute(actor=speaker.actor, definition=attribute, to_encrypted=True)
    rows = [account, client, key.service_account, person, customer, request, search]
    rows += [attribute, conversion, sign_in]
    stock = Stock(account, {type(row): str(row.pk) for row in rows})
    stock.words = {mark, account.name, client.client_id, key.client_id, str(request.public_id)}
    stock.words |= {str(row.pk) for row in rows if row is not request}
    return stock


@pytest.fixture
def house(account, storage) -> Stock:
    return make_stock(account, "qhouseq")


@pytest.fixture
def foreign(account, parent_account, storage) -> list[Stock]:
    """What parent, sibling and outsider have."""
    sibling = factories.make_business_account("Sibling Bank", parent=parent_account)
    outside = factories.make_business_account("Outside Bank")
    return [
        make_stock(parent_account, "qparentq"),
        make_stock(sibling, "qsiblingq"),
        make_stock(outside, "qoutsideq"),
    ]


def page(model: type[models.Model], name: str, *key: str) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=key)


def common_pages() -> list[str]:
    """All that names no row."""
    urls = ["/admin/", "/admin/password_change/", "/admin/jsi18n/", "/admin/search/?s=q"]
    for model in MODELS:
        listed = page(model, "changelist")
        urls += [listed, page(model, "add"), f"{listed}?q=q", f"{listed}?_facets=True"]
        urls.append(reverse("admin:app_list", args=[model._meta.app_label]))
    return urls


def pages_of(stock: Stock) -> list[str]:
    return [page(model, name, key) for model, key in stock.keys.items() for name in PAGES]


def autocompletes() -> list[str]:
    """A look-up of every relation of every registered model."""
    urls = []
    for model in MODELS:
        for relation in model._meta.get_fields():
            if relation.is_relation and relation.concrete:
                query = {
                    "term": "",
                    "app_label": model._meta.app_label,
                    "model_name": model._meta.model_name,
                    "field_name": relation.name,
                }
                urls.append("/admin/autocomplete/?" + urlencode(query))
    return urls


def assert_nothing_of(stocks: list[Stock], response) -> None:
    assert response.status_code < 500, response.request["PATH_INFO"]
    text = response.getvalue().decode()
    asked = response.request["PATH_INFO"] + response.request["QUERY_STRING"]
    for stock in stocks:
        for word in stock.words:
            # A page may repeat what was typed in, such as the id that it does not know.
            assert word in asked or word not in text, (asked, word)


# --- Who sees what --------------------------------------------------------------------------------


# What it runs is measured where it is tested by itself: measuring takes twice the time.
@pytest.mark.no_cover
@pytest.mark.parametrize("role", ROLES)
def test_no_page_shows_an_employee_anything_of_a_parent_or_a_sibling(role, house, foreign):
    browser = browser_of(house.account, role)
    urls = common_pages() + pages_of(house) + autocompletes()
    for url in urls:
        assert_nothing_of(foreign, browser.get(url))


@pytest.mark.no_cover
@pytest.mark.parametrize("role", ROLES)
def test_a_guessed_address_of_a_foreign_row_is_that_of_a_row_that_never_was(role, house, foreign):
    browser = browser_of(house.account, role)
    for stock in foreign:
        others = [other for other in foreign if other is not stock]
        answers = [browser.get(url) for url in pages_of(stock)]
        # Where they lead to is seen once, with what it says of each of the addresses.
        answers += [browser.get(url) for url in sorted({a.url for a in answers if "Location" in a})]
        for response in answers:
            url = response.request["PATH_INFO"]
            assert response.status_code in {302, 403, 404} or url == "/admin/", url
            assert_nothing_of(others, response)
            text = response.getvalue().decode()
            assert not any(name in text for name in stock.words if not name[:8].isalnum())
            assert stock.account.name not in text


def test_a_foreign_row_is_neither_changed_nor_deleted_by_a_posted_form(house, foreign):
    browser = browser_of(house.account)
    before = [list(model._default_manager.order_by("pk").values()) for model in MODELS]
    for stock in foreign:
        for model, key in stock.keys.items():
            for name in ("change", "delete"):
                browser.post(page(model, name, key), {"post": "yes", "name": "taken over"})
            for action in ("delete_selected", "cancel"):
                form = {"action": action, "_selected_action": [key], "post": "yes"}
                browser.post(page(model, "changelist"), form)
    after = [list(model._default_manager.order_by("pk").values()) for model in MODELS]
    assert before == after


def test_an_owner_sees_what_the_house_has(house):
    """Otherwise the tests above would not be about what they say."""
    browser = browser_of(house.account)
    for model, key in house.keys.items():
        assert browser.get(page(model, "changelist")).status_code == 200
        response = browser.get(page(model, "change", key))
        assert response.status_code == 200
        assert any(word in response.content.decode() for word in house.words)


def test_a_superuser_sees_everything(house, foreign):
    browser = browser_of(house.account, is_superuser=True)
    for stock in (house, *foreign):
        for model, key in stock.keys.items():
            assert browser.get(page(model, "change", key)).status_code == 200


def test_who_has_not_signed_in_sees_nothing(house):
    browser = Browser(raise_request_exception=False)
    for url in common_pages() + pages_of(house) + autocompletes():
        response = browser.get(url)
        assert response.status_code in {302, 404} or url == "/admin/jsi18n/", url
        assert_nothing_of([house], response)


def test_a_customer_who_signs_in_has_no_back_office(house, customer):
    browser = Browser()
    browser.force_login(factories.make_customer_speaker(customer).user)
    for url in common_pages() + pages_of(house):
        if url != "/admin/jsi18n/":
            assert browser.get(url).status_code in {302, 404}, url


def test_the_log_of_an_account_does_not_name_those_who_work_above(house, foreign):
    above = User.objects.get(pk=foreign[0].keys[User])
    own = User.objects.get(pk=house.keys[User])
    for user in (above, own):
        LogEntry.objects.create(
            user=user,
            content_type=ContentType.objects.get_for_model(BusinessAccount),
            object_id=str(house.account.pk),
            object_repr="House Bank",
            action_flag=CHANGE,
            change_message="limits",
        )
    url = page(BusinessAccount, "history", str(house.account.pk))
    response = browser_of(house.account).get(url)
    assert own.email in response.content.decode() or own.name in response.content.decode()
    assert_nothing_of(foreign, response)


# --- Look-ups by URL ------------------------------------------------------------------------------


def columns(model: type[models.Model], depth: int = 1) -> list[str]:
    """Every column of a model, and of what it refers to or what refers to it."""
    found = []
    for each in model._meta.get_fields():
        found.append(each.name)
        if each.is_relation and each.related_model and depth:
            found += [f"{each.name}__{other}" for other in columns(each.related_model, depth - 1)]
    return found


def filters(model: type[models.Model]) -> set[str]:
    return {str(name) for name in admin.site._registry[model].list_filter}


@pytest.mark.parametrize("model", MODELS)
def test_only_a_page_s_own_filters_are_looked_up_by_address(model, account):
    page_of = admin.site._registry[model]
    request = RequestFactory().get("/")
    request.user = factories.make_employee(account, role="Owner", is_superuser=True)
    allowed = {
        f"{name}__{lookup}" if lookup else name
        for name in columns(model)
        for lookup in ("", *LOOKUPS)
        if page_of.lookup_allowed(f"{name}__{lookup}" if lookup else name, "x", request)
    }
    assert {name.partition("__")[0] for name in allowed} <= filters(model)
    assert {name.partition("__")[2] for name in allowed} <= {"", "exact", "isnull"}


@pytest.mark.no_cover
@pytest.mark.parametrize("model", MODELS)
def test_no_look_up_by_address_filters_by_a_column_or_fails(model, house):
    """Own and related ones, with each look-up in turn, as each role and as a superuser in turn."""
    listed = page(model, "changelist")
    browsers = [browser_of(house.account, role) for role in ROLES]
    browsers.append(browser_of(house.account, "View Only", is_superuser=True))
    shown = [browser for browser in browsers if browser.get(listed).status_code == 200]
    names = [name for name in columns(model) if name.partition("__")[0] not in filters(model)]
    lookups = list(LOOKUPS.items())
    for number, name in enumerate(names):
        lookup, value = lookups[number % len(lookups)]
        response = shown[number % len(shown)].get(listed, {f"{name}__{lookup}": value})
        assert response.status_code == 400, (name, lookup)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("customers/user", "password__regex=^scrypt"),
        ("customers/user", "email__regex=("),
        ("customers/user", "last_login__year=99999999999"),
        ("customers/user", "email__contains=%00"),
        ("customers/oauthclient", "client_secret__startswith=m"),
        ("customers/customer", "metadata__regex=("),
        ("search/customersearch", "claim_id=x"),
        ("search/customersearch", "storage_name__startswith=a"),
        ("search/customersearch", "criteria__contains=a"),
        ("customers/user", "q=%00"),
        ("customers/customer", "q=%00"),
        ("customers/customer", "type__exact=%00"),
        ("customers/customer", "status__exact=%ff"),
        ("customers/customer", "p=-1"),
        ("customers/customer", "p=99999999999999999999"),
        ("customers/customer", "o=99.-7.x"),
        ("customers/customer", "_to_field=search_text"),
        ("customers/user", "_to_field=password&_popup=1"),
        ("customers/customer", "all=&_facets=True"),
    ],
)
def test_what_is_typed_into_an_address_is_refused_or_ignored_but_never_fails(path, query, house):
    for fields in ({}, {"is_superuser": True}):
        browser = browser_of(house.account, "Owner", **fields)
        response = browser.get(f"/admin/{path}/?{query}")
        assert response.status_code in {200, 302, 400}, query
        if response.status_code == 200:
            assert "scrypt$" not in response.content.decode()


@pytest.mark.no_cover
@pytest.mark.parametrize("model", MODELS)
def test_no_made_up_key_of_a_row_or_action_fails(model, house):
    browser = browser_of(house.account, is_superuser=True)
    for key in ("x", "0", "%00", "_00", "99999999999999999999", "a" * 500, "../x"):
        for name in PAGES:
            url = page(model, "changelist") + f"{key}/{name}/"
            assert browser.get(url).status_code in {302, 400, 403, 404}, url
        for action in ("delete_selected", "cancel", "nothing", ""):
            form = {"action": action, "_selected_action": [key.replace("%00", "\0")]}
            response = browser.post(page(model, "changelist"), form)
            assert response.status_code in {200, 302, 400, 403}, (key, action)


def test_a_page_s_own_filters_work(house):
    browser = browser_of(house.account)
    listed = page(type(next(iter(house.account.customers.all()))), "changelist")
    assert "qhouseq-first" in browser.get(f"{listed}?status__exact=ACTIVE").content.decode()
    assert "qhouseq-first" not in browser.get(f"{listed}?status__exact=DELETED").content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_view_on_site_leads_nowhere_and_does_not_fail(model, house):
    kind = ContentType.objects.get_for_model(model)
    for fields in ({}, {"is_superuser": True}):
        browser = browser_of(house.account, **fields)
        for key in (house.keys[model], "x"):
            assert browser.get(f"/admin/r/{kind.pk}/{key}/").status_code == 404
    text = browser.get(page(model, "change", house.keys[model])).content.decode()
    assert not re.search(r"/admin/r/\d+/", text)
