"""What operators do with customers: find, add, correct, suspend, delete, restore, reveal."""

import pytest
from playwright.sync_api import Page, expect

from customers.models import AttributeDefinition
from tests import factories
from tests.browser.axe import assert_accessible, assert_accessible_in_both_themes
from tests.browser.conftest import DESKTOP, PHONE
from tests.customers import ACME, HOME, create, put

pytestmark = pytest.mark.browser
LIST = "/admin/customers/customer/"
SOCIAL_ID = "987654321"


@pytest.fixture
def program(operator, account):
    """A program of the house."""
    return factories.make_speaker(account)


@pytest.fixture
def ada(program, account):
    AttributeDefinition.objects.create(business_account=account, name="secret", is_encrypted=True)
    return create(
        program,
        addresses=[HOME],
        socialId=SOCIAL_ID,
        socialIdCountryCode="USA",
        customAttributes={"secret": "rosebud"},
    )


def stored(program, customer):
    return program.api.get(f"/v1/customers/{customer['id']}").json()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def fill(page: Page, label: str, value: str) -> None:
    page.get_by_label(label, exact=True).fill(value)


def act(page: Page, verb: str, reason: str) -> None:
    """Press a button, give the reason in its dialog, press the verb again."""
    press(page, verb)
    dialog = page.get_by_role("dialog", name="Ada Lovelace")
    dialog.get_by_role("textbox", name="Reason").fill(reason)
    dialog.get_by_role("button", name=verb, exact=True).click()


def test_a_customer_is_found_by_a_scrap_of_a_name_and_corrected(page: Page, program, ada):
    page.goto(LIST)
    page.get_by_role("searchbox", name="Search customers").fill("lovel")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Ada Lovelace").click()
    for heading in ("Profile", "Contacts", "Addresses", "Accounts and cards", "Activities"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    press(page, "Edit")
    fill(page, "First name", "Augusta")
    fill(page, "City", "Springfield")
    fill(page, "State", "ZZ")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text("1 thing needs a correction")
    state = page.get_by_label("State", exact=True)
    expect(state).to_be_focused()
    expect(page.get_by_text("Not an ISO 3166-2 subdivision code of USA.")).to_be_visible()
    expect(page.get_by_label("City", exact=True)).to_have_value("Springfield")
    state.fill("CA")
    press(page, "Save")
    expect(page.get_by_text("Augusta Lovelace was saved.")).to_be_visible()
    now = stored(program, ada)
    assert (now["addresses"][0]["stateCode"], now["firstName"]) == ("CA", "Augusta")


def test_a_business_is_added_with_two_contacts_and_an_address(page: Page, program):
    page.goto(LIST)
    press(page, "Add customer")
    press(page, "Business")
    fill(page, "Business name", "Supply Ltd")
    people = page.get_by_role("group", name="New contact")
    for number, name in enumerate(("Grace", "Jack")):
        if number:
            press(page, "Add contact")
        person = people.nth(number)
        person.get_by_label("First name", exact=True).fill(name)
        person.get_by_label("Last name", exact=True).fill("Hopper")
        person.get_by_label("Email", exact=True).fill(f"{name.lower()}@example.com")
        person.get_by_label("Phone", exact=True).fill(f"+1415555010{number}")
        person.get_by_label("Kind of line", exact=True).select_option("WORK")
    people.nth(1).get_by_role("button", name="Add way to reach them").click()
    people.nth(1).get_by_label("Value", exact=True).fill("+14155550199")
    fill(page, "Street", "4 Rue Mercière")
    fill(page, "City", "Lyon")
    page.get_by_label("Country", exact=True).select_option("France")
    fill(page, "Postal code", "69002")
    press(page, "Save")
    expect(page.get_by_role("heading", name="Contacts")).to_be_visible()
    [supply] = program.api.get("/v1/customers?search=supply").json()["content"]
    assert [person["firstName"] for person in supply["contacts"]] == ["Grace", "Jack"]
    assert len(supply["contacts"][1]["contactPoints"]) == 3
    assert supply["addresses"][0]["countryCode"] == "FRA"


def test_the_second_of_two_operators_sees_both_versions(page: Page, program, ada):
    page.goto(f"{LIST}{ada['id']}/edit/")
    fill(page, "Middle name", "Mine")
    put(program, ada, {"middleName": "Theirs", "suffix": "Countess"})
    press(page, "Save")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Somebody changed this customer")
    expect(alert.get_by_role("row", name="Middle name")).to_contain_text("Theirs")
    expect(alert.get_by_role("row", name="Middle name")).to_contain_text("Mine")
    assert_accessible(page)
    press(page, "Save")
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    now = stored(program, ada)
    assert (now["middleName"], now["suffix"]) == ("Mine", "Countess")


def test_a_customer_is_suspended_deleted_and_restored(page: Page, ada):
    page.goto(f"{LIST}{ada['id']}/change/")
    act(page, "Suspend", "Lost phone")
    expect(page.get_by_text("Ada Lovelace was suspended.")).to_be_visible()
    history = page.get_by_role("region", name="History")
    expect(history.get_by_text("Lost phone")).to_be_visible()
    act(page, "Delete", "Asked to be forgotten")
    expect(page.get_by_text("Ada Lovelace was deleted.")).to_be_visible()
    page.goto(LIST)
    expect(page.get_by_text("There are no customers yet.")).to_be_visible()
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Status", exact=True).select_option("Deleted")
    press(page, "Apply filters")
    page.get_by_role("link", name="Ada Lovelace").click()
    act(page, "Restore", "Changed her mind")
    expect(page.get_by_text("Ada Lovelace was restored.")).to_be_visible()
    expect(history.get_by_text("Changed her mind")).to_be_visible()


def test_sensitive_values_are_revealed_for_two_minutes(page: Page, ada):
    page.clock.install()
    page.goto(f"{LIST}{ada['id']}/change/")
    value = page.get_by_text(SOCIAL_ID)
    assert SOCIAL_ID not in page.content()
    press(page, "Reveal")
    dialog = page.get_by_role("dialog", name="Reveal sensitive values")
    dialog.get_by_role("textbox", name="Reason").fill("She is on the phone")
    dialog.get_by_role("button", name="Confirm").click()
    expect(value).to_be_visible()
    expect(page.get_by_text("rosebud")).to_be_visible()
    assert_accessible(page)
    page.reload()
    expect(value).to_be_visible()
    page.clock.fast_forward(121_000)
    expect(value).to_have_count(0)
    expect(page.get_by_text("Sensitive values are hidden again.")).to_be_visible()
    assert SOCIAL_ID not in page.content()
    page.reload()
    expect(page.get_by_text("She is on the phone")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280", "390"])
def test_everybody_can_use_the_pages(open_page, operator, program, ada, viewport):
    acme = create(program, ACME)
    call = {"type": "calltrack", "mode": "inbound", "sentDate": "2026-03-01T10:30:00Z"}
    activities = f"{ada['id']}/activities"
    activity = program.api.post(f"/v1/customers/{activities}", call).json()
    page = open_page(operator, viewport=viewport, color_scheme="dark")
    for url in (
        f"{LIST}{activities}/",
        f"{LIST}{activities}/{activity['id']}/edit/",
        f"{LIST}?created_from=2020-01-01",
        f"{LIST}add/",
        f"{LIST}{ada['id']}/change/",
        f"{LIST}{acme['id']}/edit/",
        f"{LIST}{ada['id']}/history/",
        f"{LIST}reveals/",
    ):
        page.goto(url)
        assert_accessible_in_both_themes(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
    page.goto(f"{LIST}{ada['id']}/change/")
    press(page, "Delete")
    expect(page.get_by_role("dialog", name="Delete Ada Lovelace?")).to_be_visible()
    assert_accessible_in_both_themes(page)
