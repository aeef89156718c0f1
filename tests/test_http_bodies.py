"""Compressed bodies, and the types of bodies, in every dialect."""

import gzip
import json
import zlib

import pytest

from ingest.models import BulkFile
from tests import bulk
from tests.answers import message_of
from tests.customers import ADA, create

pytestmark = pytest.mark.django_db

SEARCHES = "/v1/search/customer-accounts"
SEARCH = {"customerAccountType": "INDIVIDUAL"}
FILES = "/v2/data/files"


def activities(owner) -> str:
    return f"/v1/customers/{create(owner)['id']}/activities"


# A route of each kind that takes JSON, and a body of it.
BODIES = [
    pytest.param(lambda _: "/v1/customers", ADA, 201, id="customers"),
    pytest.param(
        activities,
        {"type": "email", "mode": "inbound", "sentDate": "2026-01-01T00:00:00Z"},
        201,
        id="activities",
    ),
    pytest.param(lambda _: SEARCHES, SEARCH, 200, id="searches"),
    pytest.param(lambda _: bulk.CUSTOMERS, {"customers": [bulk.customer("c1")]}, 200, id="bulk"),
]


def post(owner, url: str, body: bytes, encoding: str = "", kind: str = "application/json"):
    headers = {"Content-Encoding": encoding} if encoding else {}
    return owner.api.generic("POST", url, body, content_type=kind, headers=headers)


# --- Compressed bodies ----------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "body", "status"), BODIES)
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity"])
def test_a_body_may_come_compressed_by_gzip(owner, url, body, status, encoding):
    plain = json.dumps(body).encode()
    members = gzip.compress(plain[:20]) + gzip.compress(plain[20:])
    sent = plain if encoding == "identity" else members
    assert post(owner, url(owner), sent, encoding).status_code == status


@pytest.mark.parametrize(("url", "body", "status"), BODIES)
@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "x"])
def test_another_encoding_is_415_and_told_which_is_taken(owner, url, body, status, encoding):
    answer = post(owner, url(owner), json.dumps(body).encode(), encoding)
    assert answer.status_code == 415
    assert "gzip" in message_of(answer)
    assert answer["Accept-Encoding"] == "gzip, identity"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"customers": []}', "The body is not gzip, as its Content-Encoding says."),
        (
            gzip.compress(b"{}", mtime=0) + b"junk",
            "The body is not gzip, as its Content-Encoding says.",
        ),
        (gzip.compress(b'{"customers": []}', mtime=0)[:-9], "The compressed body ends early."),
    ],
)
@pytest.mark.parametrize("url", ["/v1/customers", SEARCHES, bulk.CUSTOMERS])
def test_a_body_that_is_not_gzip_or_not_whole_is_400(owner, url, body, message):
    answer = post(owner, url, body, "gzip")
    assert (answer.status_code, message_of(answer)) == (400, message)


@pytest.mark.parametrize("url", ["/v1/customers", SEARCHES, bulk.CUSTOMERS])
def test_a_small_body_that_unpacks_to_a_large_one_is_413(owner, settings, url):
    bomb = gzip.compress(b" " * (settings.MAX_BODY_BYTES + 1))
    assert len(bomb) < settings.MAX_BODY_BYTES / 100
    assert post(owner, url, bomb, "gzip").status_code == 413
    assert post(owner, url, bomb * 200, "gzip").status_code == 413
    exact = b"{}".ljust(settings.MAX_BODY_BYTES)
    assert post(owner, url, gzip.compress(exact, mtime=0), "gzip").status_code == 400


def test_no_more_of_a_bomb_is_unpacked_than_the_limit(owner, settings, monkeypatch):
    unpacked = []
    real = zlib.decompressobj

    class Counting:
        """zlib's own, which notes how much it gives."""

        def __init__(self, **arguments):
            self.inner = real(**arguments)

        def decompress(self, *arguments):
            part = self.inner.decompress(*arguments)
            unpacked.append(len(part))
            return part

        def __getattr__(self, name):
            return getattr(self.inner, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    bomb = gzip.compress(b" " * 50_000_000, mtime=0)
    assert post(owner, "/v1/customers", bomb, "gzip").status_code == 413
    assert sum(unpacked) <= settings.MAX_BODY_BYTES + 1


def test_a_compressed_request_with_a_key_is_answered_once(owner):
    body = gzip.compress(json.dumps(ADA).encode())
    headers = {"Content-Encoding": "gzip", "Idempotency-Key": "compressed"}
    first, second = (
        owner.api.generic(
            "POST", "/v1/customers", body, content_type="application/json", headers=headers
        )
        for _ in range(2)
    )
    assert first.content == second.content
    assert second["Idempotent-Replayed"] == "true"


def test_a_form_for_a_token_that_is_compressed_is_415(anonymous):
    answer = anonymous.post(
        "/oauth2/token",
        b"x",
        content_type="application/x-www-form-urlencoded",
        headers={"Content-Encoding": "gzip"},
    )
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")


# --- Content types --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["application/x-ndjson", "application/ndjson", "application/jsonl"]
)
@pytest.mark.django_db(transaction=True)
def test_a_file_comes_under_each_name_of_its_type(owner, storage, kind):
    line = json.dumps(bulk.customer("c1")).encode()
    found = bulk.done(owner, bulk.accepted(post(owner, FILES, line, kind=kind)))
    assert found["counts"]["created"] == 1


@pytest.mark.parametrize(
    "kind", ["text/plain", "", "application/json", "text/csv; charset=latin-1"]
)
def test_another_type_of_a_file_is_415_and_told_which_are_taken(owner, storage, kind):
    answer = post(owner, FILES, b"{}", kind=kind)
    assert answer.status_code == 415
    for accepted in ("x-ndjson", "ndjson", "jsonl", "gzip", "octet-stream"):
        assert f"application/{accepted}" in message_of(answer)
    assert post(owner, FILES, b"{}", "br", kind="application/ndjson").status_code == 415
    assert not BulkFile.objects.exists()


@pytest.mark.parametrize(("url", "body", "status"), BODIES)
@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=latin-1", "text/csv"])
def test_a_415_says_what_is_accepted(owner, url, body, status, kind):
    answer = post(owner, url(owner), json.dumps(body).encode(), kind=kind)
    assert answer.status_code == 415
    assert message_of(answer) == (
        f"The Content-Type {kind} is not accepted here: application/json is, in UTF-8."
    )


@pytest.mark.parametrize(("url", "body", "status"), BODIES)
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_body_that_is_not_utf_8_is_told_so(owner, url, body, status, encoding):
    sent = json.dumps(body | {"note": "Zo\u00eb"}, ensure_ascii=False).encode(encoding)
    answer = post(owner, url(owner), sent)
    assert (answer.status_code, message_of(answer)) == (400, "The body is not UTF-8.")
