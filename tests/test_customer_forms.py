"""The forms for customers: what is typed in becomes what the API would make of it."""

import html
import re
import sys

import pytest
from django.test import Client as Browser
from django.utils.html import conditional_escape

from customers.models import AttributeDefinition, Change, Customer
from tests import factories
from tests.customer_forms import GRACE, edit, edit_url, fields_of, stored
from tests.customers import ACME, HOME, create, put

pytestmark = pytest.mark.django_db
ADD = "/admin/customers/customer/add/"
SUPPLY = {
    "businessName": "Supply Ltd",
    "primaryContact": "0",
    **{f"contacts[0].{name}": value for name, value in GRACE.items()},
}
LYON = {
    "addresses[0].type": "PHYSICAL",
    "addresses[0].streetLine1": "4 Rue Mercière",
    "addresses[0].cityName": "Lyon",
    "addresses[0].countryCode": "FRA",
    "addresses[0].zipCode": "69002",
}


@pytest.fixture
def ada(owner):
    return create(owner, addresses=[HOME])


def errors_of(response):
    """Messages beside controls by their names, and those at the top."""
    text = response.content.decode()
    found = re.findall(r'class="kc-error" id="id_([^"]*)-error">(.*?)</p>', text)
    return {html.unescape(name): html.unescape(message) for name, message in found}


# --- Adding ---------------------------------------------------------------------------------------


def test_an_individual_is_added_with_all_that_was_typed_in(browser, owner, account):
    factories.make_department(account, "Retail")
    AttributeDefinition.objects.create(business_account=account, name="Shoe size (EU)")
    form = (
        GRACE
        | LYON
        | {
            "externalId": "G-1",
            "dateOfBirth": "1906-12-09",
            "placeOfBirth.countryCode": "USA",
            "socialId": "123456789",
            "socialIdCountryCode": "USA",
            "department": "Retail",
            "relationship.role": "Partner",
            "customAttributes.Shoe size (EU)": "38",
            "metadata[0].key": "tier",
            "metadata[0].value": "gold",
            "contactPoints[3].kind": "TWITTER",
            "contactPoints[3].value": "amazinggrace",
            "contactPoints[4].kind": "PHONE",
            "contactPoints[4].value": "",
            "addresses[0].primary": "on",
        }
    )
    assert browser.post(ADD, form).status_code == 302
    [grace] = owner.api.get("/v1/customers?search=hopper").json()["content"]
    assert grace["externalId"] == "G-1"
    assert grace["placeOfBirth"] == {"city": "", "countryCode": "USA"}
    assert grace["socialId"] == "6789"
    assert grace["department"] == "Retail"
    assert grace["relationship"]["role"] == "Partner"
    assert grace["customAttributes"] == {"Shoe size (EU)": "38"}
    assert grace["metadata"] == {"tier": "gold"}
    assert {point["kind"] for point in grace["contactPoints"]} == {"PHONE", "EMAIL", "TWITTER"}
    assert grace["addresses"][0]["cityName"] == "Lyon"
    assert Change.objects.filter(customer_id=grace["id"], via="back-office").exists()


@pytest.mark.parametrize("kind", ["BUSINESS", "GROUP"])
def test_a_business_is_added_with_its_contacts(browser, owner, kind):
    second = {f"contacts[7].{name}": value for name, value in GRACE.items()}
    form = SUPPLY | second | {"contacts[7].firstName": "Greta", "primaryContact": "7"}
    response = browser.post(f"{ADD}?type={kind}", form)
    assert response.status_code == 302, errors_of(response)
    [supply] = owner.api.get("/v1/customers?search=supply").json()["content"]
    assert supply["type"] == kind
    assert [(c["firstName"], c["primary"]) for c in supply["contacts"]] == [
        ("Greta", True),
        ("Grace", False),
    ]


def test_what_is_wrong_stands_beside_its_field_in_the_words_of_the_api(browser):
    wrong = (
        GRACE
        | LYON
        | {
            "firstName": "",
            "primaryEmail.value": "grace@",
            "primaryPhoneNumber.number": "",
            "dateOfBirth": "3000-01-01",
            "addresses[0].countryCode": "USA",
            "addresses[0].stateCode": "ZZ",
            "metadata[1].key": "k",
            "metadata[1].value": "4111111111111111",
        }
    )
    response = browser.post(ADD, wrong)
    assert errors_of(response) == {
        "firstName": "This is required.",
        "primaryEmail.value": "Not an e-mail address.",
        "primaryPhoneNumber.number": "This is required.",
        "dateOfBirth": "This must be between 1850-01-01 and today.",
        "addresses[0].stateCode": "Not an ISO 3166-2 subdivision code of USA.",
        "metadata[0].value": errors_of(response)["metadata[0].value"],
    }
    assert "6 things need a correction" in response.content.decode()
    typed = fields_of(response)
    assert typed["lastName"] == "Hopper"
    assert typed["addresses[0].streetLine1"] == "4 Rue Mercière"
    assert not Customer.objects.exists()


def test_what_is_wrong_with_a_contact_stands_beside_its_field(browser):
    form = SUPPLY | {
        "contacts[0].lastName": "",
        "contacts[0].contactPoints[2].kind": "PHONE",
        "contacts[0].contactPoints[2].value": "12",
    }
    response = browser.post(f"{ADD}?type=BUSINESS", form)
    assert set(errors_of(response)) == {
        "contacts[0].lastName",
        "contacts[0].contactPoints[0].value",
    }


def test_an_external_id_that_is_taken_is_told(browser, owner):
    create(owner, externalId="A-1")
    response = browser.post(ADD, GRACE | {"externalId": "A-1"})
    assert "of this business account has this external id" in errors_of(response)["externalId"]


def test_a_customer_is_added_for_an_account_of_the_own_tree_only(
    browser, account, child_account, parent_account
):
    assert browser.post(f"{ADD}?account=Child+Branch", GRACE).status_code == 302
    assert Customer.objects.get().business_account == child_account
    response = browser.post(f"{ADD}?account=Parent+Holding", GRACE)
    assert "There is no business account of this name" in response.content.decode()
    assert Customer.objects.count() == 1


def test_a_superuser_says_for_which_account(account, child_account):
    browser = Browser()
    browser.force_login(
        factories.make_employee(account, role="Owner", is_staff=True, is_superuser=True)
    )
    assert 'class="kc-form"' not in browser.get(ADD).content.decode()
    assert browser.post(ADD, GRACE).status_code == 200
    assert not Customer.objects.exists()
    assert browser.post(f"{ADD}?account=House+Bank", GRACE).status_code == 302


def test_the_forms_of_a_superuser_begin_with_the_account_that_they_belong_to(
    account, child_account
):
    browser = Browser()
    browser.force_login(factories.make_employee(account, is_staff=True, is_superuser=True))
    assert 'name="account" value="House Bank"' in browser.get(ADD).content.decode()
    for page in ("ingest/bulkrequest/upload/", "customers/user/add/", "search/customersearch/add/"):
        text = browser.get(f"/admin/{page}").content.decode()
        assert f'<option value="{account.pk}" selected' in text, page


def needed(page):
    """The members that a page marks as needed."""
    assert page.status_code == 200
    text = page.content.decode()
    marked = set(re.findall(r'name="([^"]+)"[^>]* aria-required="true"', text))
    labels = re.findall(r'<label for="id_([^"]+)">[^<]+</label><span class="kc-needed"', text)
    assert marked == set(labels)
    return {name for name in marked if "__" not in name}


def test_what_is_needed_is_marked_before_it_is_asked_for(browser, owner):
    address = {"addresses[0].streetLine1", "addresses[0].zipCode"}
    assert needed(browser.get(ADD)) == GRACE.keys() | address
    assert needed(browser.get(f"{ADD}?type=BUSINESS")) >= {"businessName"}
    ada = create(owner, addresses=[HOME])
    assert needed(browser.get(edit_url(ada))) == {"firstName", "lastName"} | address


# --- Editing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, ACME])
def test_saving_a_form_as_it_was_opened_leaves_no_trace(browser, owner, account, body):
    for target in AttributeDefinition.Target.values:
        AttributeDefinition.objects.create(business_account=account, target=target, name="color")
        AttributeDefinition.objects.create(
            business_account=account, target=target, name="secret", is_encrypted=True
        )
    values = {"color": "blue", "secret": "hidden"}
    sent = {"addresses": [HOME, HOME | {"type": "PHYSICAL"}], "metadata": {"a": "1"}}
    if body:
        contact = ACME["contacts"][0] | {"customAttributes": values}
        sent["contacts"] = [contact, contact | {"firstName": "Jill", "primary": False}]
    else:
        sent |= {"socialId": "123456789", "socialIdCountryCode": "USA", "dateOfBirth": "1915-12-10"}
        sent["contactPoints"] = [{"kind": "TWITTER", "value": "ada1815"}]
    customer = create(owner, *([body] if body else []), **sent, customAttributes=values)
    assert customer["customAttributes"] == {"color": "blue", "secret": ""}
    before = stored(owner, customer), Change.objects.count()
    assert edit(browser, customer).status_code == 302
    assert (stored(owner, customer), Change.objects.count()) == before


def test_what_was_changed_is_saved_and_nothing_else(browser, owner, ada):
    response = edit(
        browser,
        ada,
        **{"middleName": "Augusta", "addresses[0].cityName": "Springfield", "prefix": "Dr"},
    )
    assert response.status_code == 302
    now = stored(owner, ada)
    assert (now["middleName"], now["prefix"]) == ("Augusta", "Dr")
    assert now["addresses"] == [ada["addresses"][0] | {"cityName": "Springfield"}]
    assert now["primaryPhoneNumber"] == ada["primaryPhoneNumber"]


def test_a_wrong_value_is_told_and_the_right_one_then_saved(browser, owner, ada):
    response = edit(browser, ada, **{"addresses[0].stateCode": "ZZ", "middleName": "Augusta"})
    assert set(errors_of(response)) == {"addresses[0].stateCode"}
    fields = fields_of(response) | {"addresses[0].stateCode": "CA"}
    assert browser.post(edit_url(ada), fields).status_code == 302
    now = stored(owner, ada)
    assert (now["addresses"][0]["stateCode"], now["middleName"]) == ("CA", "Augusta")


def test_parts_are_added_and_removed(browser, owner, ada):
    put(owner, ada, {"contactPoints": [{"kind": "TWITTER", "value": "ada1815"}]})
    new = {name.replace("[0]", "[5]"): value for name, value in LYON.items()}
    new |= {"contactPoints[9].kind": "EMAIL", "contactPoints[9].value": "countess@example.com"}
    response = edit(
        browser, ada, **new, **{"addresses[0].remove": "on", "contactPoints[0].remove": "on"}
    )
    assert response.status_code == 302
    now = stored(owner, ada)
    assert [address["cityName"] for address in now["addresses"]] == ["Lyon"]
    assert {point["value"] for point in now["contactPoints"]} == {
        "+14151234",
        "Ada@example.com",
        "countess@example.com",
    }


def test_contacts_are_added_removed_and_made_the_primary_one(browser, owner):
    acme = create(owner, ACME)
    new = {f"contacts[1].{name}": value for name, value in GRACE.items()}
    response = edit(browser, acme, **new, **{"primaryContact": "1", "contacts[0].remove": "on"})
    assert response.status_code == 302, errors_of(response)
    contacts = stored(owner, acme)["contacts"]
    assert [(each["firstName"], each["primary"]) for each in contacts] == [("Grace", True)]


def test_what_must_stay_is_not_removed_and_nothing_is_saved(browser, owner):
    acme = create(owner, ACME)
    response = edit(browser, acme, **{"businessName": "New", "contacts[0].remove": "on"})
    assert "A business or group has at least one contact." in response.content.decode()
    assert stored(owner, acme) == acme


def test_sealed_values_are_kept_changed_or_cleared(browser, owner, confidant, account):
    AttributeDefinition.objects.create(business_account=account, name="secret", is_encrypted=True)
    ada = create(
        owner,
        socialId="123456789",
        socialIdCountryCode="USA",
        securityAnswer="rosebud",
        relationship={"pin": "4711"},
        customAttributes={"secret": "s3cret"},
    )
    text = browser.get(edit_url(ada)).content.decode()
    assert not any(each in text for each in ("123456789", "rosebud", "4711", "s3cret"))
    changes = {"socialId": "987654321", "securityAnswer!clear": "on", "relationship.pin": ""}
    assert edit(browser, ada, **changes, **{"customAttributes.secret!clear": "on"}).url
    now = stored(confidant, ada)
    assert now["socialId"] == "987654321"
    assert now["securityAnswer"] == ""
    assert now["relationship"]["pin"] == "4711"
    assert now["customAttributes"] == {}


def test_an_optional_phone_number_is_emptied(browser, owner):
    jill = ACME["contacts"][0] | {"firstName": "Jill", "primary": False}
    acme = create(owner, ACME, contacts=[ACME["contacts"][0], jill])
    gone = {"number": "", "type": "", "extension": "", "provider": ""}
    fields = {f"contacts[1].primaryPhoneNumber.{name}": value for name, value in gone.items()}
    assert edit(browser, acme, **fields).status_code == 302
    assert stored(owner, acme)["contacts"][1]["primaryPhoneNumber"] is None
    fields = {name.replace("[1]", "[0]"): value for name, value in fields.items()}
    assert "contacts[0].primaryPhoneNumber.number" in errors_of(edit(browser, acme, **fields))


# --- What it costs --------------------------------------------------------------------------------


def escaped_for(browser, url):
    """How many texts were escaped for a page."""
    count = 0

    def counting(frame, event, _argument):
        nonlocal count
        count += event == "call" and frame.f_code is conditional_escape.__code__

    sys.setprofile(counting)
    try:
        assert browser.get(url).status_code == 200
    finally:
        sys.setprofile(None)
    return count


def test_each_address_has_a_list_of_all_countries_that_is_written_once(browser, owner, ada):
    before = escaped_for(browser, edit_url(ada))
    more = [HOME | {"zipCode": str(number)} for number in range(4)]
    put(owner, ada, {"addresses": more})
    assert escaped_for(browser, edit_url(ada)) - before < 4 * 100


def test_a_country_of_the_list_is_selected(browser, ada):
    text = browser.get(edit_url(ada)).content.decode()
    country = re.search(r'name="addresses\[0\].countryCode".*?</select>', text, re.DOTALL)[0]
    assert re.findall(r'value="(\w*)" selected', country) == ["USA"]


@pytest.mark.parametrize("count", [1, 6])
def test_the_form_makes_so_many_queries_whatever_the_customer_has(
    browser, owner, ada, count, django_assert_num_queries
):
    put(owner, ada, {"addresses": [HOME | {"zipCode": str(number)} for number in range(count)]})
    with django_assert_num_queries(9):
        browser.get(edit_url(ada))
