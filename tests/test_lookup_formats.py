"""Immediate search: JSON and XML, and the languages."""

from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.api.dialects import CORE_NAMESPACE
from config.api.translation import LANGUAGES, preferred_language
from customers.models import Address, Contact, ContactPoint, Customer
from tests import factories
from tests.lookups import (
    SEARCH,
    give,
    make_attribute,
    make_crowd,
    make_whole_ada,
    parameters,
    refused,
    tree_of,
    without_empty_lists,
)

pytestmark = pytest.mark.django_db

XML = "application/xml"


@pytest.fixture
def ada(account) -> Customer:
    return make_whole_ada(account)


@pytest.fixture
def crowd(account) -> list[Customer]:
    return make_crowd(account)


# --- Formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("application/json", "application/json"),
        ("application/xml", XML),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", XML),
        ("application/json;q=0.1, application/xml", XML),
        ("APPLICATION/XML", XML),
        ("application/json; charset=utf-8", "application/json"),
        ("*/*, application/json;q=0", XML),
        ("application/xml;q=0.2, application/*;q=0.9", "application/json"),
        ("application/xml;q=abc, application/json", "application/json"),
    ],
)
def test_accept_chooses_the_format(owner, ada, accept, expected):
    headers = {"HTTP_ACCEPT": accept} if accept else {}
    answer = owner.api.get(SEARCH, {"email": "ada@example.com"}, **headers)
    assert (answer.status_code, answer["Content-Type"]) == (200, expected)
    assert {"Accept", "Accept-Language"} <= set(answer["Vary"].split(", "))


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=0", "image/png, text/csv"])
def test_other_formats_are_406_in_json(owner, accept):
    answer = owner.api.get(SEARCH, {"email": "ada@example.com"}, HTTP_ACCEPT=accept)
    refused(answer, "406-100")
    assert answer["Content-Type"] == "application/json"


def test_xml_has_the_same_content_as_json(owner, account, ada, crowd):
    give(make_attribute(account, "tier"), ada, "A <& B>\r\nC")
    Customer.objects.filter(pk=ada.pk).update(role="Partner")
    for query in ({"customerName": "bob", "_pagesize": 3}, {"email": "ada@example.com"}):
        sent = parameters(**query, _attribute="all")
        as_json = owner.api.get(SEARCH, sent).json()
        as_xml = owner.api.get(SEARCH, sent, HTTP_ACCEPT=XML)
        assert tree_of(as_xml.content) == without_empty_lists(as_json)
        assert as_xml.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")


def test_xml_has_one_namespace_and_ids_as_attributes(owner, ada):
    answer = owner.api.get(SEARCH, {"email": "ada@example.com"}, HTTP_ACCEPT=XML)
    root = ET.fromstring(answer.content)
    spaces = {element.tag.partition("}")[0].strip("{") for element in root.iter()}
    assert (root.tag, spaces) == (f"{{{CORE_NAMESPACE}}}customers", {CORE_NAMESPACE})
    assert root[1].get("id") == str(ada.pk)
    assert root[0].get("rel") == "self"
    assert [child.tag.partition("}")[2] for child in root[1]][:3] == [
        "link",
        "cases",
        "customerName",
    ]


def test_xml_is_well_formed_for_every_character_a_name_can_hold(owner, account):
    odd = "<&>\"' ]]> \x07\ud7ff\ufffe\U0001f600\u2028é"
    customer = factories.make_customer(account, business_name="Odd", name=odd, email="o@d.example")
    answer = owner.api.get(SEARCH, {"email": "o@d.example"}, HTTP_ACCEPT=XML)
    tree = tree_of(answer.content)
    assert tree["customer"][0]["id"] == str(customer.pk)
    assert tree["customer"][0]["customerName"] == odd.replace("\x07", "�").replace("\ufffe", "�")


@pytest.mark.parametrize("accept", ["application/json", XML])
def test_a_page_of_75_large_customers_is_no_problem(owner, account, accept):
    """Each with 11 contacts, most of 3 contact points, and 10 addresses: 4,000 rows."""
    people = [
        factories.make_customer(account, business_name=f"Big {number}", email="", phone="")
        for number in range(75)
    ]
    now = people[0].created_at
    moments = {"created_at": now, "updated_at": now}
    contacts = [
        Contact(customer=each, first_name=f"Eva {number}", **moments)
        for each in people
        for number in range(10)
    ]
    Contact.objects.bulk_create(contacts)
    ContactPoint.objects.bulk_create(
        ContactPoint(
            customer_id=contact.customer_id,
            contact_id=contact.id,
            kind="TWITTER",
            value=f"eva{number}",
            value_key=f"eva{number}",
            **moments,
        )
        for contact in contacts
        for number in range(3)
    )
    Address.objects.bulk_create(
        Address(customer=each, type="MAILING", street_line_1=f"{number} Main", **moments)
        for each in people
        for number in range(10)
    )
    query = {"customerName": "big", "$pagesize": 75}
    with CaptureQueriesContext(connection) as captured:
        answer = owner.api.get(SEARCH, query, HTTP_ACCEPT=accept)
    assert answer.status_code == 200
    assert len(captured) == 2
    assert answer.content.count(b"eva2") == 75 * 10


def test_errors_come_in_xml_too(owner, anonymous):
    for api, status in ((owner.api, 400), (anonymous, 401)):
        answer = api.get(SEARCH, {"x": "<"}, HTTP_ACCEPT=XML)
        assert (answer.status_code, answer["Content-Type"]) == (status, XML)
        assert tree_of(answer.content)["code"].startswith(f"{status}-")


def test_a_user_message_is_sent_when_asked_for(owner):
    answer = owner.api.get(SEARCH, HTTP_X_EGAIN_ERROR_MESSAGE="yes")
    assert answer.json()["userMessage"] == answer.json()["developerMessage"]
    assert "userMessage" not in owner.api.get(SEARCH).json()


# --- Languages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en-US"),
        ("de-DE", "de-DE"),
        ("de-de", "de-DE"),
        ("fr", "fr-FR"),
        ("pt", "pt-BR"),
        ("zh", "zh-CN"),
        ("*", "en-US"),
        ("tlh, sv-SE;q=0.5, ja-JP;q=0.7", "ja-JP"),
        ("fr-BE, fr;q=0.9, en-US;q=0.8", "fr-FR"),
        ("tlh", None),
        ("en-GB", None),
        ("de-DE;q=0", None),
        ("de-DE;q=0, *;q=0.1", "en-US"),
        ("nonsense;;", None),
        ("en-US;q=0, *", "es-ES"),
        ("fr-FR;q=0, fr", "fr-CA"),
        ("de-DE,,fr-FR", "de-DE"),
        ("de-DE, en_GB", "de-DE"),
        ("de-DE;q=2, it", "it-IT"),
    ],
)
def test_accept_language_chooses_the_language(header, expected):
    assert preferred_language(header) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_labels_and_errors_of_its_own(owner, ada, language):
    spoken = {"HTTP_ACCEPT_LANGUAGE": language.upper()}
    answer = owner.api.get(SEARCH, {"email": "ada@example.com"}, **spoken)
    assert answer["Content-Language"] == language
    (contact,) = answer.json()["customer"][0]["contacts"]["contact"]
    words = [contact["phone"][0]["type"], contact["postal"][0]["type"]]
    error = owner.api.get(SEARCH, {"type": "x"}, **spoken)
    assert error["Content-Language"] == language
    message = refused(error, "400-102")
    assert "individual, corporate, group" in message
    if language != "en-US":
        assert [each["displayValue"] for each in words] != ["Office", "Mailing address"]
        assert "must be" not in message
    countries = owner.api.get(f"{SEARCH}/attributes", {"$attribute": "country"}, **spoken)
    named = {each["value"]: each["displayValue"] for each in countries.json()["country"]}
    assert (named["DEU"] == "Germany") == (language == "en-US")


def test_what_is_refused_before_a_view_runs_is_translated_too(anonymous, owner):
    german = {"HTTP_ACCEPT_LANGUAGE": "de-DE"}
    english = {
        anonymous.get(SEARCH).json()["developerMessage"],
        owner.api.get("/core/nothing").json()["developerMessage"],
        owner.api.get(SEARCH, {"x": "y" * 20_000}).json()["developerMessage"],
    }
    translated = {
        anonymous.get(SEARCH, **german).json()["developerMessage"],
        owner.api.get("/core/nothing", **german).json()["developerMessage"],
        owner.api.get(SEARCH, {"x": "y" * 20_000}, **german).json()["developerMessage"],
    }
    assert len(english | translated) == 6


def test_an_unsupported_language_is_406_in_english(owner):
    answer = owner.api.get(SEARCH, {"email": "a@b.example"}, HTTP_ACCEPT_LANGUAGE="tlh")
    assert "ko-KR" in refused(answer, "406-100")
    assert answer["Content-Language"] == "en-US"


def test_other_dialects_stay_in_english(owner):
    answer = owner.api.get("/v1/customers", {"x": "y"}, HTTP_ACCEPT_LANGUAGE="de-DE")
    assert answer.json()["message"] == "1 field is invalid."
