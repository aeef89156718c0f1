"""Clients that say nothing, send a drop at a time, or say two things about where a body ends."""

import re
from contextlib import ExitStack, suppress

import pytest
from django.templatetags.static import static

from tests import factories
from tests.forms import forms
from tests.served import (
    FORM,
    JSON,
    answer_on,
    get,
    going_on,
    head,
    is_open,
    opened,
    stopping,
    web,
)

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("served_database"),
    pytest.mark.no_cover,
    pytest.mark.long,
]
# Who has no session has reason to send a form to these.
FOR_STRANGERS = ("/admin/login/", "/oauth2/", "/account/")
# A stopped body is waited for at these, whoever asks.
AWAITED = {
    *("/admin/login/", "/oauth2/login/", "/oauth2/authorize/", "/oauth2/token/"),
    *("/oauth2/revoke_token/", "/oauth2/introspect/", "/account/forgot-password"),
}
# And at these of who is signed in.
OWN = {
    "/admin/password_change/",
    "/admin/customers/customer/add/",
    "/admin/customers/user/account/two-factor/",
    "/admin/ingest/bulkrequest/upload/",
}


@pytest.fixture(scope="module")
def server(own_queue, tmp_path_factory, django_db_setup):
    """A web server that waits for whole bodies for long, but for each part of one shortly."""
    limits = {
        "KITH_STALL_SECONDS": "2",
        "KITH_BODY_SECONDS": "600",
        # In milliseconds, of the web server itself: 30,000 unless told otherwise.
        "GRANIAN_HTTP1_HEADER_READ_TIMEOUT": "2000",
    }
    folder = tmp_path_factory.mktemp("web")
    with web(own_queue, folder, KITH_WEB_THREADS="2", **limits) as address:
        yield address


@pytest.fixture(scope="module")
def owner(served_database):
    return factories.make_speaker(factories.make_business_account("House Bank"))


@pytest.fixture
def clients():
    """Connections that are closed at the end."""
    with ExitStack() as stack:
        yield stack


# --- Who says nothing, or too little --------------------------------------------------------------


def ended(connection):
    """What comes until the server closes."""
    said = b""
    with suppress(ConnectionError):
        while part := connection.recv(65_536):
            said += part
    return said


def test_connections_that_say_nothing_are_closed(server, clients):
    begun = head("GET", "/healthz")
    silent, idle, in_a_line, in_the_head, line_by_line = (
        clients.enter_context(opened(server, sent))
        for sent in (b"", begun, b"GET /hea", begun[:-2], begun[:-2])
    )
    assert answer_on(idle)[0] == 200
    with going_on([line_by_line], b"X-More: x\r\n"):
        said = [ended(each) for each in (silent, idle, in_a_line, in_the_head, line_by_line)]
    assert not [text for text in said if b" 200 " in text]


@pytest.mark.parametrize(
    ("path", "kind", "announced"),
    [
        ("/v1/customers", JSON, 100_000),
        ("/oauth2/token", FORM, 100_000),
        ("/v2/data/files", "application/x-ndjson", 100_000_000),
    ],
)
def test_who_never_stops_but_sends_too_little_is_408(server, clients, owner, path, kind, announced):
    # Long before the whole body would have taken too long.
    connection = clients.enter_context(
        opened(server, stopping("POST", path, owner.token, kind, b" ", announced))
    )
    with going_on([connection], b" " * 20):
        assert answer_on(connection)[0] == 408


# --- Forms of pages whose bodies stop -------------------------------------------------------------


def test_without_a_session_pages_do_not_wait_for_a_form(server, clients):
    asked = {
        path: clients.enter_context(opened(server, stopping("POST", path, kind=FORM, sent=b"a=")))
        for path in forms()
        if not path.startswith(FOR_STRANGERS)
    }
    assert len(asked) > 50
    statuses = {path: answer_on(connection)[0] for path, connection in asked.items()}
    assert not {path: status for path, status in statuses.items() if status in {200, 408}}
    assert max(statuses.values()) < 500


def test_forms_that_stop_hold_up_nobody_and_are_408(server, clients, owner):
    browser = factories.browser_of(owner.account)
    browser.get("/admin/")
    cookies = {name: each.value for name, each in browser.cookies.items()}
    cookies |= {"csrftoken": "c" * 32}
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())

    def send(path):
        request = head("POST", path, Content_Type=FORM, Content_Length=100_000, Cookie=cookie)
        return clients.enter_context(opened(server, request + b"csrfmiddlewaretoken="))

    waiting = {path: send(path) for path in forms()}
    assert get(server, "/healthz")[0] == 200
    assert get(server, "/v1/customers", owner.token)[0] == 200
    assert sum(is_open(connection) for connection in waiting.values()) > 10
    statuses = {path: answer_on(connection)[0] for path, connection in waiting.items()}
    late = {path for path, status in statuses.items() if status == 408}
    assert late >= AWAITED | OWN, sorted((AWAITED | OWN) - late)
    assert not {path: status for path, status in statuses.items() if status >= 500}


# --- Where a request ends -------------------------------------------------------------------------

HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
LENGTH = f"Content-Length: {len(HIDDEN) + 5}"
TWO_ENDS = {
    "length and chunks": [LENGTH, CHUNKED],
    "chunks and length": [CHUNKED, LENGTH],
    "two lengths": ["Content-Length: 5", LENGTH],
    "a list of lengths": [f"Content-Length: 5, {len(HIDDEN) + 5}"],
    "a length with a sign": ["Content-Length: +5"],
    "a length in hexadecimal": ["Content-Length: 0x5"],
    "a blank before the colon": [f"Content-Length : {len(HIDDEN) + 5}", CHUNKED],
    "chunks that are not the last": ["Transfer-Encoding: chunked, identity", LENGTH],
    "unknown coding": ["Transfer-Encoding: xchunked", LENGTH],
    "a line that goes on": ["X: y", f" {CHUNKED}", LENGTH],
    "a line feed alone": [f"X: y\n{CHUNKED}", LENGTH],
    "a carriage return alone": [f"X: y\r{CHUNKED}", LENGTH],
}


def answers_to(server, clients, requests):
    """The statuses of what is answered on a connection each, until it is closed for idleness."""
    begun = f"POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\n"
    waiting = {
        name: clients.enter_context(
            opened(server, "\r\n".join([begun + lines[0], *lines[1:], "", ""]).encode() + rest)
        )
        for name, (lines, rest) in requests.items()
    }
    return {
        name: [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", ended(connection))]
        for name, connection in waiting.items()
    }


def test_no_request_hides_in_the_body_of_another(server, clients):
    hidden = b"0\r\n\r\n" + HIDDEN
    plain = {
        "chunks": ([CHUNKED], hidden),
        "a length": (["Content-Length: 5"], b"a=b&c" + HIDDEN),
        "a longer one": ([LENGTH], hidden),
    }
    odd = {name: (lines, hidden) for name, lines in TWO_ENDS.items()}
    statuses = answers_to(server, clients, plain | odd)
    # So they are answered where there is no doubt.
    told = [statuses.pop(name) for name in plain]
    assert told == [[400, 404], [400, 404], [400]]
    assert not {name: found for name, found in statuses.items() if len(found) > 1}
    assert all(400 <= status < 500 for found in statuses.values() for status in found)


def test_a_header_with_an_underscore_is_not_that_with_a_hyphen(server, clients):
    for name, is_heard in (("X-Request-Id", True), ("X_Request_Id", False)):
        request = (
            f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n{name}: chosen-by-me\r\n\r\n".encode()
        )
        headers = answer_on(clients.enter_context(opened(server, request)))[1]
        assert (headers["X-Request-Id"] == "chosen-by-me") is is_heard


# --- Paths and values that lead elsewhere ---------------------------------------------------------


def test_no_path_leads_out_of_the_static_files(server):
    assert get(server, static("kith/icon.svg"))[0] == 200
    ups = ["../", "%2e%2e/", "..%2f", "%2e%2e%2f", "..\\", "..%5c", "....//", "%252e%252e%252f"]
    paths = [f"/static/{up * depth}config/asgi.py" for up in ups for depth in range(1, 4)]
    paths += [f"/static/kith/{up * depth}config/asgi.py" for up in ups for depth in range(1, 4)]
    paths += ["/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/kith/icon.svg%00.py"]
    for path in paths:
        status, _, body = get(server, path)
        assert status in {400, 404}, path
        assert b"get_wsgi_application" not in body
        assert b"root:" not in body


def test_no_value_adds_a_header_to_an_answer(server):
    added = "%0d%0aX-Added:%20here%0d%0a%0d%0abody"
    for path in (
        f"/docs/?a={added}",
        f"/docs/{added}",
        f"/admin/?next={added}",
        f"/admin/{added}/",
        f"/admin/login/?next=/admin/{added}",
        f"/oauth2/authorize?client_id={added}&redirect_uri={added}&state={added}",
        f"/v1/customers?cursor={added}",
        f"/v1/customers/{added}",
        f"/static/{added}",
    ):
        status, headers, _ = get(server, path)
        assert status < 500, path
        assert "X-Added" not in headers, path
