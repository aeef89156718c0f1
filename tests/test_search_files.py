"""The result files: what a run writes, in which form, and what it leaves behind when it fails."""

import csv
import hashlib
import io
import json
import os
import shutil
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections
from django.db.models.functions import Now

from customers.criteria import Criteria
from customers.models import Customer
from search import columns, results, runner, services, stream
from search.models import CustomerSearch
from tests.factories import (
    make_address,
    make_contact,
    make_contact_point,
    make_customer,
    make_department,
)
from tests.searches import content, rows, search
from tests.storage import little_space

pytestmark = pytest.mark.django_db(transaction=True)
NASTY = 'a,"b"\r\nc\td\\e\u2028\u00e9\U0001f600'


def files(storage) -> list[str]:
    return sorted(str(path.relative_to(storage)) for path in storage.rglob("*") if path.is_file())


def full_customer(account) -> Customer:
    """An individual with every field set, some of them hard to write down."""
    customer = make_customer(
        account,
        external_id="=cmd()",
        metadata={"k": NASTY},
        prefix="Dr",
        first_name=NASTY[:40],
        middle_name="-1",
        last_name="@x",
        suffix="Jr",
        sex="FEMALE",
        gender="+g",
        pronoun="she",
        security_question="\tq?",
        date_of_birth=date(1990, 2, 3),
        birth_city="Zürich",
        birth_country="CHE",
        social_id_last4="6789",
        social_id_country="USA",
        citizenship_country="DEU",
        created_at=datetime(2024, 1, 2, 3, 4, 5, 678900, tzinfo=UTC),
        created_by_type="employee",
        created_by_id="e1",
    )
    make_address(customer, "MAILING", street_line_2="Two", street_line_5="Five")
    make_address(customer, "MAILING", is_primary=False, street_line_1="Old")
    make_address(customer, "SHIPPING", first_name="Grace", last_name="Hopper", zip_code="00501")
    return customer


def test_a_run_ends_with_a_file_and_a_manifest(owner, storage, each_mode):
    customer = make_customer(owner.account)
    done = search(owner)
    assert done.status == "FINISHED"
    data = content(storage, done)
    assert (done.rows, done.bytes) == (1, len(data))
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert [row["id"] for row in rows(storage, done)] == [str(customer.pk)]
    manifest = json.loads((storage / results.manifest_name(done.storage_name)).read_bytes())
    assert manifest == {
        "queryId": str(done.pk),
        "fileName": done.file_name,
        "resultFormat": "CSV",
        "compression": "NONE",
        "columns": [
            {"name": name, "type": columns.TYPES.get(name, "text")} for name in columns.COLUMN_NAMES
        ],
        "criteria": done.criteria,
        "businessAccountIds": [str(owner.account.pk)],
        "snapshotAt": done.snapshot_at.isoformat(timespec="milliseconds")[:-6] + "Z",
        **({"isOneSnapshot": False} if each_mode else {}),
        "rowCount": 1,
        "byteCount": len(data),
        "sha256": done.sha256,
        "complete": True,
    }
    assert len(files(storage)) == 2
    assert (storage / done.storage_name).stat().st_mode & 0o777 == 0o600


def test_a_csv_has_every_field_of_the_customer_flattened(owner, storage):
    customer = full_customer(owner.account)
    done = search(owner)
    (row,) = rows(storage, done)
    expected = {
        "id": str(customer.pk),
        "businessAccountId": str(owner.account.pk),
        "externalId": "=cmd()",
        "type": "INDIVIDUAL",
        "status": "ACTIVE",
        "createdAt": "2024-01-02T03:04:05.678Z",
        "prefix": "Dr",
        "firstName": NASTY[:40],
        "middleName": "-1",
        "lastName": "@x",
        "suffix": "Jr",
        "businessName": "",
        "sex": "FEMALE",
        "gender": "+g",
        "pronoun": "she",
        "primaryPhoneNumber": "+14155550123",
        "primaryPhoneNumberType": "MOBILE",
        "primaryPhoneNumberProvider": "",
        "primaryPhoneNumberVerified": "false",
        "primaryEmail": "ada@example.com",
        "primaryEmailVerified": "false",
        "dateOfBirth": "1990-02-03",
        "placeOfBirthCity": "Zürich",
        "placeOfBirthCountryCode": "CHE",
        "securityQuestion": "\tq?",
        "socialId": "6789",
        "socialIdCountryCode": "USA",
        "citizenshipCountryCode": "DEU",
        "createdByType": "employee",
        "createdById": "e1",
        "mailingStreetLine1": "1 Main Street",
        "mailingStreetLine2": "Two",
        "mailingStreetLine5": "Five",
        "mailingCityName": "San Francisco",
        "mailingStateCode": "CA",
        "mailingCountryCode": "USA",
        "mailingZipCode": "94105",
        "physicalStreetLine1": "",
        "shippingFirstName": "Grace",
        "shippingLastName": "Hopper",
        "shippingZipCode": "00501",
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["metadata"]) == {"k": NASTY}
    assert list(row) == list(columns.COLUMN_NAMES)


def test_a_csv_is_rfc_4180(owner, storage):
    make_customer(owner.account, first_name="a\nb")
    data = content(storage, search(owner))
    assert not data.startswith(b"\xef\xbb\xbf")
    header, body = data.split(b"\r\n", 1)
    assert header.startswith(b"id,businessAccountId,externalId,type,status,createdAt,updatedAt,")
    assert b"\n" not in header
    assert b'"a\nb"' in body
    assert body.endswith(b"\r\n")
    assert body.count(b"\r\n") == 1


def test_a_business_is_flattened_to_its_primary_contact(owner, storage):
    firm = make_customer(owner.account, business_name="Acme", first_name="Ada", email="")
    other = make_contact(firm, is_primary=False, first_name="Grace")
    make_contact_point(other, "EMAIL", "grace@example.com")
    (row,) = rows(storage, search(owner, customer_account_type="BUSINESS"))
    assert (row["businessName"], row["firstName"], row["primaryEmail"]) == ("Acme", "Ada", "")


def test_the_excel_form_disarms_formulas(owner, storage):
    full_customer(owner.account)
    done = search(owner, "CSV_EXCEL")
    data = content(storage, done)
    assert data.startswith(b"\xef\xbb\xbfid,")
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    text = data.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["externalId"] == "'=cmd()"
    assert row["middleName"] == "'-1"
    assert row["lastName"] == "'@x"
    assert row["gender"] == "'+g"
    assert row["securityQuestion"] == "'\tq?"
    assert row["primaryPhoneNumber"] == "'+14155550123"
    assert row["firstName"] == NASTY[:40]
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("sign", "=+-@\t\r＝＋－＠")  # noqa: RUF001 -- full-width on purpose
def test_the_excel_form_disarms_every_sign_of_a_formula(owner, storage, sign):
    text = f"{sign}1"
    firm = make_customer(owner.account, business_name=text, last_name=text)
    make_address(firm, street_line_1=text, city=text, zip_code=text)
    data = content(storage, search(owner, "CSV_EXCEL", customer_account_type="BUSINESS"))
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    names = {"businessName", "lastName", "mailingStreetLine1", "mailingCityName"}
    assert {row[name] for name in names | {"mailingZipCode"}} == {f"'{text}"}


def test_what_is_not_set_is_an_empty_cell(owner, storage):
    make_address(make_customer(owner.account), state="", country="")
    (row,) = rows(storage, search(owner))
    unset = ["sex", "dateOfBirth", "placeOfBirthCity", "placeOfBirthCountryCode"]
    unset += ["socialIdCountryCode", "citizenshipCountryCode"]
    unset += ["mailingStateCode", "mailingCountryCode"]
    assert {row[name] for name in unset} == {""}


@pytest.mark.parametrize(
    ("result_format", "data"),
    [
        ("CSV", ",".join(columns.COLUMN_NAMES).encode() + b"\r\n"),
        ("JSON", b"[\n]\n"),
        ("NDJSON", b""),
    ],
)
def test_a_search_that_finds_nothing_has_an_empty_file(owner, storage, result_format, data):
    done = search(owner, result_format)
    assert (done.status, done.rows, done.bytes) == ("FINISHED", 0, len(data))
    assert content(storage, done) == data


def test_customers_come_oldest_first(owner, storage, child_account):
    when = [datetime(2024, 1, day, tzinfo=UTC) for day in (3, 1, 2)]
    made = [
        make_customer(account, created_at=at)
        for account, at in zip((owner.account, child_account, owner.account), when, strict=True)
    ]
    found = [row["id"] for row in rows(storage, search(owner))]
    assert found == [str(made[index].pk) for index in (1, 2, 0)]


def test_many_rows_pass_in_blocks(owner, storage, monkeypatch):
    monkeypatch.setattr(stream, "BLOCK_BYTES", 1000)
    made = {str(make_customer(owner.account).pk) for _ in range(20)}
    done = search(owner)
    assert {row["id"] for row in rows(storage, done)} == made
    assert done.rows == 20
    assert done.sha256 == hashlib.sha256(content(storage, done)).hexdigest()


# --- Failing --------------------------------------------------------------------------------------


def submitted_by(speaker) -> CustomerSearch:
    return services.submit_search(
        actor=speaker.actor,
        criteria=Criteria(customer_account_type="INDIVIDUAL"),
        result_format="CSV",
    )


def test_a_full_disk_fails_the_search_in_words_and_leaves_nothing(owner, storage):
    for _ in range(60):
        make_customer(owner.account)
    submitted = submitted_by(owner)
    with little_space(6000):
        runner.run(submitted.pk)
    submitted.refresh_from_db()
    assert (submitted.status, submitted.error_code) == ("FAILED", "STORAGE_FULL")
    assert files(storage) == []


def test_a_file_can_be_seen_only_when_it_is_complete(owner, storage, monkeypatch):
    make_customer(owner.account)
    seen = []
    store = results.store_manifest

    def look(name, manifest):
        seen.append(CustomerSearch.objects.get().status)
        store(name, manifest)

    monkeypatch.setattr(results, "store_manifest", look)
    done = search(owner)
    assert seen == ["STARTED"]
    assert done.status == "FINISHED"


def test_files_and_their_names_are_on_disk_before_the_search_has_finished(
    owner, storage, monkeypatch
):
    """A power cut after that takes nothing away."""
    make_customer(owner.account)
    kept, keep = [], os.fsync

    def note(descriptor: int) -> None:
        keep(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        kept.append((CustomerSearch.objects.get().status, path, files(storage)))

    monkeypatch.setattr(os, "fsync", note)
    done = search(owner)
    file = storage / done.storage_name
    manifest = storage / results.manifest_name(done.storage_name)
    folders = [file.parent, file.parent.parent, storage / "searches", storage]
    assert [path for _, path, _ in kept] == [
        file.with_name(f"{file.name}.part"),
        *folders,
        manifest.with_name(f"{manifest.name}.part"),
        *folders,
    ]
    assert {status for status, _, _ in kept} == {"STARTED"}
    assert kept[-1][2] == files(storage)


def test_what_a_dead_worker_left_is_gone_after_the_next_attempt(owner, storage):
    make_customer(owner.account)
    submitted = submitted_by(owner)
    dead = CustomerSearch.claim(submitted.pk, worker="dead")
    left = storage / f"{results.name_for(dead)}.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a fi")
    CustomerSearch.objects.update(lease_until=Now())
    runner.run(submitted.pk)
    submitted.refresh_from_db()
    assert (submitted.status, submitted.attempts) == ("FINISHED", 2)
    assert files(storage) == sorted(
        [submitted.storage_name, results.manifest_name(submitted.storage_name)]
    )


def test_a_search_that_is_claimed_already_is_left_alone(owner, storage):
    submitted = submitted_by(owner)
    CustomerSearch.claim(submitted.pk, worker="other")
    runner.run(submitted.pk)
    submitted.refresh_from_db()
    assert (submitted.status, submitted.worker) == ("PICKED", "other")
    assert files(storage) == []


def test_cancelling_stops_the_query_in_the_database_within_a_second(owner, storage, monkeypatch):
    """The query waits for a lock, which only its end in PostgreSQL can free it from."""
    submitted = submitted_by(owner)
    blocker = connections.create_connection("default")
    blocker.set_autocommit(False)
    with blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE customers_address IN ACCESS EXCLUSIVE MODE")
    worker = threading.Thread(target=lambda: (runner.run(submitted.pk), connection.close()))
    worker.start()
    try:
        pause = threading.Event()
        while not waiting_queries():
            pause.wait(0.05)
        services.cancel_search(search=submitted)
        # Though the lock is held on.
        worker.join(60)
        assert not worker.is_alive()
        assert not waiting_queries()
    finally:
        blocker.rollback()
        blocker.close()
        worker.join()
    submitted.refresh_from_db()
    assert (submitted.status, submitted.error_code) == ("ABORTED", "CANCELLED")
    assert files(storage) == []


# The file itself, the names of its folders, and the manifest.
@pytest.mark.parametrize("moment", [1, 2, 4, 6, 7])
def test_files_that_go_with_a_cancelled_search_are_no_failure(
    owner, storage, monkeypatch, caplog, moment
):
    """Its worker may write them just then, and learn of the end a moment later."""
    make_customer(owner.account)
    submitted = submitted_by(owner)
    count, keep = 0, os.fsync

    def cancelled_meanwhile(descriptor: int) -> None:
        nonlocal count
        keep(descriptor)
        count += 1
        if count == moment:
            services.cancel_search(search=submitted)
            assert services.delete_dead_files() == 1

    monkeypatch.setattr(os, "fsync", cancelled_meanwhile)
    runner.run(submitted.pk)
    assert count >= moment
    submitted.refresh_from_db()
    assert (submitted.status, submitted.error_code) == ("ABORTED", "CANCELLED")
    assert files(storage) == []
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []
    assert f"job {submitted.pk} was cancelled or taken over" in caplog.messages


def test_a_file_that_vanishes_without_a_reason_is_a_failure(owner, storage, monkeypatch):
    make_customer(owner.account)
    submitted = submitted_by(owner)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: shutil.rmtree(storage / "searches"))
    with pytest.raises(FileNotFoundError):
        runner.run(submitted.pk)
    submitted.refresh_from_db()
    assert (submitted.status, submitted.error_code) == ("FAILED", "INTERNAL_ERROR")


def waiting_queries() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'COPY (%'"
            " AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0]


def test_a_file_stays_when_nobody_knows_whether_its_search_has_finished(
    owner, storage, monkeypatch
):
    """The answer to the commit is lost: the search has FINISHED, and its worker cannot tell."""
    make_customer(owner.account)
    submitted = submitted_by(owner)
    finish = CustomerSearch.finish

    def break_off(search, **outcome):
        finish(search, **outcome)
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(CustomerSearch, "finish", break_off)
    runner.run(submitted.pk)
    submitted.refresh_from_db()
    assert submitted.status == "FINISHED"
    assert hashlib.sha256(content(storage, submitted)).hexdigest() == submitted.sha256


def test_an_unexpected_failure_leaves_nothing(owner, storage, monkeypatch):
    make_customer(owner.account)
    submitted = submitted_by(owner)
    read = stream.ResultStream.readinto

    def break_off(stream, target):
        if stream.size:
            raise ZeroDivisionError
        return read(stream, target)

    monkeypatch.setattr(stream.ResultStream, "readinto", break_off)
    with pytest.raises(ZeroDivisionError):
        runner.run(submitted.pk)
    submitted.refresh_from_db()
    assert (submitted.status, submitted.error_code) == ("FAILED", "INTERNAL_ERROR")
    assert files(storage) == []


def test_the_department_is_the_last_column(owner, account, storage):
    make_customer(account, department=make_department(account, "Retail"))
    (row,) = rows(storage, search(owner))
    assert list(row)[-1] == "department"
    assert row["department"] == "Retail"
