"""Characters of names, lines and ids: what is kept, what counts as not given, what is refused."""
# ruff: noqa: RUF001 - letters that look alike are the subject

import pytest

from customers.models import Contact, Customer
from tests import bulk, factories
from tests.customers import ACME, ADA, HOME, SHIPPING, create, put, refused, wrong

pytestmark = pytest.mark.django_db

INVISIBLE = [
    *("\u200b", "\u2060", "\u00ad", "\u3164", "\u2800", "\ufeff", "\u202e", "\u115f", "\u1160"),
    *("\u007f", "\u0301", "\uffa0", "\u200d", "\u00a0", "\t", "\u2028", "\ufdd0", "\U000e0041"),
    *(" \u0301 ", "\u200b\u0301\u00ad", "\u200f\u200e"),
]
UNFIT = {
    "tab": "\t",
    "line feed": "\n",
    "carriage return": "\r",
    "escape": "\x1b",
    "DEL": "\x7f",
    "next line": "\x85",
    "C1 control": "\x9b",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "override": "\u202e",
    "other override": "\u202d",
    "embedding": "\u202b",
    "pop": "\u202c",
    "isolate": "\u2067",
    "noncharacter": "\ufdd0",
    "last noncharacter": "\uffff",
    "noncharacter of a supplementary plane": "\U0001fffe",
}
LEGITIMATE = [
    "علی\u200cرضا",  # a Persian name with the non-joiner within it
    "ක්\u200dරිස්ටි",  # Sinhala, joined
    "👩\u200d🚀",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "❤\ufe0f",
    "هند\u200f",
    "नरेंद्र",
    "พรทิพย์",
    "辻\U000e0100",
    "\U00031350",  # a letter that is newer than most libraries
    "\ue000",  # of a font of one's own
    "Zoe\u0308",
    "O’Neil",
    "e\u0301",
    "한",
    "१२३",
    "?",
]


# --- Characters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", INVISIBLE, ids=ascii)
def test_a_required_text_in_which_nothing_is_visible_is_missing(owner, nothing):
    reached = {"number": "4151234", "type": "WORK"}
    assert wrong(
        owner,
        {
            "type": "INDIVIDUAL",
            "firstName": nothing,
            "lastName": nothing,
            "primaryPhoneNumber": reached,
            "primaryEmail": {"value": nothing},
            "addresses": [
                HOME | {"streetLine1": nothing, "zipCode": nothing},
                SHIPPING | {"name": {"firstName": nothing, "lastName": nothing}},
            ],
        },
    ) == {
        "firstName": "REQUIRED",
        "lastName": "REQUIRED",
        "primaryEmail.value": "REQUIRED",
        "addresses[0].streetLine1": "REQUIRED",
        "addresses[0].zipCode": "REQUIRED",
        "addresses[1].name.firstName": "REQUIRED",
        "addresses[1].name.lastName": "REQUIRED",
    }
    contact = ACME["contacts"][0] | {"firstName": nothing, "lastName": nothing}
    assert wrong(owner, ACME | {"businessName": nothing, "contacts": [contact]}) == {
        "businessName": "REQUIRED",
        "contacts[0].firstName": "REQUIRED",
        "contacts[0].lastName": "REQUIRED",
    }
    assert not Customer.objects.exists()


@pytest.mark.parametrize("nothing", ["\u200b", "\u0301", "\u3164", "\u202e", "\x7f"], ids=ascii)
def test_an_optional_text_in_which_nothing_is_visible_is_not_given(owner, nothing):
    names = ("prefix", "middleName", "suffix", "gender", "pronoun", "securityQuestion")
    customer = create(owner, ADA | dict.fromkeys(names, nothing))
    assert {customer[name] for name in names} == {""}
    customer = create(owner, ADA | dict.fromkeys(names, "x"))
    assert put(owner, customer, {"prefix": nothing})["prefix"] == ""
    assert refused(owner, customer, {"firstName": nothing}) == {"firstName": "REQUIRED"}


def test_a_loaded_name_in_which_nothing_is_visible_is_not_given(owner):
    person = {"firstName": "\u3164", "lastName": "Lovelace"}
    assert bulk.outcomes(bulk.load(owner, bulk.customer("c1", **person))) == ["CREATED"]
    assert Contact.objects.get().first_name == ""
    found = bulk.load(owner, bulk.customer("c2", type="BUSINESS", businessName="\u200b"))
    assert bulk.errors(found) == {("/customers/0/businessName", "REQUIRED")}


@pytest.mark.parametrize("character", UNFIT.values(), ids=UNFIT)
def test_a_name_or_line_with_a_character_that_is_no_text_is_refused(owner, character):
    text = f"a{character}b"
    line = {"streetLine1": text, "streetLine5": text, "cityName": text, "zipCode": text}
    assert wrong(
        owner,
        ADA
        | {
            "firstName": text,
            "suffix": text,
            "gender": text,
            "placeOfBirth": {"city": text},
            "primaryPhoneNumber": {"number": "4151234", "type": "WORK", "provider": text},
            "addresses": [HOME | line, SHIPPING | {"name": {"firstName": text, "lastName": "b"}}],
        },
    ) == dict.fromkeys(
        [
            *("firstName", "suffix", "gender", "placeOfBirth.city", "primaryPhoneNumber.provider"),
            *("addresses[0].streetLine1", "addresses[0].streetLine5", "addresses[0].cityName"),
            *("addresses[0].zipCode", "addresses[1].name.firstName"),
        ],
        "INVALID_CHARACTER",
    )
    contact = ACME["contacts"][0] | {"lastName": text}
    assert wrong(owner, ACME | {"businessName": text, "contacts": [contact]}) == {
        "businessName": "INVALID_CHARACTER",
        "contacts[0].lastName": "INVALID_CHARACTER",
    }
    assert not Customer.objects.exists()


def test_a_loaded_name_with_a_control_character_is_refused(owner):
    person = {"firstName": "A\tda", "addresses": [HOME | {"streetLine2": "a\nb"}]}
    assert bulk.errors(bulk.load(owner, bulk.customer("c1", **person))) == {
        ("/customers/0/firstName", "INVALID_CHARACTER"),
        ("/customers/0/addresses/0/streetLine2", "INVALID_CHARACTER"),
    }


@pytest.mark.parametrize(
    ("postal_code", "code"),
    [
        *(("\u200b", "REQUIRED"), ("\u3164", "REQUIRED"), ("\x7f", "REQUIRED")),
        *(("1\t2", "INVALID_CHARACTER"), ("1\u202e", "INVALID_CHARACTER")),
    ],
    ids=ascii,
)
def test_a_loaded_postal_code_is_a_text_on_a_line(owner, postal_code, code):
    found = bulk.load(owner, bulk.customer("c1", postalCode=postal_code))
    assert bulk.errors(found) == {("/customers/0/postalCode", code)}


@pytest.mark.parametrize("name", LEGITIMATE, ids=ascii)
def test_names_of_every_script_are_kept_as_they_are_written(owner, name):
    customer = create(owner, firstName=name, addresses=[HOME | {"streetLine1": name}])
    assert customer["firstName"] == customer["addresses"][0]["streetLine1"] == name


def test_a_zero_width_space_around_a_name_is_no_part_of_it(owner):
    assert create(owner, firstName="\ufeff Ada\u200b\n")["firstName"] == "Ada"


def test_direction_marks_around_a_phone_number_do_no_harm(owner):
    phone = {"number": "\u202a+1 (415)\t555-0142\u202c", "type": "WORK"}
    assert create(owner, primaryPhoneNumber=phone)["primaryPhoneNumber"]["number"] == "+14155550142"


def test_lengths_count_composed_letters(owner):
    name = "e\u0301" * 21
    customer = create(owner, lastName=name)
    assert customer["lastName"] == "é" * 21
    assert put(owner, customer, customer) == customer
    assert create(owner, lastName="é" * 40)["lastName"] == "é" * 40
    assert wrong(owner, ADA | {"lastName": "e\u0301" * 41}) == {"lastName": "TOO_LONG"}
    line = "e\u0301" * 50
    city = create(owner, addresses=[HOME | {"streetLine1": line, "cityName": "e\u0301" * 25}])
    assert city["addresses"][0]["cityName"] == "é" * 25
    found = bulk.load(owner, bulk.customer("c1", lastName=name, metadata={"k": "e\u0301" * 1024}))
    assert bulk.outcomes(found) == ["CREATED"]
    listed = owner.api.get("/v1/customers", {"cityName": "e\u0301" * 25}).json()
    assert listed["totalElements"] == 1


# --- Ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "external_id", ["trail7 ", " lead7", "a\u200b", "\ufefftop", "e\u0301", "ـ"]
)
def test_an_external_id_is_kept_and_compared_as_it_is(owner, external_id):
    customer = create(owner, externalId=external_id)
    assert customer["externalId"] == external_id
    assert put(owner, customer, customer) == customer
    other = owner.api.put(f"/v1/customers/{customer['id']}", {"externalId": external_id + " "})
    assert other.status_code == 409
    create(owner, externalId=f"{external_id}x")
    found = owner.api.get("/v1/customers", {"externalId": external_id}).json()
    assert [each["id"] for each in found["content"]] == [customer["id"]]
    assert not owner.api.get("/v1/customers", {"externalId": f" {external_id}"}).json()["content"]


def test_a_loaded_id_with_outer_blanks_is_found_and_sent_back(owner):
    assert bulk.outcomes(bulk.load(owner, bulk.customer("trail7 ", firstName="Nia"))) == ["CREATED"]
    found = owner.api.get("/v1/customers?externalId=trail7%20").json()
    assert [each["externalId"] for each in found["content"]] == ["trail7 "]
    assert owner.api.get("/v1/customers?externalId=trail7").json()["content"] == []
    (customer,) = found["content"]
    assert put(owner, customer, customer) == customer


@pytest.mark.parametrize("external_id", ["a\tb", "a\n", "a\x7f", "\u202ea", "\ufffea", "\u200b"])
def test_a_new_external_id_has_no_control_characters(owner, external_id):
    body = ADA | {"externalId": external_id}
    assert wrong(owner, body) == {"externalId": "INVALID_CHARACTER"}


@pytest.mark.parametrize("external_id", ["a\tb", "\u200b"])
def test_an_id_of_an_earlier_load_is_sent_back_as_it_is(owner, external_id):
    customer = factories.make_customer(owner.account, external_id=external_id)
    shown = put(owner, {"id": customer.pk}, {"middleName": "King"})
    assert shown["externalId"] == external_id
    assert put(owner, shown, shown) == shown
