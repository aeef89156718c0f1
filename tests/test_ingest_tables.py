"""Tables of customers over the API: `text/csv` of `POST /v2/data/files`."""

import csv
import gzip
import io

import pytest
from django.db import connection

from config.checks import check_databases
from customers.models import (
    Address,
    AttributeDefinition,
    Change,
    ContactPoint,
    Customer,
    Enrollment,
)
from ingest.examples import TABLE
from ingest.models import BulkFile, BulkPart
from tests import bulk, factories
from tests.uploads import ended, results, send, stored

pytestmark = pytest.mark.django_db(transaction=True)
CSV = "text/csv"
NUMBER = "4111111111111111"


@pytest.fixture(autouse=True)
def folder(storage):
    return storage


def table(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def load(speaker, body: bytes, content_type: str = CSV) -> dict:
    """Load a table to its end; gives the ledger."""
    return ended(speaker, send(speaker, body, content_type))


def counts(found: dict) -> tuple[int, int, int, int]:
    assert found["status"] == "FINISHED", found
    return tuple(found["counts"][name] for name in ("created", "updated", "unchanged", "failed"))


def errors(speaker, found: dict) -> set[tuple[int, str, str]]:
    return {
        (line["line"], error["pointer"], error["code"])
        for line in results(speaker, found["requestId"])
        for error in line["errors"]
    }


def shown(speaker, source_id: str) -> dict:
    return speaker.api.get(f"/v1/customers/{bulk.id_of(speaker, source_id)}").json()


def test_the_table_that_is_documented_is_loaded(owner, account):
    AttributeDefinition.objects.create(business_account=account, name="tier")
    assert counts(load(owner, TABLE.encode())) == (2, 0, 0, 0)
    assert shown(owner, "C-1001")["customAttributes"] == {"tier": "gold"}


WHOLE = table(
    "lastName,firstName,externalId,email,phone,dateOfBirth,streetLine1,cityName,stateCode,"
    "countryCode,zipCode,department,metadata.crm,attribute.tier",
    "Lovelace,Ada,c1,Ada@Example.com,4155550123,1980-12-31,1 Main Street,San Francisco,ca,us,94105,"
    "North,A-17,gold",
)


@pytest.fixture
def definitions(account):
    factories.make_department(account, "North")
    for name, is_encrypted in (("tier", False), ("pin", True)):
        AttributeDefinition.objects.create(
            business_account=account, name=name, is_encrypted=is_encrypted
        )


def test_a_row_makes_a_whole_customer_and_no_enrollment(owner, definitions):
    found = load(owner, WHOLE)
    assert counts(found) == (1, 0, 0, 0), errors(owner, found)
    person = shown(owner, "c1")
    assert (person["type"], person["firstName"], person["dateOfBirth"]) == (
        "INDIVIDUAL",
        "Ada",
        "1980-12-31",
    )
    assert person["primaryEmail"]["value"] == "Ada@Example.com"
    assert (person["primaryPhoneNumber"]["number"], person["primaryPhoneNumber"]["type"]) == (
        "+14155550123",
        "MOBILE",
    )
    (address,) = person["addresses"]
    assert (address["type"], address["stateCode"], address["countryCode"]) == (
        "MAILING",
        "CA",
        "USA",
    )
    assert (person["metadata"], person["customAttributes"]) == ({"crm": "A-17"}, {"tier": "gold"})
    assert not Enrollment.objects.exists()


def test_the_same_table_again_changes_nothing(owner, definitions):
    load(owner, WHOLE)
    before = Change.objects.count()
    assert counts(load(owner, WHOLE)) == (0, 0, 1, 0)
    assert Change.objects.count() == before


def test_an_empty_cell_leaves_a_value_and_the_word_clears_it(owner, definitions):
    load(owner, WHOLE)
    rows = table(
        "externalId,lastName,dateOfBirth,streetLine1,department,metadata.crm,attribute.tier,email",
        "c1,,(clear),2 Main Street,(clear),(clear),(clear),new@example.com",
    )
    found = load(owner, rows)
    assert counts(found) == (0, 1, 0, 0), errors(owner, found)
    person = shown(owner, "c1")
    assert (person["lastName"], person["dateOfBirth"]) == ("Lovelace", None)
    assert (person["metadata"], person["customAttributes"]) == ({}, {})
    assert person["addresses"][0]["streetLine1"] == "2 Main Street"
    assert person["addresses"][0]["zipCode"] == "94105"
    points = ContactPoint.objects.filter(kind="EMAIL").values_list("value", flat=True)
    assert list(points) == ["new@example.com"]
    assert bulk.stored(owner, "c1").department is None
    assert Address.objects.count() == 1


def test_what_must_be_there_cannot_be_cleared(owner, definitions):
    load(owner, WHOLE)
    row = table("externalId,lastName,type,email,zipCode", "c1,(clear),(clear),(clear),(clear)")
    found = load(owner, row)
    assert {(place, code) for _, place, code in errors(owner, found)} == {
        ("/lastName", "REQUIRED"),
        ("/type", "IMMUTABLE"),
        ("/email", "REQUIRED"),
        ("/zipCode", "REQUIRED"),
    }


def test_a_business_has_its_person_as_the_primary_contact(owner):
    row = "b1,Engines Ltd,Charles,Babbage,office@example.com,+442079460958"
    rows = table("externalId,businessName,firstName,lastName,email,phone", row)
    assert counts(load(owner, rows)) == (1, 0, 0, 0)
    found = shown(owner, "b1")
    (contact,) = found["contacts"]
    assert (found["type"], contact["firstName"], contact["primaryPhoneNumber"]["type"]) == (
        "BUSINESS",
        "Charles",
        "WORK",
    )
    assert counts(load(owner, rows)) == (0, 0, 1, 0)
    changed = table("externalId,email,lastName", "b1,new@example.com,Darwin")
    assert counts(load(owner, changed)) == (0, 1, 0, 0)
    (contact,) = shown(owner, "b1")["contacts"]
    assert (contact["lastName"], contact["primaryEmail"]["value"]) == ("Darwin", "new@example.com")


def test_a_row_without_an_id_creates_each_time(owner):
    rows = table("externalId,firstName,lastName", ",Ada,Lovelace", "")
    assert counts(load(owner, rows)) == (1, 0, 0, 0)
    assert counts(load(owner, rows)) == (1, 0, 0, 0)
    assert Customer.objects.filter(external_id="", name="Ada Lovelace").count() == 2
    nameless = load(owner, table("externalId,middleName", ",King"))
    assert errors(owner, nameless) == {(2, "/externalId", "REQUIRED")}


def test_every_wrong_cell_is_told_by_its_column(owner, definitions):
    rows = table(
        "externalId,type,email,phone,dateOfBirth,countryCode,stateCode,zipCode,department,"
        "attribute.nobody,businessName,metadata.note",
        f"c1,person,no address,12,31.12.1980,XX,ZZ,1,South,x,,{NUMBER}",
        "c2,business,,,,,,,,,,",
        "c3,individual,,,,,,,,,Engines,",
        "c4,,,,,,,,,,,,one cell too many",
        'c5,"a "bad" one",,,,,,,,,,',
    )
    found = load(owner, rows)
    assert counts(found) == (0, 0, 0, 5)
    assert errors(owner, found) >= {
        (2, "/type", "UNKNOWN_VALUE"),
        (2, "/email", "INVALID"),
        (2, "/phone", "INVALID"),
        (2, "/dateOfBirth", "INVALID"),
        (2, "/countryCode", "INVALID"),
        (2, "/department", "UNKNOWN_DEPARTMENT"),
        (2, "/attribute.nobody", "UNKNOWN_ATTRIBUTE"),
        (2, "/metadata.note", "CARD_NUMBER"),
        (3, "/businessName", "REQUIRED"),
        (4, "/businessName", "NOT_FOR_THIS_TYPE"),
        (5, "", "MALFORMED_LINE"),
        (6, "", "MALFORMED_LINE"),
    }
    assert not Customer.objects.exists()


def test_a_deleted_customer_stays_deleted(owner):
    factories.make_customer(owner.account, external_id="c1", status="DELETED")
    found = load(owner, table("externalId,firstName", "c1,Eve"))
    assert {code for _, _, code in errors(owner, found)} == {"CUSTOMER_DELETED"}


def test_a_customer_twice_is_taken_in_the_order_of_the_rows(owner):
    rows = table("externalId,firstName,lastName", "c1,Ada,King", "c1,,Lovelace", "c1,,Lovelace")
    assert counts(load(owner, rows)) == (1, 1, 1, 0)
    assert shown(owner, "c1")["lastName"] == "Lovelace"


# --- Failed rows ----------------------------------------------------------------------------------


def failed(speaker, found: dict) -> list[list[str]]:
    answer = speaker.api.get(f"{bulk.REQUESTS}/{found['requestId']}/failed")
    assert answer["Content-Type"].startswith(CSV)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))


def test_failed_rows_come_back_as_a_table_that_is_loaded_once_corrected(owner):
    rows = table(
        "externalId;email;error;firstName",
        "c1;ada@example.com;;Ada",
        'c2;nobody;old words;"Eve\nof ""Rome"""',
        f"c3;ok@example.com;;{NUMBER}",
    )
    found = load(owner, rows)
    assert counts(found) == (1, 0, 0, 2)
    header, second, third = failed(owner, found)
    assert header == ["externalId", "email", "firstName", "error"]
    assert second[:3] == ["c2", "nobody", 'Eve\nof "Rome"']
    assert "email: Not an e-mail address" in second[3]
    assert third[2] == "[card number removed]"
    corrected = [header, ["c2", "eve@example.com", "Eve", second[3]]]
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(corrected)
    assert counts(load(owner, text.getvalue().encode("utf-8-sig"))) == (1, 0, 0, 0)
    assert shown(owner, "c2")["primaryEmail"]["value"] == "eve@example.com"


# --- What is no table -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no lines"),
        (b"externalId,firstName\n", "no lines"),
        (b"externalId,Vorname\nc1,Ada\n", "no such column"),
        (b"externalId,firstName,firstname\nc1,Ada,Eve\n", "twice"),
        (f"externalId,{NUMBER}\nc1,Ada\n".encode(), "card number"),
        (b'{"sourceCustomerId":"c1"}\n', "no such column"),
        (b',error\n"c1",x\n', "has to name the columns"),
        ("externalId,firstName\nc1,José\n".encode("latin-1"), "not UTF-8"),
        ("externalId,firstName\nc1,José\n".encode("utf-16"), "not UTF-8"),
        (b"firstName" + b",x" * 200 + b"\nAda\n", "200 columns"),
        (b'externalId,firstName\nc1,"Ada\nc2,Eve\n', "Row 2"),
        (b'externalId,firstName\nc1,"Ada' + b"\nx" * 400_000, "Row 2"),
        (b"externalId," + b"x" * 3_000_000 + b"\nc1,Ada\n", "too long"),
    ],
)
def test_what_is_no_table_is_refused_and_nothing_of_it_stored(owner, folder, body, words):
    answer = owner.api.post("/v2/data/files", body, content_type=CSV)
    assert answer.status_code == 400, answer.content
    assert words in answer.content.decode()
    assert NUMBER not in answer.content.decode()
    assert stored(folder) == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_marks_and_line_ends_are_recognised(owner, delimiter):
    rows = ["externalId,lastName", 'c1,"O\'Neil, Jr; the ""first"""', "", "c2,b"]
    text = "\r\n".join(row.replace(",", delimiter, 1) for row in rows)
    found = load(owner, gzip.compress(text.encode("utf-8-sig")))
    assert counts(found) == (2, 0, 0, 0), errors(owner, found)
    assert [line["line"] for line in results(owner, found["requestId"])] == [2, 4]
    assert shown(owner, "c1")["lastName"] == 'O\'Neil, Jr; the "first"'


def test_a_table_that_was_cut_off_is_loaded_as_far_as_it_is_whole(owner):
    rows = [f"c{number},{'x' * 30}{number}" for number in range(40_000)]
    body = gzip.compress(table("externalId,lastName", *rows))[:60_000]
    found = load(owner, body)
    assert (found["status"], found["errorCode"]) == ("FAILED", "FILE_CUT_OFF")
    assert found["counts"]["created"] == found["progress"]["totalLines"] - 1
    assert found["counts"]["failed"] == 0


# --- Trials ---------------------------------------------------------------------------------------


def test_a_dry_run_tells_the_outcome_of_each_line_and_stores_nothing(owner, definitions):
    load(owner, WHOLE)
    before = (Change.objects.count(), Customer.objects.count())
    rows = table(
        "externalId,firstName,email", "c1,Ada,", "c1,Eve,", "new,Eve,", ",Bob,", "bad,x,nobody"
    )
    body = {"path": "/v2/data/files?dryRun=true", "data": rows, "content_type": CSV}
    public_id = bulk.accepted(owner.api.post(**body))
    found = ended(owner, public_id)
    assert found["dryRun"] is True
    assert counts(found) == (2, 1, 1, 1)
    told = results(owner, public_id)
    assert [line["outcome"] for line in told] == [
        "UNCHANGED",
        "UPDATED",
        "CREATED",
        "CREATED",
        "FAILED",
    ]
    assert told[2]["customerId"] == str(bulk.id_of(owner, "new"))
    assert told[3]["customerId"] is None
    assert (Change.objects.count(), Customer.objects.count()) == before
    assert not BulkPart.objects.filter(request__is_dry_run=True).exists()
    assert counts(load(owner, rows)) == (2, 1, 1, 1)


def test_a_dry_run_of_json_lines_is_one_too(owner):
    line = b'{"sourceCustomerId": "c1"}\n'
    url = "/v2/data/files?dryRun=true"
    found = ended(owner, bulk.accepted(owner.api.post(url, line, content_type="application/jsonl")))
    assert counts(found) == (0, 0, 0, 1)
    assert not Customer.objects.exists()


PLAIN = """
    CREATE ROLE plain; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain;
    GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO plain;
    REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC; SET ROLE plain"""
USUAL = """
    RESET ROLE; GRANT TEMPORARY ON DATABASE {database} TO PUBLIC; DROP OWNED BY plain;
    DROP ROLE plain"""


@pytest.fixture
def without_temporary_tables():
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(PLAIN.format(database=database))
    yield
    with connection.cursor() as cursor:
        cursor.execute(USUAL.format(database=database))


def test_a_dry_run_says_that_the_database_lets_nobody_make_temporary_tables(
    owner, without_temporary_tables
):
    [problem] = [each for each in check_databases(databases=["default"]) if "temp" in each.msg]
    assert problem.id == "kith.W004"
    rows = table("externalId,firstName", "c1,Ada")
    answer = owner.api.post("/v2/data/files?dryRun=true", rows, content_type=CSV)
    public_id = bulk.accepted(answer)
    bulk.run(public_id)
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "NO_TEMPORARY_TABLES")
    assert "the right TEMPORARY" in found["message"]


def test_a_trial_and_a_load_of_one_file_are_two_requests(owner):
    request_id = "5c0f3f4b-6f0a-4c55-8f0e-2d9f8a4f3c11"
    rows = table("externalId,firstName", "c1,Ada")
    send(owner, rows, CSV, **{"X-CDLX-Request-Id": request_id})
    again = owner.api.post(
        "/v2/data/files?dryRun=true",
        rows,
        content_type=CSV,
        headers={"X-CDLX-Request-Id": request_id},
    )
    assert again.status_code == 422
    assert BulkFile.objects.count() == 1
