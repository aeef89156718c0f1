"""Immediate search: every parameter, who may send it, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from config.actors import Scope
from customers import normalize
from customers.models import Activity, Contact, Customer
from tests import factories
from tests.lookups import (
    SEARCH,
    found,
    give,
    make_activity,
    make_attribute,
    parameters,
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
    return factories.make_customer(account, email="Ada@Example.com", phone="+14082343456")


@pytest.fixture
def acme(account) -> Customer:
    """A business with two contacts."""
    customer = factories.make_customer(
        account, business_name="Acme Trading", email="", phone="+442079460958"
    )
    other = factories.make_contact(customer, is_primary=False, first_name="Eva", last_name="Lund")
    factories.make_contact_point(other, "EMAIL", "eva@acme.example")
    return customer


@pytest.fixture
def agent(account):
    """An employee of the house with the permission View Agent Console."""
    return factories.make_employee_speaker(account, role="Clerk")


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
    Customer.objects.filter(pk=customer.pk).update(name_folded=normalize.fold(name))
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


# --- Who may send what ----------------------------------------------------------------------------


def test_a_criterion_is_required(owner, agent):
    for speaker in (owner, agent):
        refused(search(speaker.api), "400-112")
        refused(search(speaker.api, _attribute="all", _pagenum="1"), "400-112")


def test_type_alone_is_not_enough(owner):
    assert "type" in refused(search(owner.api, type="individual"), "400-112")


def test_a_client_must_name_a_department_when_departmentalization_is_on(owner, account, ada):
    department = factories.make_department(account, "Returns")
    assert found(owner.api, email="ada@example.com") == [str(ada.pk)]
    assert found(owner.api, email="ada@example.com", department="Returns") == []
    account.departmentalization = True
    account.save()
    assert "department" in refused(search(owner.api, email="ada@example.com"), "400-112")
    Customer.objects.filter(pk=ada.pk).update(department=department)
    assert found(owner.api, email="ada@example.com", department="Returns") == [str(ada.pk)]


def test_department_is_no_criterion(owner, account):
    factories.make_department(account, "Returns")
    refused(search(owner.api, department="Returns"), "400-112")
    refused(search(owner.api, department="Returns", type="group"), "400-112")


def test_an_unknown_department_is_refused(owner, outsider):
    factories.make_department(outsider.account, "Theirs")
    for name in ("Nowhere", "Theirs"):
        assert name in refused(search(owner.api, email="a@b.example", department=name), "400-102")


def test_departments_of_accounts_below_count(parent, account, ada):
    department = factories.make_department(account, "Returns")
    Customer.objects.filter(pk=ada.pk).update(department=department)
    assert found(parent.api, email="ada@example.com", department="Returns") == [str(ada.pk)]


def test_an_employee_cannot_name_a_department(agent, account):
    factories.make_department(account, "Returns")
    answer = search(agent.api, email="a@b.example", department="Returns")
    assert "department" in refused(answer, "400-101")


def test_an_employee_sees_home_and_foreign_departments_when_the_switch_is_on(account, agent):
    home, foreign, other = (factories.make_department(account) for _ in range(3))
    people = {
        each: factories.make_customer(account, department=each)
        for each in (home, foreign, other, None)
    }
    agent.user.department = home
    agent.user.save()
    agent.user.foreign_departments.add(foreign)
    everybody = sorted(str(customer.pk) for customer in people.values())
    assert found(agent.api, email="ada@example.com") == everybody
    account.departmentalization = True
    account.save()
    seen = sorted(str(people[each].pk) for each in (home, foreign))
    assert found(agent.api, email="ada@example.com") == seen
    for each, customer in people.items():
        answer = agent.api.get(f"{SEARCH}/{customer.pk}")
        assert answer.status_code == (200 if each in {home, foreign} else 404)


def test_an_employee_without_a_home_department_sees_all(account, agent):
    account.departmentalization = True
    account.save()
    customer = factories.make_customer(account)
    assert found(agent.api, email="ada@example.com") == [str(customer.pk)]


@pytest.mark.parametrize("role", ["Owner", "Admin", "Manager", "Clerk"])
def test_these_roles_may_search(account, ada, role):
    speaker = factories.make_employee_speaker(account, role=role)
    assert found(speaker.api, email="ada@example.com") == [str(ada.pk)]


@pytest.mark.parametrize("role", ["Finance", "View Only"])
def test_these_roles_lack_the_permission_view_agent_console(account, ada, role):
    speaker = factories.make_employee_speaker(account, role=role)
    message = refused(search(speaker.api, email="ada@example.com"), "403-178")
    assert "View Agent Console" in message


def test_a_token_without_the_scope_is_refused(reader, ada):
    assert Scope.CORE_READ in refused(search(reader.api, email="ada@example.com"), "403-197")


def test_a_signed_in_customer_gets_its_own_record_and_sends_attribute_only(account, ada):
    factories.make_customer(account, email="ada@example.com")
    speaker = factories.make_customer_speaker(ada)
    assert found(speaker.api) == [str(ada.pk)]
    assert found(speaker.api, _attribute="all") == [str(ada.pk)]
    for query in ({"email": "ada@example.com"}, {"_sort": "id"}, {"_pagenum": "1"}):
        refused(search(speaker.api, **query), "400-101")


def test_a_signed_in_customer_cannot_read_by_id_or_lists(ada):
    speaker = factories.make_customer_speaker(ada)
    refused(speaker.api.get(f"{SEARCH}/{ada.pk}"), "403-105")
    refused(speaker.api.get(f"{SEARCH}/attributes", parameters(_attribute="all")), "403-105")


def test_a_signed_in_customer_cannot_ask_for_what_is_about_the_company(ada):
    speaker = factories.make_customer_speaker(ada)
    for name in ("level", "preferredAgent", "howReferred", "created", "createdBy"):
        refused(search(speaker.api, _attribute=name), "400-102")


# --- Tenancy and status ---------------------------------------------------------------------------


def test_customers_of_other_tenants_are_not_found(ada, child, sibling, outsider, parent, owner):
    query = {"email": "ada@example.com"}
    assert found(owner.api, **query) == found(parent.api, **query) == [str(ada.pk)]
    for speaker in (child, sibling, outsider):
        assert found(speaker.api, **query) == []
        refused(speaker.api.get(f"{SEARCH}/{ada.pk}"), "404-100")


def test_suspended_customers_are_found_and_deleted_ones_are_not(owner, ada):
    Customer.objects.filter(pk=ada.pk).update(status="SUSPENDED")
    assert found(owner.api, email="ada@example.com") == [str(ada.pk)]
    Customer.objects.filter(pk=ada.pk).update(status="DELETED")
    assert found(owner.api, email="ada@example.com") == []
    refused(owner.api.get(f"{SEARCH}/{ada.pk}"), "404-100")


# --- The form of the query ------------------------------------------------------------------------


def test_an_unsupported_parameter_is_named(owner):
    answer = search(owner.api, email="a@b.example", emial="x")
    assert "emial" in refused(answer, "400-101")
    assert [each["key"] for each in answer.json()["details"]] == ["emial"]


def test_a_repeated_parameter_is_refused(owner):
    answer = owner.api.get(f"{SEARCH}?email=a@b.example&email=c@d.example")
    assert "only once" in refused(answer, "400-101")


@pytest.mark.parametrize("name", ["email", "phone", "$attribute", "$sort"])
def test_an_empty_parameter_is_refused(owner, name):
    assert name in refused(owner.api.get(f"{SEARCH}?customerName=ada&{name}="), "400-102")


@pytest.mark.parametrize("name", ["$pagenum", "$pagesize", "$rangestart", "$rangesize"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "\uff11", "+1"])
def test_what_is_no_positive_integer_is_refused(owner, name, value):
    answer = owner.api.get(SEARCH, {"customerName": "ada", name: value})
    assert name in refused(answer, "400-105")


@pytest.mark.parametrize("name", ["$pagesize", "$rangesize"])
def test_a_size_above_75_is_refused(owner, name):
    answer = owner.api.get(SEARCH, {"customerName": "ada", name: "76"})
    assert "75" in refused(answer, "400-102")


def test_pages_and_ranges_cannot_be_mixed(owner):
    for page in ("_pagenum", "_pagesize"):
        for place in ("_rangestart", "_rangesize"):
            refused(search(owner.api, customerName="ada", **{page: "1", place: "1"}), "400-101")


def test_order_needs_sort(owner):
    refused(search(owner.api, customerName="ada", _order="asc"), "400-101")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "person"),
        ("$attribute", "shoeSize"),
        ("$attribute", "custom."),
        ("$attribute", "role,,pin"),
        ("$sort", "lastName"),
        ("$sort", "id,type"),
        ("$sort", "custom."),
        ("$order", "down"),
    ],
)
def test_an_unsupported_value_is_refused_with_the_allowed_ones(owner, name, value):
    query = {"customerName": "ada", "$sort": "id"} | {name: value}
    message = refused(owner.api.get(SEARCH, query), "400-102")
    assert name in message
    assert "one of" in message


def test_text_that_is_not_utf_8_or_has_a_nul_is_refused(owner):
    for value in ("%FF%FE", "a%00b"):
        refused(owner.api.get(f"{SEARCH}?customerName=ada&email={value}"), "400-102")


# --- The order of checks --------------------------------------------------------------------------


def test_checks_go_401_406_403_400(anonymous, reader, owner):
    bad = {"HTTP_ACCEPT_LANGUAGE": "tlh"}
    assert anonymous.get(f"{SEARCH}?x=1", **bad).status_code == 401
    assert reader.api.get(f"{SEARCH}?x=1", **bad).status_code == 406
    assert reader.api.get(f"{SEARCH}?x=1").status_code == 403
    assert owner.api.get(f"{SEARCH}?x=1").status_code == 400


def test_401_tells_a_missing_token_from_a_bad_one(anonymous, revoked):
    refused(anonymous.get(SEARCH), "401-104")
    refused(revoked.api.get(SEARCH), "401-101")


def test_other_methods_are_405(owner):
    answer = owner.api.post(SEARCH, {})
    assert answer.status_code == 405
    assert answer.json()["code"] == "405-100"


# --- By ids ---------------------------------------------------------------------------------------


def test_customers_are_read_by_up_to_75_ids(owner, account, ada, acme):
    answer = owner.api.get(f"{SEARCH}/{acme.pk},{str(ada.pk).upper()},{ada.pk}")
    body = answer.json()
    assert body.keys() == {"customer"}
    assert [each["id"] for each in body["customer"]] == sorted([str(ada.pk), str(acme.pk)])
    many = [factories.make_customer(account, email="", phone="") for _ in range(75)]
    ids = ",".join(str(each.pk) for each in many)
    assert len(owner.api.get(f"{SEARCH}/{ids}").json()["customer"]) == 75
    refused(owner.api.get(f"{SEARCH}/{ids},{ada.pk}"), "400-108")


def test_one_unknown_id_is_404(owner, ada):
    for unknown in ("01993a61-5d20-7c09-8e10-9f8e7d6c5b4a", "4711"):
        message = refused(owner.api.get(f"{SEARCH}/{ada.pk},{unknown}"), "404-100")
        assert unknown in message
        assert str(ada.pk) not in message


def test_an_empty_id_is_refused(owner, ada):
    refused(owner.api.get(f"{SEARCH}/{ada.pk},,"), "400-108")


def test_ids_take_attribute_sort_and_order_only(owner, ada, acme):
    url = f"{SEARCH}/{ada.pk},{acme.pk}"
    answer = owner.api.get(url, parameters(_sort="customerName", _order="desc", _attribute="all"))
    assert [each["customerName"] for each in answer.json()["customer"]] == [
        "Ada Lovelace",
        "Acme Trading",
    ]
    for name in ("$pagenum", "email", "department"):
        refused(owner.api.get(url, {name: "1"}), "400-101")


# --- Lists ----------------------------------------------------------------------------------------


def test_lists_tell_what_can_be_searched_and_asked_for(owner, account):
    make_attribute(account, "tier")
    make_attribute(account, "secret", is_encrypted=True)
    make_attribute(account, "vip", target="contactPerson")
    body = owner.api.get(f"{SEARCH}/attributes", parameters(_attribute="all")).json()
    assert {each["value"] for each in body["type"]} == {"individual", "corporate", "group"}
    assert {"value": "FRA", "displayValue": "France"} in body["country"]
    assert body["custom"]["customAttribute"] == [
        {"object": "contactPerson", "attribName": "vip"},
        {"object": "customer", "attribName": "tier"},
    ]
    some = owner.api.get(f"{SEARCH}/attributes", parameters(_attribute="type,contacts")).json()
    assert some.keys() == {"link", "type", "contacts"}


def test_lists_require_attribute(owner):
    url = f"{SEARCH}/attributes"
    refused(owner.api.get(url), "400-112")
    refused(owner.api.get(url, parameters(_attribute="level,x")), "400-102")


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
