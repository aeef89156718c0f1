"""What `/v1/search/customer-accounts` accepts and refuses, and how it understands it."""

import json
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from config.api.errors import Invalid
from customers.criteria import Criteria, Match
from customers.models import Customer
from search.bi.filters import read_request
from search.bi.serializers import SearchRequest
from search.models import CustomerSearch
from tests import factories

URL = "/v1/search/customer-accounts"
# Every member as published; the last ones are Kith's.
SAMPLE = {
    "fromCreatedAt": "2023-01-01",
    "toCreatedAt": "2023-12-31",
    "customerAccountStatus": ["ACTIVE"],
    "customerAccountType": "INDIVIDUAL",
    "firstName": "John",
    "middleName": "",
    "lastName": "Smith",
    "doingBusinessAsName": "",
    "email": "john.smith@example.com",
    "phoneNumber": "4151234",
    "addressLine1": "1 Main Street",
    "addressLine2": "",
    "addressLine3": "",
    "city": "San Francisco",
    "state": "CA",
    "postalCode": "94105",
    "country": "USA",
    "prefix": "",
    "suffix": "",
    "gender": "",
    "sex": "MALE",
    "resultFormat": "CSV",
}


BUSINESS_NAMES = ["customerDoingAsBusinessName", "doingBusinessAsName", "doingAsBusinessName"]
BUSINESS_NAMES += ["businessName"]
COMPARED = {
    *("firstName", "middleName", "lastName", "addressLine1", "addressLine2", "addressLine3"),
    *("city", "postalCode", "prefix", "suffix", "gender"),
}


def read(owner, **body) -> Criteria:
    criteria, _ = read_request({"customerAccountType": "INDIVIDUAL"} | body, owner.actor)
    return criteria


def problems(owner, body) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        read_request(body, owner.actor)
    return sorted((problem.path, problem.code) for problem in caught.value.problems)


def test_the_published_sample_works_as_it_is(owner, published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner.api.post(URL, SAMPLE)
    assert answer.status_code == 200
    assert list(answer.json()) == ["queryId"]
    search = CustomerSearch.objects.get(pk=answer.json()["queryId"])
    assert search.criteria == {
        "customerAccountType": "INDIVIDUAL",
        "customerAccountStatus": ["ACTIVE"],
        "fromCreatedAt": "2023-01-01",
        "toCreatedAt": "2023-12-31",
        "timeZone": "UTC",
        "match": "EXACT",
        "firstName": "john",
        "lastName": "smith",
        "sex": "MALE",
        "email": "john.smith@example.com",
        "phoneNumber": "+14151234",
        "addressLine1": "1 main street",
        "city": "san francisco",
        "state": "CA",
        "postalCode": "94105",
        "country": "USA",
    }
    assert published == [("search.tasks.run_search", [str(search.pk)])]


def test_criteria_come_back_from_storage_as_they_were(owner, child_account):
    criteria = read(
        owner,
        **SAMPLE,
        businessAccountIds=[str(child_account.pk)],
        match="FUZZY",
        timeZone="+05:30",
    )
    assert Criteria.from_json(json.loads(json.dumps(criteria.as_json()))) == criteria
    assert criteria.business_account_ids == (child_account.pk,)
    assert criteria.match is Match.FUZZY


def test_submitting_takes_few_queries(owner, django_assert_num_queries):
    # The token, and the job's row between the two ends of its savepoint.
    with django_assert_num_queries(2):
        assert owner.api.post(URL, SAMPLE).status_code == 200


# --- Reading --------------------------------------------------------------------------------------


def test_only_the_type_is_needed(owner):
    assert read(owner) == Criteria(
        customer_account_type="INDIVIDUAL", customer_account_status=("ACTIVE", "SUSPENDED")
    )
    assert problems(owner, {}) == [("customerAccountType", "REQUIRED")]
    assert problems(owner, {"customerAccountType": ""}) == [("customerAccountType", "REQUIRED")]


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_filter_is_no_filter(owner, nothing):
    members = set(SearchRequest().fields) - {"customerAccountType"}
    assert read(owner, **dict.fromkeys(members, nothing)) == read(owner)


@pytest.mark.parametrize("blank", [" ", "\u200b", "\u0301"])
def test_a_filter_of_which_nothing_is_compared_is_refused(owner, blank):
    for kind, unfit in (
        ("INDIVIDUAL", BUSINESS_NAMES),
        ("BUSINESS", ["prefix", "suffix", "gender", "sex"]),
    ):
        for member in set(SearchRequest().fields) - {"customerAccountType", *unfit}:
            (problem,) = problems(owner, {"customerAccountType": kind, member: blank})
            assert problem[0] == member
            if member in COMPARED:
                assert problem[1] == "NOTHING_TO_COMPARE"


@pytest.mark.parametrize(
    ("member", "value"), [("city", "x" * 26), ("postalCode", "1" * 11), ("gender", "x" * 256)]
)
def test_a_value_that_is_longer_than_any_stored_one_finds_nothing(owner, customer, member, value):
    factories.make_address(customer)
    for match in Match:
        criteria = read(owner, match=match, **{member: value})
        assert not Customer.objects.matching(criteria).exists()
    assert (
        owner.api.post(URL, {"customerAccountType": "INDIVIDUAL", member: value}).status_code == 200
    )


def test_the_length_of_a_filter_counts_composed_letters(owner):
    assert read(owner, lastName="e\u0301" * 40).last_name == "e" * 40
    assert problems(owner, {"customerAccountType": "INDIVIDUAL", "lastName": "e\u0301" * 41}) == [
        ("lastName", "TOO_LONG")
    ]


def test_an_address_is_looked_for_under_the_ascii_form_of_its_domain(owner):
    for address in ("A@BÜCHER.example", "a@xn--bcher-kva.example"):
        assert read(owner, email=address).email == "a@xn--bcher-kva.example"


def test_an_empty_array_is_no_filter(owner):
    assert read(owner, customerAccountStatus=[], businessAccountIds=[]) == read(owner)
    assert read(owner, customerAccountStatus=[""]) == read(owner)


@pytest.mark.parametrize("status", ["DELETED", ["DELETED"], ["DELETED", "DELETED"]])
def test_the_status_is_one_string_or_an_array(owner, status):
    assert read(owner, customerAccountStatus=status).customer_account_status == ("DELETED",)


@pytest.mark.parametrize("number", ["+14151234", "14151234", "4151234", "(415) 1234"])
def test_a_phone_number_is_understood_in_all_its_forms(owner, number):
    assert read(owner, phoneNumber=number).phone_number == "+14151234"


def test_a_phone_number_is_read_for_the_accounts_region(db):
    speaker = factories.make_speaker(factories.make_business_account(default_region="GB"))
    assert read(speaker, phoneNumber="020 7946 0958").phone_number == "+442079460958"


def test_names_are_compared_without_case_and_accents(owner):
    criteria = read(owner, firstName="  JOSÉ ", lastName="Mu\u0308ller", city="ZÜRICH")
    assert (criteria.first_name, criteria.last_name, criteria.city) == ("jose", "muller", "zurich")
    assert read(owner, email="Ada@Example.COM").email == "ada@example.com"


@pytest.mark.parametrize(
    "member",
    ["customerDoingAsBusinessName", "doingBusinessAsName", "doingAsBusinessName", "businessName"],
)
def test_the_name_of_a_business_is_taken_under_all_its_names(owner, member):
    criteria = read(owner, customerAccountType="BUSINESS", **{member: "Café Ltd"})
    assert criteria.business_name == "cafe ltd"


def test_names_of_a_business_that_contradict_each_other_are_refused(owner):
    body = {"customerAccountType": "GROUP", "businessName": "Acme", "doingBusinessAsName": "ACMÉ"}
    assert read(owner, **body).business_name == "acme"
    body["doingAsBusinessName"] = "Other"
    assert problems(owner, body) == [
        ("businessName", "CONTRADICTION"),
        ("doingAsBusinessName", "CONTRADICTION"),
        ("doingBusinessAsName", "CONTRADICTION"),
    ]


def test_days_are_inclusive_in_their_time_zone(owner):
    criteria = read(owner, fromCreatedAt="2024-03-01", toCreatedAt="2024-03-01")
    assert criteria.created_from == datetime(2024, 3, 1, tzinfo=UTC)
    assert criteria.created_before == datetime(2024, 3, 2, tzinfo=UTC)
    criteria = read(owner, fromCreatedAt="2024-03-01", timeZone="+05:30")
    assert criteria.created_from == datetime(2024, 2, 29, 18, 30, tzinfo=UTC)
    criteria = read(owner, toCreatedAt="2024-03-31", timeZone="Europe/Berlin")
    assert criteria.created_before == datetime(2024, 3, 31, 22, tzinfo=UTC)


def test_days_at_the_ends_of_the_calendar_bound_nothing(owner):
    criteria = read(owner, fromCreatedAt="0001-01-01", toCreatedAt="9999-12-31", timeZone="+18")
    assert criteria.from_created_at == date.min
    assert criteria.created_from is None
    assert criteria.created_before is None


def test_a_day_may_not_come_after_the_last(owner):
    body = {"customerAccountType": "INDIVIDUAL", "fromCreatedAt": "2024-03-02"}
    assert problems(owner, body | {"toCreatedAt": "2024-03-01"}) == [
        ("fromCreatedAt", "INVALID_RANGE")
    ]
    assert read(owner, fromCreatedAt="2024-03-02", toCreatedAt="2024-03-02")


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("INDIVIDUAL", ["customerDoingAsBusinessName", "businessName"]),
        ("BUSINESS", ["prefix", "suffix", "gender", "sex"]),
        ("GROUP", ["prefix", "suffix", "gender", "sex"]),
    ],
)
def test_a_filter_of_the_wrong_customer_type_is_refused(owner, kind, members):
    body = {"customerAccountType": kind} | dict.fromkeys(members, "MALE")
    assert problems(owner, body) == sorted((name, "WRONG_CUSTOMER_TYPE") for name in members)


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("customerAccountType", "PERSON", "UNKNOWN_VALUE"),
        ("customerAccountType", "individual", "UNKNOWN_VALUE"),
        ("customerAccountType", ["INDIVIDUAL"], "UNKNOWN_VALUE"),
        ("customerAccountStatus", "ALL", "UNKNOWN_VALUE"),
        ("customerAccountStatus", ["ACTIVE", "GONE"], "UNKNOWN_VALUE"),
        ("customerAccountStatus", [1], "INVALID_TYPE"),
        ("customerAccountStatus", {"a": 1}, "INVALID_TYPE"),
        ("customerAccountStatus", 7, "INVALID_TYPE"),
        ("fromCreatedAt", "2024-02-30", "NOT_A_DATE"),
        ("fromCreatedAt", "0000-01-01", "NOT_A_DATE"),
        ("fromCreatedAt", "99999-01-01", "NOT_A_DATE"),
        ("fromCreatedAt", "20240101", "NOT_A_DATE"),
        ("toCreatedAt", "2024-01-01T00:00:00Z", "NOT_A_DATE"),
        ("toCreatedAt", 20240101, "INVALID_TYPE"),
        ("timeZone", "Mars/Olympus", "INVALID_TIME_ZONE"),
        ("firstName", 5, "INVALID_TYPE"),
        ("firstName", True, "INVALID_TYPE"),
        ("firstName", ["a"], "INVALID_TYPE"),
        ("firstName", "x" * 41, "TOO_LONG"),
        ("lastName", "a\0b", "NUL_CHARACTER"),
        ("lastName", "\u0301", "NOTHING_TO_COMPARE"),
        ("email", "not an address", "INVALID_EMAIL"),
        ("email", "a" * 310 + "@example.com", "TOO_LONG"),
        ("phoneNumber", 4151234, "INVALID_TYPE"),
        ("phoneNumber", "call me", "INVALID_PHONE_NUMBER"),
        ("phoneNumber", "12", "INVALID_PHONE_NUMBER"),
        ("addressLine1", "x" * 51, "TOO_LONG"),
        ("state", "ca", "INVALID_STATE"),
        ("state", "CALI", "INVALID_STATE"),
        ("country", "US", "INVALID_COUNTRY"),
        ("country", "usa", "INVALID_COUNTRY"),
        ("sex", "male", "UNKNOWN_VALUE"),
        ("resultFormat", "XLS", "UNKNOWN_VALUE"),
        ("match", "exact", "UNKNOWN_VALUE"),
        ("businessAccountIds", "x", "INVALID_TYPE"),
        ("businessAccountIds[0]", ["x"], "INVALID"),
        ("columns", "id", "INVALID_TYPE"),
        ("columns[1]", ["id", "ID"], "UNKNOWN_VALUE"),
        ("columns[2]", ["id", "type", "id"], "DUPLICATE"),
        ("columns[0]", ["requestedId"], "UNKNOWN_VALUE"),
        ("externalIds", "x", "INVALID_TYPE"),
        ("externalIds", [str(number) for number in range(10_001)], "TOO_LONG"),
        ("externalIds[1]", ["x", ""], "REQUIRED"),
        ("externalIds[0]", [5], "INVALID_TYPE"),
        ("compression", "gzip", "UNKNOWN_VALUE"),
        ("frstName", "Ada", "UNKNOWN_FIELD"),
    ],
)
def test_a_bad_filter_is_refused_by_its_name(owner, member, value, code):
    body = {"customerAccountType": "INDIVIDUAL"} | {member.partition("[")[0]: value}
    assert problems(owner, body) == [(member, code)]


def test_an_external_id_that_is_given_twice_counts_once(owner):
    body = {"customerAccountType": "INDIVIDUAL", "externalIds": ["b", " a", "b", "A"]}
    _, asked = read_request(body, owner.actor)
    assert asked["external_ids"] == ["b", " a", "A"]


@pytest.mark.parametrize("result_format", ["JSON", "NDJSON"])
def test_objects_have_no_columns(owner, result_format):
    body = {"customerAccountType": "INDIVIDUAL", "resultFormat": result_format}
    assert problems(owner, body | {"columns": ["id"]}) == [("columns", "WRONG_FORMAT")]


def test_every_wrong_place_is_named_at_once(owner):
    body = {
        "customerAccountType": "INDIVIDUAL",
        "firstName": 5,
        "email": "x",
        "businessName": "Acme",
        "sex": "?",
        "typo": 1,
    }
    assert [path for path, _ in problems(owner, body)] == [
        "businessName",
        "email",
        "firstName",
        "sex",
        "typo",
    ]


def test_a_search_narrows_only_to_accounts_below_the_token(
    owner, parent_account, child_account, outsider
):
    body = {"customerAccountType": "INDIVIDUAL"}
    mine = [str(owner.account.pk), str(child_account.pk), str(child_account.pk)]
    assert read(owner, businessAccountIds=mine).business_account_ids == (
        owner.account.pk,
        child_account.pk,
    )
    foreign = [owner.account.pk, owner.account.pk, parent_account.pk, outsider.account.pk, uuid4()]
    assert problems(owner, body | {"businessAccountIds": list(map(str, foreign))}) == [
        (f"businessAccountIds[{index}]", "UNKNOWN_BUSINESS_ACCOUNT") for index in (2, 3, 4)
    ]


@pytest.mark.parametrize("body", [[], "x", 5, None, [[]]])
def test_a_body_that_is_no_object_is_refused(owner, body):
    answer = owner.api.post(URL, json.dumps(body), content_type="application/json")
    assert answer.status_code == 400
    assert not CustomerSearch.objects.exists()


def test_the_answer_to_a_bad_request_is_the_dialects(owner):
    answer = owner.api.post(URL, {"customerAccountType": "INDIVIDUAL", "state": "x"})
    assert answer.status_code == 400
    body = answer.json()
    assert body["errorCode"] == "VALIDATION_FAILED"
    assert [error["path"] for error in body["errors"]] == ["state"]
    assert not CustomerSearch.objects.exists()


def test_a_repeated_key_starts_one_search(owner):
    keyed = {"HTTP_IDEMPOTENCY_KEY": "search-0001"}
    first, second = (owner.api.post(URL, SAMPLE, **keyed) for _ in range(2))
    assert first.content == second.content
    assert CustomerSearch.objects.count() == 1
