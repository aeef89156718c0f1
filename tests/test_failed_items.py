"""Failed items are found without looking through all the rest, and sent again once corrected."""

import gzip
import json

import pytest

from ingest.cleanup import delete_old_content
from ingest.models import BulkFailedLines
from tests import bulk
from tests.bulk import customer
from tests.uploads import lines, send

pytestmark = pytest.mark.django_db(transaction=True)
FILES = "/v2/data/files"
NDJSON = "application/x-ndjson"
NUMBER = "4111 1111 1111 1111"


def ndjson(answer) -> list[dict]:
    """The objects of an answer, a line each."""
    assert (answer.status_code, answer["Content-Type"]) == (200, NDJSON)
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def load(speaker, *sent: bytes) -> str:
    """Load a file to its end; gives the request's id."""
    body = gzip.compress(b"\n".join(sent))
    public_id = bulk.accepted(speaker.api.post(FILES, body, content_type="application/gzip"))
    bulk.run(public_id)
    return public_id


def line(name: str, **members: object) -> bytes:
    return json.dumps(customer(name, **members)).encode()


def sent_file(speaker) -> str:
    """A file with one good line and four bad ones."""
    return load(
        speaker,
        line("c1"),
        line("c2", postalCode=""),
        b"{broken",
        b'["no object"]',
        line('c5","outcome":"CREATED', country="Utopia", line=99),
    )


def url(public_id: str, rest: str = "") -> str:
    return f"{bulk.REQUESTS}/{public_id}{rest}"


# --- One outcome ----------------------------------------------------------------------------------


def test_a_ledger_shows_one_outcome(owner):
    people = [customer("c1"), customer("c2", postalCode=""), customer("c3")]
    public_id = bulk.send(owner, *people)
    bulk.run(public_id)
    failed = owner.api.get(url(public_id, "?outcome=FAILED")).json()
    assert [item["index"] for item in failed["items"]] == [1]
    assert failed["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 1}
    created = owner.api.get(url(public_id, "?outcome=CREATED")).json()
    assert [item["index"] for item in created["items"]] == [0, 2]
    told = ndjson(owner.api.get(url(public_id, "/results?outcome=FAILED")))
    assert [each["line"] for each in told] == [2]


@pytest.mark.parametrize("rest", ["?outcome=BAD", "/results?outcome=failed"])
def test_an_outcome_that_is_none_is_refused(owner, storage, rest):
    public_id = sent_file(owner)
    answer = owner.api.get(url(public_id, rest))
    assert answer.status_code == 400
    assert "CREATED, UPDATED, UNCHANGED, FAILED" in answer.content.decode()


def test_results_of_a_file_show_one_outcome(owner, storage):
    public_id = sent_file(owner)
    everything = ndjson(owner.api.get(url(public_id, "/results")))
    for outcome in ("FAILED", "CREATED", "UPDATED"):
        told = ndjson(owner.api.get(url(public_id, f"/results?outcome={outcome}")))
        assert told == [each for each in everything if each["outcome"] == outcome]


# --- Failed items ---------------------------------------------------------------------------------


def test_failed_lines_of_a_file_come_back_as_they_were_sent_with_their_errors(owner, storage):
    public_id = sent_file(owner)
    second, third, fourth, fifth = ndjson(owner.api.get(url(public_id, "/failed")))
    assert (second["line"], second["sourceCustomerId"], second["postalCode"]) == (2, "c2", "")
    assert [error["pointer"] for error in second["errors"]] == ["/postalCode"]
    assert (third["line"], third["sent"]) == (3, "{broken")
    assert third["errors"][0]["code"] == "MALFORMED_LINE"
    assert (fourth["line"], fourth["sent"]) == (4, '["no object"]')
    assert fifth["line"] == 5
    assert list(fifth)[:2] == ["line", "errors"]


def test_failed_lines_are_loaded_once_they_are_corrected(owner, storage):
    wrong = ndjson(owner.api.get(url(sent_file(owner), "/failed")))
    creation = wrong[0] | {"postalCode": "78753"}
    again = load(owner, json.dumps(creation).encode())
    assert bulk.ledger(owner, again)["counts"]["created"] == 1


def test_failed_items_of_a_request_come_back_as_they_were_sent(owner):
    people = [customer("c1"), customer("c2", postalCode="", note=NUMBER)]
    public_id = bulk.send(owner, *people)
    bulk.run(public_id)
    (wrong,) = ndjson(owner.api.get(url(public_id, "/failed")))
    assert (wrong["line"], wrong["sourceCustomerId"]) == (2, "c2")
    places = {error["pointer"] for error in wrong["errors"]}
    assert places == {"/customers/1/note", "/customers/1/postalCode"}
    assert NUMBER not in json.dumps(wrong)


def corrected(speaker, public_id: str, **members: object) -> dict:
    """The only failed item of a request, once it was done, with these members instead."""
    bulk.run(public_id)
    (wrong,) = ndjson(speaker.api.get(url(public_id, "/failed")))
    return wrong | members


def test_corrected_creations_are_loaded_as_a_file(owner, storage):
    creation = corrected(owner, bulk.send(owner, customer("c1", country="")), country="US")
    again = load(owner, json.dumps(creation).encode())
    assert bulk.ledger(owner, again)["counts"]["created"] == 1


def test_corrected_updates_are_sent_the_way_they_came_and_not_as_a_file(owner, storage):
    bulk.load(owner, customer("c1"))
    of_customer = corrected(
        owner, bulk.put(owner, {"sourceCustomerId": "c1", "country": "Utopia"}), country="CA"
    )
    wrong = {"sourceAccountId": "account-of-c1", "status": "SHUT"}
    of_account = corrected(owner, bulk.put_accounts(owner, "c1", wrong), status="FRAUD")
    wrong = bulk.card("c1", "account-of-c1", status="SHUT")
    of_card = corrected(owner, bulk.put_cards(owner, "c1", "account-of-c1", wrong), status="OPEN")

    lines = [json.dumps(each).encode() for each in (of_customer, of_account, of_card)]
    assert bulk.ledger(owner, load(owner, *lines))["counts"]["failed"] == 3
    for public_id, outcome in (
        (bulk.put(owner, of_customer), "UPDATED"),
        (bulk.put_accounts(owner, "c1", of_account), "UPDATED"),
        (bulk.put_cards(owner, "c1", "account-of-c1", of_card), "UNCHANGED"),
    ):
        assert bulk.outcomes(bulk.done(owner, public_id)) == [outcome]


def test_nothing_failed_is_an_empty_file(owner, storage):
    assert ndjson(owner.api.get(url(load(owner, line("c1")), "/failed"))) == []
    assert not BulkFailedLines.objects.exists()


def test_failed_items_are_not_there_before_the_end(owner, storage):
    body = line("c1", country="")
    public_id = bulk.accepted(owner.api.post(FILES, body, content_type=NDJSON))
    assert owner.api.get(url(public_id, "/failed")).status_code == 404


def test_a_request_that_did_not_finish_has_neither_results_nor_failed_items(owner):
    public_id = bulk.send(owner, customer("c1", country=""))
    assert bulk.request_of(public_id).abort("CANCELLED", "This request was cancelled.")
    answers = [owner.api.get(url(public_id, rest)) for rest in ("/results", "/failed")]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_a_file_of_which_nothing_was_loaded_has_neither_results_nor_failed_lines(owner, storage):
    public_id = send(owner, lines(customer("c1")))
    assert bulk.request_of(public_id).abort("CANCELLED", "This request was cancelled.")
    answers = [owner.api.get(url(public_id, rest)) for rest in ("/results", "/failed")]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_failed_lines_are_kept_sealed_and_without_card_numbers(owner, storage):
    public_id = load(owner, line("Lovelace", country=""), line("c2", note=NUMBER))
    (row,) = BulkFailedLines.objects.all()
    assert b"Lovelace" not in bytes(row.lines_sealed)
    told = b"".join(owner.api.get(url(public_id, "/failed")).streaming_content)
    assert b"Lovelace" in told
    assert NUMBER.encode() not in told


def test_failed_lines_go_with_the_results(owner, storage, settings):
    public_id = sent_file(owner)
    settings.RESULT_SECONDS = 0
    assert delete_old_content() > 0
    assert not BulkFailedLines.objects.exists()
    for rest in ("/failed", "/results"):
        assert owner.api.get(url(public_id, rest)).status_code == 410


@pytest.mark.parametrize("stranger", ["colleague", "outsider"])
def test_nobody_else_reads_failed_items(owner, stranger, storage, request):
    path = url(sent_file(owner), "/failed")
    assert request.getfixturevalue(stranger).api.get(path).status_code == 404
