"""Clients that send or read slowly hold no thread of the web server, and are cut off."""

import http.client
import json
import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from config.api.routes import api_routes
from ingest.models import BulkRequest
from search import services
from search.bi.views import url_of
from tests import factories
from tests.inventory import make_finished_search, make_inventory, make_nothing
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
    wait_until,
    web,
)
from tests.workers import locked

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("served_database"),
    pytest.mark.no_cover,
    pytest.mark.long,
]

# More than a web process has threads.
MANY = 12
LARGE = 20_000_000
WITH_BODY = ("post", "put", "patch")
# Of a file, more than the web server reads before it gives a thread to it.
ADA = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "primaryPhoneNumber": {"number": "4151234", "type": "MOBILE"},
    "primaryEmail": {"value": "ada@example.com"},
}
BEGINNING = b'{"sourceCustomerId": "1"}\n' * 20_000
FAST_ENOUGH = BEGINNING[:2500]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def server(own_queue, data, django_db_setup):
    """A web server that is quick to lose patience."""
    limits = {"KITH_STALL_SECONDS": "2", "KITH_BODY_SECONDS": "3", "KITH_STATEMENT_SECONDS": "2"}
    with web(own_queue, data, KITH_WEB_THREADS="2", KITH_UPLOAD_THREADS="4", **limits) as address:
        yield address


@pytest.fixture(scope="module")
def owner(served_database):
    return factories.make_speaker(factories.make_business_account("House Bank"))


@pytest.fixture(scope="module")
def outsider(served_database):
    return factories.make_speaker(factories.make_business_account("Outside Bank"))


@pytest.fixture(scope="module")
def stranger(served_database):
    return factories.make_speaker(factories.make_business_account("Strange Bank"))


@pytest.fixture(scope="module")
def customer(owner):
    return factories.make_customer(owner.account)


@pytest.fixture(scope="module")
def house(owner, tmp_path_factory):
    """What there is in the owner's account."""
    return make_inventory(owner)


@pytest.fixture(scope="module")
def result(owner, data):
    """The path of a large result file, and where it is stored."""
    made = make_finished_search(owner)
    search = services.get_search(actor=owner.actor, search_id=made.pk)
    storage = FileSystemStorage(data / "results")
    name = storage.save(search.storage_name, ContentFile(bytes(range(250)) * (LARGE // 250)))
    return url_of(search, search.file_name).partition("8000")[2], storage.path(name)


@pytest.fixture
def clients():
    """Connections that are closed at the end."""
    with ExitStack() as stack:
        yield stack


def urls(ids, methods=WITH_BODY):
    """Every call of the API that may have a body."""
    return [
        (method, route.url(ids))
        for route in api_routes()
        for method in route.methods
        if method.lower() in methods
    ]


def test_without_a_token_every_route_answers_a_body_that_stops_at_once(server, clients):
    # Where a token comes from has its credentials in the body.
    asked = [each for each in urls(make_nothing()) if each[1] != "/v2/session/startSession"]
    assert len(asked) > 10
    waiting = [
        clients.enter_context(opened(server, stopping(method, path))) for method, path in asked
    ]
    answers = [answer_on(connection) for connection in waiting]
    assert {status for status, _, _ in answers} == {401}
    assert all(headers["Connection"] == "close" for _, headers, _ in answers)


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("POST", "/v1/nowhere", "application/json", 404),
        ("POST", "/v1/customers/{customer_id}/history", "application/json", 405),
        ("PUT", "/v1/customers/{customer_id}", "text/plain", 415),
        ("POST", "/v2/data/files", "text/plain", 415),
    ],
)
def test_a_request_that_cannot_succeed_is_answered_before_its_body(
    server, clients, owner, customer, method, path, kind, status
):
    path = path.format(customer_id=customer.pk)
    connection = opened(server, stopping(method, path, owner.token, kind))
    assert answer_on(clients.enter_context(connection))[0] == status


def test_a_body_that_is_announced_as_too_large_is_413_at_once(server, clients, owner):
    request = stopping("POST", "/v1/customers", owner.token, length=9_000_000)
    status, _, body = answer_on(clients.enter_context(opened(server, request)))
    assert (status, json.loads(body)["errorCode"]) == (413, "BODY_TOO_LARGE")


def test_bodies_that_stop_hold_up_nobody_and_are_408(server, clients, owner, house):
    waiting = [
        (path, clients.enter_context(opened(server, stopping(method, path, owner.token, kind))))
        for method, path, kind in [(*call, JSON) for call in urls(house)]
        + [("POST", "/oauth2/token", FORM)] * MANY
    ]
    assert get(server, "/healthz")[0] == 200
    assert get(server, f"/v1/customers/{house['customer_id']}", owner.token)[0] == 200
    still = [connection for _, connection in waiting if is_open(connection)]
    assert len(still) > MANY, "they were not waited for"
    answers = {path: answer_on(connection) for path, connection in waiting}
    late = {path for path, (status, _, _) in answers.items() if status == 408}
    assert late >= {"/v1/customers", "/v1/search/customer-accounts", "/oauth2/token"}
    assert json.loads(answers["/v1/customers"][2])["errorCode"] == "BODY_TOO_SLOW"
    assert json.loads(answers["/v2/data/customers"][2])["type"] == "RequestTimeoutException"
    assert not [path for path, (status, _, _) in answers.items() if status >= 500]


def test_a_body_that_keeps_coming_is_408_after_so_many_seconds(server, clients, owner):
    request = stopping("POST", "/v1/customers", owner.token, JSON, length=5_000_000)
    connection = clients.enter_context(opened(server, request))
    with going_on([connection], b" " * 2500):
        status, _, body = answer_on(connection)
    assert (status, json.loads(body)["errorCode"]) == (408, "BODY_TOO_SLOW")


def test_a_body_that_comes_in_pieces_is_read_and_counts_as_one_request(server, clients, owner):
    body = json.dumps(ADA).encode()
    left = get_limit(server, owner)
    request = head(
        "POST",
        "/v1/customers",
        owner.token,
        Content_Type="application/json",
        Content_Length=len(body),
    )
    connection = clients.enter_context(opened(server, request))
    connection.sendall(body[:10])
    assert get(server, "/healthz")[0] == 200
    connection.sendall(body[10:])
    assert answer_on(connection)[0] == 201
    assert get_limit(server, owner) == left - 2


def get_limit(server, speaker):
    """How many requests are left to a client in this minute."""
    headers = get(server, "/v1/customers", speaker.token)[1]
    return int(headers["RateLimit"].partition("r=")[2].partition(";")[0])


def test_a_client_that_asks_before_it_sends_is_refused_without_being_asked_to(server, clients):
    request = head("POST", "/v1/customers", Content_Length=10, Expect="100-continue")
    connection = clients.enter_context(opened(server, request))
    assert connection.recv(12) == b"HTTP/1.1 401"


def test_a_client_that_asks_before_it_sends_is_asked_to(server, clients, owner):
    request = head(
        "POST",
        "/v1/customers",
        owner.token,
        Content_Type="application/json",
        Content_Length=2,
        Expect="100-continue",
    )
    connection = clients.enter_context(opened(server, request))
    assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"{}")
    assert answer_on(connection)[0] == 400


def test_a_refused_call_keeps_its_connection_when_its_short_body_comes_soon(server, clients):
    request = head("POST", "/v1/customers", Content_Type=JSON, Content_Length=2)

    def is_kept() -> bool:
        connection = clients.enter_context(opened(server, request))
        threading.Event().wait(0.01)
        connection.sendall(b"{}")
        status, headers, _ = answer_on(connection)
        assert status == 401
        return "connection" not in {name.lower() for name in headers}

    wait_until(is_kept)


@pytest.mark.parametrize("size", [100_000, 4_000_000])
def test_a_client_that_sends_all_of_a_refused_body_first_reads_the_answer(server, size):
    client = http.client.HTTPConnection(server.host, server.port, timeout=30)
    client.request("POST", "/v1/customers", b"x" * size, {"Content-Type": "application/json"})
    assert client.getresponse().status == 401
    client.close()


@pytest.mark.parametrize(("piece", "pause"), [(b"x" * 65_536, 0), (b"x", 0.05)])
def test_a_client_that_goes_on_sending_a_refused_body_is_cut_off(server, clients, piece, pause):
    """After a second or 8 MB; the kernels of both sides hold some more."""
    request = head("POST", "/v1/customers", Content_Type=JSON, Content_Length=10**12)
    connection = clients.enter_context(opened(server, request))
    assert connection.recv(12) == b"HTTP/1.1 401"
    with pytest.raises(ConnectionError):
        send_again_and_again(connection, piece, pause)


def send_again_and_again(connection, piece, pause):
    for _ in range(1200):
        connection.sendall(piece)
        threading.Event().wait(pause)


def test_a_body_of_unannounced_length_has_the_same_limit(server, owner):
    client = http.client.HTTPConnection(server.host, server.port, timeout=30)
    headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": "application/json"}
    pieces = (b"[" * 100_000 for _ in range(60))
    client.request("POST", "/v1/customers", pieces, headers, encode_chunked=True)
    response = client.getresponse()
    assert (response.status, json.loads(response.read())["errorCode"]) == (413, "BODY_TOO_LARGE")
    client.request("POST", "/v1/customers", iter([b"{", b"}"]), headers, encode_chunked=True)
    assert client.getresponse().status == 400
    client.close()


def test_clients_that_do_not_read_hold_up_nobody_and_are_cut_off(
    server, clients, owner, result, customer
):
    path, _ = result
    waiting = [
        clients.enter_context(opened(server, head("GET", path, owner.token), buffer=4096))
        for _ in range(MANY)
    ]
    for connection in waiting:
        assert connection.recv(12) == b"HTTP/1.1 200"
    assert get(server, "/healthz")[0] == 200
    assert get(server, f"/v1/customers/{customer.pk}", owner.token)[0] == 200
    received = [drained(connection) for connection in waiting]
    assert max(received) < LARGE


def test_a_client_that_reads_too_little_is_cut_off(server, clients, owner, result):
    request = head("GET", result[0], owner.token)
    connection = clients.enter_context(opened(server, request, buffer=4096))

    def is_cut_off():
        connection.recv(40)
        return is_reset(connection)

    with suppress(ConnectionError):
        wait_until(is_cut_off)
    assert drained(connection) < LARGE


def drained(connection):
    """Bytes that come after the server has lost patience."""
    total = 0
    wait_until(lambda: is_reset(connection))
    with suppress(ConnectionError):
        while part := connection.recv(65_536):
            total += len(part)
    return total


def is_reset(connection):
    """Whether the server has ended the connection."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x01"


def typical_time(server, path, token):
    """Seconds that a request of somebody else takes, half of them longer."""
    taken = []
    for _ in range(20):
        started = perf_counter()
        assert get(server, path, token)[0] == 200
        taken.append(perf_counter() - started)
    return median(taken)


def test_slow_clients_cost_the_others_little(server, owner, result, customer):
    # `./kith bench slow_clients` measures many more, for longer, against the promised ratio.
    others = {path: ([], []) for path in ("/healthz", f"/v1/customers/{customer.pk}")}
    for _ in range(6):
        for path, (alone, _) in others.items():
            alone.append(typical_time(server, path, owner.token))
        with ExitStack() as clients:
            request = stopping("POST", "/v1/customers", owner.token, JSON, b" ", 4_000_000)
            sending = [clients.enter_context(opened(server, request)) for _ in range(40)]
            request = head("GET", result[0], owner.token)
            reading = [
                clients.enter_context(opened(server, request, buffer=4096)) for _ in range(20)
            ]
            assert {each.recv(12) for each in reading} == {b"HTTP/1.1 200"}
            clients.enter_context(going_on(sending, b" " * 500))
            # By turns: the first meets what fills the buffers of all readers.
            others = dict(reversed(others.items()))
            for path, (_, beside) in others.items():
                beside.append(typical_time(server, path, owner.token))
    # The best of each: other programs of this machine do not count.
    ratios = {path: min(beside) / min(alone) for path, (alone, beside) in others.items()}
    assert max(ratios.values()) < 3, ratios


def test_a_large_file_comes_whole_and_in_ranges(server, owner, result):
    path, stored = result
    content = Path(stored).read_bytes()
    status, headers, body = get(server, path, owner.token)
    assert (status, int(headers["Content-Length"]), body == content) == (200, LARGE, True)
    connection = opened(server, head("GET", path, owner.token, Range="bytes=5-1000004"))
    with connection:
        status, headers, body = answer_on(connection)
    assert (status, body == content[5:1_000_005]) == (206, True)


def send_file(server, speaker, length=100_000_000):
    """The beginning of a file."""
    kind = "application/x-ndjson"
    return opened(
        server, stopping("POST", "/v2/data/files", speaker.token, kind, BEGINNING, length)
    )


def test_files_that_stop_hold_up_nobody_and_leave_nothing_behind(
    server, clients, owner, outsider, data, customer
):
    before = BulkRequest.objects.count()
    kept = files_in(data)
    waiting = [clients.enter_context(send_file(server, who)) for who in (owner, outsider) * 2]
    assert get(server, "/healthz")[0] == 200
    assert get(server, f"/v1/customers/{customer.pk}", owner.token)[0] == 200
    for connection in waiting:
        status, _, body = answer_on(connection)
        assert (status, json.loads(body)["type"]) == (408, "RequestTimeoutException")
    assert BulkRequest.objects.count() == before
    assert files_in(data) == kept


def files_in(folder):
    """Every file in it."""
    return {path for path in (folder / "results").rglob("*") if path.is_file()}


def test_a_business_account_that_sends_many_files_leaves_threads_to_others(
    server, clients, owner, outsider
):
    def answer():
        return answer_on(clients.enter_context(send_file(server, owner)))

    sending = []
    clients.enter_context(going_on(sending, FAST_ENOUGH))

    def is_share_used_up():
        sending.append(clients.enter_context(send_file(server, owner)))
        return answer()[0] == 429

    wait_until(is_share_used_up)
    assert answer()[1]["Retry-After"] == "5"
    small = head(
        "POST",
        "/v2/data/files",
        outsider.token,
        Content_Type="application/x-ndjson",
        Content_Length=3,
    )
    assert answer_on(clients.enter_context(opened(server, small + b"{}\n")))[0] == 200


def test_a_business_account_sends_so_many_files_at_once_and_all_together_so_many(
    server, clients, owner, outsider, stranger
):
    def answer_to(speaker):
        return answer_on(clients.enter_context(send_file(server, speaker)))

    sending = []
    clients.enter_context(going_on(sending, FAST_ENOUGH))

    def is_full():
        # Files of an earlier test may still have had threads when the last ones were sent.
        sending.extend(
            clients.enter_context(send_file(server, speaker)) for speaker in (owner, outsider)
        )
        return answer_to(stranger)[0] == 503

    wait_until(is_full)
    status, headers, body = answer_to(stranger)
    assert (status, headers["Retry-After"]) == (503, "5")
    assert json.loads(body)["type"] == "ServiceUnavailableException"


def test_a_file_that_keeps_coming_is_loaded_however_long_it_takes(server, clients, owner):
    answers = []

    def is_received():
        connection = clients.enter_context(send_file(server, owner, 2 * len(BEGINNING)))
        assert get(server, "/healthz")[0] == 200
        # Refused while files of an earlier test still have threads.
        with suppress(OSError):
            connection.sendall(BEGINNING)
        answers.append(answer_on(connection))
        return answers[-1][0] == 200

    wait_until(is_received)
    _, _, body = answers[-1]
    found = BulkRequest.objects.select_related("file").get(public_id=json.loads(body)["requestId"])
    assert (found.file.received, found.file.lines) == (2 * len(BEGINNING), 40_000)


@pytest.mark.parametrize("end", [b"", b"zz\r\n"])
def test_a_file_whose_chunks_break_off_is_not_loaded(server, clients, owner, data, end):
    request = head(
        "POST",
        "/v2/data/files",
        owner.token,
        Content_Type="application/x-ndjson",
        Transfer_Encoding="chunked",
    )
    before = BulkRequest.objects.count()
    chunk = f"{len(BEGINNING):x}\r\n".encode() + BEGINNING + b"\r\n"
    with opened(server, request + chunk + end) as connection:
        if not end:
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while connection.recv(65_536):
                pass
    assert BulkRequest.objects.count() == before


def test_a_url_that_is_too_long_has_the_body_of_its_dialect(server):
    for base, member in (("/v1/customers", "errorCode"), ("/v2/data/requests", "type")):
        status, headers, body = get(server, f"{base}?search={'a' * 20_000}")
        assert status == 414
        assert member in json.loads(body)
        assert headers["X-Request-Id"]


def test_a_database_that_does_not_answer_is_503_after_a_while(server, owner, customer):
    with locked("customers_contact"):
        status, headers, _ = get(server, f"/v1/customers/{customer.pk}", owner.token)
    assert (status, headers["Retry-After"]) == (503, "5")
    assert get(server, f"/v1/customers/{customer.pk}", owner.token)[0] == 200
