"""No parameter, segment of a path or header fails, and none becomes a part of what is answered."""

import re
from urllib.parse import quote

import pytest

from config.api.routes import api_routes, routes
from tests import factories
from tests.documented import document
from tests.inventory import make_documented
from tests.nasty_input import ENCODED, HEADER_TEXTS, HEADERS, TEXTS, check

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

QUERIES = [*ENCODED, *(quote(text[:9000]) for text in TEXTS.values())]
# A call of each dialect that looks at many headers.
WITH_HEADERS = (
    *(("GET", "/v1/customers"), ("GET", "/core/customermgr/v3/customer?email=a%40b.example")),
    *(("POST", "/v2/data/customers"), ("POST", "/v2/data/files"), ("POST", "/oauth2/token")),
    *(("GET", "/"), ("GET", "/admin/"), ("GET", "/schema")),
)


@pytest.fixture
def things(confidant, storage):
    """What there is."""
    return make_documented(confidant)


def parameters(route, method):
    """The names of a call's query parameters."""
    operation = document()["paths"][route.path][method.lower()]
    return [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]


def test_no_parameter_of_a_query_fails(confidant, things, each_alone):
    def answered(route, method):
        url = route.url(things)
        for name in [*parameters(route, method), "unknown"]:
            for value in QUERIES:
                check(confidant.api.generic(method, f"{url}?{name}={value}"), (name, value))
            for form in ("{}", "{0}=&{0}=a", "{}[]=a", "%00{}=a", "%ff={}"):
                query = form.format(name)
                check(confidant.api.generic(method, f"{url}?{query}"), query)

    each_alone(
        answered,
        {
            f"{method} {route.pattern}": (route, method)
            for route in api_routes()
            for method in route.methods
            if method == "GET" or parameters(route, method)
        },
    )


def test_no_segment_of_a_path_fails(confidant, things, each_alone):
    def answered(route, method):
        for name in route.variables:
            for value in ENCODED:
                ids = things | {key: "*" for key in things if key.partition(" of ")[0] == name}
                url = route.url(ids).replace("*", value)
                check(confidant.api.generic(method, url), url)

    each_alone(
        answered,
        {
            f"{method} {route.pattern}": (route, method)
            for route in api_routes()
            for method in route.methods
            if route.variables
        },
    )


def test_no_made_up_path_fails(confidant, anonymous):
    places = ("/", "/v1/", "/core/", "/v2/data/", "/admin/", "/oauth2/", "/account/password/x/")
    for place in (*places, "/static/", "/docs/", "/v1/customers/", "/.well-known/"):
        for value in ENCODED:
            for api in (confidant.api, anonymous):
                check(api.get(place + value), place + value)


@pytest.mark.parametrize(("method", "path"), WITH_HEADERS)
def test_no_header_fails_or_comes_back_as_another(method, path, confidant, storage):
    for name in HEADERS:
        for text in HEADER_TEXTS:
            answer = confidant.api.generic(method, path, b"{}", headers={name: text})
            check(answer, (name, text))
            assert re.fullmatch(r"[A-Za-z0-9._:-]{1,64}", answer["X-Request-Id"])


def test_no_page_fails_for_its_address(confidant, storage):
    browser = factories.browser_of(confidant.account, is_superuser=True)
    pages = sorted({route.pattern for route in routes() if route.pattern.startswith("admin/")})
    for pattern in pages:
        if "<" not in pattern and "(?P" not in pattern:
            for value in ENCODED[::3]:
                check(browser.get(f"/{pattern}?q={value}&p={value}&o={value}&id={value}"), value)
