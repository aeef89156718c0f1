"""Immediate search: every criterion, and what it finds."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from customers import normalize
from customers.models import Activity, Contact, Customer
from tests import factories
from tests.lookups import (
    found,
    give,
    make_acme,
    make_activity,
    make_ada,
    make_attribute,
    refused,
    search,
)

pytestmark = pytest.mark.django_db

SOCIAL = {
    "facebookId": "FACEBOOK",
    "twitterId": "TWITTER",
    "instagramId": "INSTAGRAM",
    "appleOpaqueId": "APPLE",
    "youTubeId": "YOUTUBE",
}


@pytest.fixture
def ada(account) -> Customer:
    return make_ada(account)


@pytest.fixture
def acme(account) -> Customer:
    return make_acme(account)


def contact_of(customer: Customer) -> Contact:
    return customer.contacts.get(is_primary=True)


# --- Contact points -------------------------------------------------------------------------------


def test_an_email_address_is_found_whole_and_without_regard_to_case(owner, ada):
    assert found(owner.api, email="ADA@example.COM") == [str(ada.pk)]
    assert found(owner.api, email="da@example.com") == []


def test_any_contact_point_of_any_contact_counts(owner, acme):
    assert found(owner.api, email="eva@acme.example") == [str(acme.pk)]
    assert found(owner.api, phone="442079460958") == [str(acme.pk)]


def test_a_phone_number_is_the_digits_of_country_code_and_number(owner, ada):
    assert found(owner.api, phone="14082343456") == [str(ada.pk)]
    assert found(owner.api, phone="4082343456") == []


def test_an_extension_counts_by_its_digits_and_may_be_left_out(owner, ada):
    ada.contact_points.filter(kind="PHONE").update(extension="x-102")
    assert found(owner.api, phone="14082343456102") == [str(ada.pk)]
    assert found(owner.api, phone="14082343456") == [str(ada.pk)]
    assert found(owner.api, phone="14082343456103") == []


def test_a_number_that_two_customers_share_finds_both_once(owner, account, ada):
    other = factories.make_customer(account, phone="+14082343456", email="")
    extra = factories.make_contact_point(
        contact_of(other), "PHONE", "+14082343456", is_primary=False, extension="7"
    )
    assert extra.value_key == "14082343456"
    assert found(owner.api, phone="14082343456") == sorted([str(ada.pk), str(other.pk)])


@pytest.mark.parametrize(
    "phone", ["+14082343456", "1 408 2343456", "1-408", "abc", "\uff11\uff14\uff10\uff18"]
)
def test_a_phone_number_with_formatting_is_refused(owner, phone):
    message = refused(search(owner.api, phone=phone), "400-102")
    assert "phone" in message


@pytest.mark.parametrize(("parameter", "kind"), SOCIAL.items())
def test_a_social_id_is_found_whole_and_with_its_case(owner, ada, parameter, kind):
    factories.make_contact_point(contact_of(ada), kind, "Ada.L-1815", is_primary=False)
    assert found(owner.api, **{parameter: "Ada.L-1815"}) == [str(ada.pk)]
    assert found(owner.api, **{parameter: "ada.l-1815"}) == []
    others = {name: "Ada.L-1815" for name in SOCIAL if name != parameter}
    assert all(found(owner.api, **{name: value}) == [] for name, value in others.items())


def test_criteria_are_anded(owner, account, ada):
    factories.make_customer(account, email="ada@example.com", phone="+14155550199")
    assert len(found(owner.api, email="ada@example.com")) == 2
    assert found(owner.api, email="ada@example.com", phone="14082343456") == [str(ada.pk)]
    assert found(owner.api, email="ada@example.com", phone="14082343456", type="group") == []


# --- Names, types, dates --------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["ada lovelace", "LOVE", "a lo", "*lace*", "*Ada", "Lo*", "ÁDA"])
def test_a_name_is_found_by_any_part_without_case_and_accents(owner, ada, text):
    assert found(owner.api, customerName=text) == [str(ada.pk)]


def test_a_name_is_first_middle_and_last_name_or_the_business_name(owner, ada, acme):
    assert found(owner.api, customerName="acme trad") == [str(acme.pk)]
    assert found(owner.api, customerName="lund") == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Zoë Müller", "OË mu"),
        ("王小明 株式会社", "小明"),
        ("Анна Каренина", "КАРЕНИ"),
        ("100% Juice_Bar", "100%"),
        ("100% Juice_Bar", "e_b"),
        ("Back\\slash", "k\\s"),
        ("A*B Industries", "a*b"),
    ],
)
def test_names_of_all_scripts_and_with_special_characters_are_found(owner, account, name, part):
    customer = factories.make_customer(account, business_name=name)
    factories.make_customer(account, business_name="100 JuicexBar Zo Back slash AxB")
    assert found(owner.api, customerName=part) == [str(customer.pk)]


def test_two_letters_anywhere_in_the_name_are_enough(owner, ada, acme):
    assert found(owner.api, customerName="ov") == [str(ada.pk)]
    assert found(owner.api, customerName="di") == [str(acme.pk)]


@pytest.mark.parametrize("text", ["a", "*a*", "**", "́"])
def test_a_name_of_less_than_two_characters_is_refused(owner, text):
    assert "customerName" in refused(search(owner.api, customerName=text), "400-102")


def test_the_longest_name_is_found_by_its_end(owner, account):
    name = "ß" * 122 + "qz"
    customer = factories.make_customer(account, business_name="Long", name=name)
    folded = normalize.fold(name)
    Customer.objects.filter(pk=customer.pk).update(name_folded=folded, name_key=folded[:600])
    assert found(owner.api, customerName="qz") == [str(customer.pk)]


def test_types_are_individual_corporate_and_group(owner, account, ada, acme):
    group = factories.make_customer(account, business_name="Ada Fans", type="GROUP")
    assert found(owner.api, customerName="ada", type="individual") == [str(ada.pk)]
    assert found(owner.api, customerName="ada", type="group") == [str(group.pk)]
    assert found(owner.api, customerName="acme", type="corporate") == [str(acme.pk)]


def test_created_is_a_range_with_both_ends_inclusive(owner, account, ada):
    at = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    Customer.objects.filter(pk=ada.pk).update(created_at=at)
    ours, moment = [str(ada.pk)], "2026-03-01T12:00:00.123456Z"
    assert found(owner.api, created=f"[{moment},{moment}]") == ours
    assert found(owner.api, created=f"[{moment},]") == ours
    assert found(owner.api, created=f"[,{moment}]") == ours
    assert found(owner.api, created="[2026-03-01T12:00:01Z,]") == []
    assert found(owner.api, created="[,2026-03-01T12:00:00Z]") == []


@pytest.mark.parametrize(
    "span",
    [
        "2026-03-01T00:00:00Z",
        "[,]",
        "[]",
        "[2026-03-01,]",
        "[2026-03-01T00:00:00+01:00,]",
        "[2026-03-01T00:00:00,]",
        "[2026-02-30T00:00:00Z,]",
        "(2026-03-01T00:00:00Z,]",
        "[2026-03-02T00:00:00Z,2026-03-01T00:00:00Z]",
        "[2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,]",
    ],
)
def test_a_range_of_another_form_is_refused(owner, span):
    assert "created" in refused(search(owner.api, created=span), "400-102")


# --- Custom attributes ----------------------------------------------------------------------------


def entry(name: str, value: str, target: str = "customer") -> dict[str, str]:
    return {"object": target, "name": name, "value": value}


def test_a_custom_attribute_of_the_customer_is_found_exactly(owner, account, ada):
    give(make_attribute(account, "tier"), ada, "Gold")
    assert found(owner.api, custom=[entry("tier", "Gold")]) == [str(ada.pk)]
    assert found(owner.api, custom=[entry("tier", "gold")]) == []


def test_several_custom_attributes_must_all_hold(owner, account, ada, acme):
    tier, region = make_attribute(account, "tier"), make_attribute(account, "region")
    give(tier, ada, "gold")
    give(tier, acme, "gold")
    give(region, acme, "north")
    both = [entry("tier", "gold"), entry("region", "north")]
    assert found(owner.api, custom=both) == [str(acme.pk)]


def test_attributes_of_contacts_must_hold_for_one_and_the_same_contact(owner, account, acme):
    vip = make_attribute(account, "vip", target="contactPerson")
    desk = make_attribute(account, "desk", target="contactPerson")
    first, second = acme.contacts.order_by("created_at")
    give(vip, first, "yes")
    give(desk, second, "7")
    wanted = [entry("vip", "yes", "contactPerson"), entry("desk", "7", "contactPerson")]
    assert found(owner.api, custom=wanted) == []
    give(desk, first, "7")
    assert found(owner.api, custom=wanted) == [str(acme.pk)]


def test_an_attribute_of_a_contact_is_none_of_the_customer(owner, account, acme):
    give(make_attribute(account, "vip", target="contactPerson"), acme.contacts.first(), "yes")
    make_attribute(account, "vip")
    assert found(owner.api, custom=[entry("vip", "yes")]) == []


def test_unknown_and_encrypted_attributes_are_refused(owner, account, outsider):
    make_attribute(account, "secret", is_encrypted=True)
    make_attribute(outsider.account, "theirs")
    for name in ("nothing", "secret", "theirs"):
        assert name in refused(search(owner.api, custom=[entry(name, "x")]), "400-102")


def test_attributes_that_an_account_below_defines_count(parent, account, ada):
    give(make_attribute(account, "tier"), ada, "gold")
    assert found(parent.api, custom=[entry("tier", "gold")]) == [str(ada.pk)]


@pytest.mark.parametrize(
    "custom",
    [
        "nonsense",
        "{}",
        "[]",
        "[1]",
        '[{"object": "customer", "name": "tier"}]',
        '[{"object": "customer", "name": "tier", "value": 1}]',
        '[{"object": "customer", "name": "tier", "value": "x", "more": ""}]',
        '[{"object": "case", "name": "tier", "value": "x"}]',
        '[{"object": "customer", "name": "tier", "value": "a\\u0000b"}]',
    ],
)
def test_custom_of_another_form_is_refused(owner, custom):
    assert "custom" in refused(search(owner.api, custom=custom), "400-102")


# --- Activities -----------------------------------------------------------------------------------


AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "criterion",
    [
        {"type": "email"},
        {"mode": "outbound"},
        {"isRead": "true"},
        {"isRead": True},
        {"isSecure": "true"},
        {"sentDate": "[2026-03-01T12:00:00Z,2026-03-01T12:00:00Z]"},
        {
            "type": "email",
            "mode": "outbound",
            "isRead": "true",
            "isSecure": True,
            "sentDate": "[2026-03-01T00:00:00.000Z,]",
        },
    ],
)
def test_an_activity_is_found_by_each_key_alone_and_by_all_together(owner, ada, acme, criterion):
    make_activity(ada, mode="outbound", is_read=True, is_secure=True, sent_date=AT)
    make_activity(acme, type="chat", sent_date=AT - timedelta(days=1))
    assert found(owner.api, activity=criterion) == [str(ada.pk)]


def test_one_and_the_same_activity_must_satisfy_all(owner, ada):
    make_activity(ada, type="email", is_read=False)
    make_activity(ada, type="chat", is_read=True)
    assert found(owner.api, activity={"type": "email", "isRead": "true"}) == []


@pytest.mark.parametrize(
    "activity",
    [
        "[]",
        "{}",
        "x",
        '{"type": "fax"}',
        '{"mode": "sideways"}',
        '{"isRead": "yes"}',
        '{"isRead": 1}',
        '{"subject": "hello"}',
        '{"sentDate": "[,]"}',
        '{"sentDate": 5}',
    ],
)
def test_an_activity_of_another_form_is_refused(owner, activity):
    assert "activity" in refused(search(owner.api, activity=activity), "400-102")


def test_a_customer_with_thousands_of_activities_is_found_as_quickly(owner, ada):
    now = timezone.now()
    Activity.objects.bulk_create(
        Activity(
            customer=ada,
            type="chat",
            mode="inbound",
            sent_date=now - timedelta(minutes=minutes),
            created_at=now,
        )
        for minutes in range(3000)
    )
    make_activity(ada, mode="outbound", sent_date=AT)
    assert found(owner.api, activity={"type": "email", "mode": "outbound"}) == [str(ada.pk)]
    assert found(owner.api, activity={"type": "chat"}) == [str(ada.pk)]
    assert found(owner.api, email="ada@example.com", activity={"isRead": True}) == []


def test_a_customer_of_yesterday_is_found_by_all_criteria_at_once(owner, account, ada):
    make_activity(ada)
    give(make_attribute(account, "tier"), ada, "gold")
    since = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found(
        owner.api,
        email="ada@example.com",
        phone="14082343456",
        type="individual",
        customerName="love",
        created=f"[{since},]",
        custom=[entry("tier", "gold")],
        activity={"type": "email"},
    ) == [str(ada.pk)]
