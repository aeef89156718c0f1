"""Which customers the criteria of a queued search find."""

from datetime import UTC, date, datetime

import pytest

from customers.criteria import Criteria, Match
from customers.models import Customer
from customers.normalize import fold
from tests.factories import make_address, make_contact, make_contact_point, make_customer


def found(kind: str = "INDIVIDUAL", **criteria) -> set[Customer]:
    return set(Customer.objects.matching(Criteria(customer_account_type=kind, **criteria)))


def test_the_type_and_the_usual_statuses_are_the_least_of_a_search(account):
    ada = make_customer(account)
    resting = make_customer(account, status="SUSPENDED")
    deleted = make_customer(account, status="DELETED")
    acme = make_customer(account, business_name="Acme")
    team = make_customer(account, business_name="Team", type="GROUP")
    assert found() == {ada, resting}
    assert found(customer_account_status=("DELETED",)) == {deleted}
    assert found(customer_account_status=("ACTIVE", "DELETED")) == {ada, deleted}
    assert found("BUSINESS") == {acme}
    assert found("GROUP") == {team}


def test_both_days_are_inclusive(account):
    first = make_customer(account, created_at=datetime(2024, 3, 1, tzinfo=UTC))
    last = make_customer(account, created_at=datetime(2024, 3, 2, 23, 59, 59, 999999, tzinfo=UTC))
    make_customer(account, created_at=datetime(2024, 3, 3, tzinfo=UTC))
    make_customer(account, created_at=datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC))
    days = {"from_created_at": date(2024, 3, 1), "to_created_at": date(2024, 3, 2)}
    assert found(**days) == {first, last}
    assert found(**days, time_zone="+01:00") == {first, *found(to_created_at=date(2024, 2, 29))}


def test_all_names_must_be_of_one_contact(account):
    acme = make_customer(account, business_name="Acme", first_name="Ada", last_name="Lovelace")
    make_contact(acme, is_primary=False, first_name="Grace", last_name="Hopper")
    assert found("BUSINESS", first_name="ada", last_name="lovelace") == {acme}
    assert found("BUSINESS", first_name="grace") == {acme}
    assert found("BUSINESS", first_name="ada", last_name="hopper") == set()


def test_what_is_asked_of_a_person_must_hold_for_one_contact(account):
    ada = make_customer(account, prefix="Dr.", suffix="Jr", gender="Female", sex="FEMALE")
    make_customer(account)
    assert found(prefix="dr.", suffix="JR", gender="female", sex="FEMALE", first_name="ada") == {
        ada
    }
    assert found(prefix="dr") == set()


@pytest.mark.parametrize("spelling", ["ÉMÉRITE", "émérite", "emerite", "e\u0301merite"])
def test_accents_and_case_of_prefix_suffix_and_gender_do_not_count(account, spelling):
    ada = make_customer(account, prefix="Émérite", suffix="émérite", gender="EMÉRITE")
    make_customer(account, prefix="Emeritus")
    assert found(prefix=spelling, suffix=spelling, gender=spelling) == {ada}


def test_an_address_must_match_as_one(account):
    ada = make_customer(account)
    make_address(ada, "MAILING", city="Zürich", country="CHE", state="ZH", zip_code="8001")
    make_address(ada, "SHIPPING", city="Berlin", country="DEU", state="BE", zip_code="10115")
    assert found(city="zurich", country="CHE") == {ada}
    assert found(
        city="berlin", state="BE", postal_code="10115", address_line_1="1 main street"
    ) == {ada}
    assert found(city="zurich", country="DEU") == set()


def test_each_line_of_an_address_is_compared(account):
    ada = make_customer(account)
    make_address(ada, street_line_1="Haus 1", street_line_2="Hof 2", street_line_3="Tür 3")
    lines = {"address_line_1": "haus 1", "address_line_2": "hof 2", "address_line_3": "tur 3"}
    assert found(**lines) == {ada}
    for line in lines:
        assert found(**lines | {line: "other"}) == set()


def test_mail_and_phone_are_those_of_any_contact(account):
    acme = make_customer(account, business_name="Acme", email="one@example.com")
    other = make_contact(acme, is_primary=False)
    make_contact_point(other, "EMAIL", "Two@Example.com", is_primary=False)
    make_contact_point(other, "PHONE", "+442079460958", is_primary=False)
    assert found("BUSINESS", email="two@example.com") == {acme}
    assert found("BUSINESS", phone_number="+442079460958") == {acme}
    assert found("BUSINESS", email="one@example.com", phone_number="+442079460958") == {acme}
    assert found("BUSINESS", email="three@example.com") == set()
    assert found("BUSINESS", phone_number="+442079460") == set()


@pytest.mark.parametrize(
    ("looked_for", "finds"),
    [
        ("muller", {Match.EXACT, Match.PREFIX, Match.CONTAINS, Match.FUZZY}),
        ("mul", {Match.PREFIX, Match.CONTAINS, Match.FUZZY}),
        ("lle", {Match.CONTAINS}),
        ("mueller", {Match.FUZZY}),
        ("schmidt", set()),
        ("m%r", set()),
        ("mulle_", {Match.FUZZY}),
    ],
)
def test_names_match_as_the_mode_says(account, looked_for, finds):
    person = make_customer(account, last_name="MÜLLER")
    firm = make_customer(account, business_name="Müller")
    make_address(person, street_line_1="Müller", city="Müller")
    for match in Match:
        expected = {person} if match in finds else set()
        assert found(match=match, last_name=looked_for) == expected
        assert found(match=match, city=looked_for) == expected
        assert found(match=match, address_line_1=looked_for) == expected
        expected = {firm} if match in finds else set()
        assert found("BUSINESS", match=match, business_name=looked_for) == expected


def test_wildcards_of_the_database_mean_nothing(account):
    odd = make_customer(account, last_name="100%_\\")
    make_customer(account, last_name="100ab")
    for match in (Match.EXACT, Match.PREFIX, Match.CONTAINS):
        assert found(match=match, last_name=fold("100%_\\")) == {odd}


@pytest.mark.parametrize("name", ["Ιωάννα", "Иванова", "田中太郎"])
def test_names_in_other_scripts_match_too(account, name):
    person = make_customer(account, last_name=name)
    whole = fold(name)
    assert found(last_name=whole) == {person}
    assert found(match=Match.PREFIX, last_name=whole[:2]) == {person}
    assert found(match=Match.CONTAINS, last_name=whole[1:3]) == {person}
