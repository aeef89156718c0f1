"""Two operators edit one customer: the second is shown both versions, and loses nothing."""

import html
import re

import pytest

from customers.words import NOTHING
from tests.customer_forms import GRACE, edit, edit_url, fields_of, stored
from tests.customers import ACME, HOME, create, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(owner):
    return create(owner, addresses=[HOME])


def compared(response):
    """The rows of the comparison."""
    rows = re.findall(
        r'<th scope="row">(.*?)</th><td data-label="Theirs">(.*?)</td>'
        r'<td data-label="Yours">(.*?)</td>',
        response.content.decode(),
    )
    return {html.unescape(field): (theirs, yours) for field, theirs, yours in rows}


def test_the_second_of_two_operators_is_shown_both_versions_and_loses_nothing(browser, owner, ada):
    fields = fields_of(browser.get(edit_url(ada)))
    street = HOME | {"id": ada["addresses"][0]["id"], "streetLine1": "7 Other St"}
    put(owner, ada, {"middleName": "Theirs", "suffix": "Countess", "addresses": [street, HOME]})
    mine = fields | {"middleName": "Mine", "prefix": "Dr", "addresses[0].cityName": "Springfield"}
    response = browser.post(edit_url(ada), mine)
    assert 'role="alert"' in response.content.decode()
    found = compared(response)
    assert found["Middle name"] == ("Theirs", "Mine")
    assert found["Suffix"] == ("Countess", NOTHING)
    assert found["Title"] == (NOTHING, "Dr")
    assert found["Mailing address: City"] == ("Greenville", "Springfield")
    assert found["Mailing address: Street"] == ("7 Other St", "100 Main St")
    assert stored(owner, ada)["middleName"] == "Theirs"

    assert browser.post(edit_url(ada), fields_of(response)).status_code == 302
    now = stored(owner, ada)
    assert (now["middleName"], now["suffix"], now["prefix"]) == ("Mine", "Countess", "Dr")
    first = next(each for each in now["addresses"] if each["id"] == street["id"])
    assert (first["streetLine1"], first["cityName"]) == ("7 Other St", "Springfield")
    assert len(now["addresses"]) == 2


def test_to_take_theirs_is_to_open_the_form_again(browser, owner, ada):
    fields = fields_of(browser.get(edit_url(ada)))
    put(owner, ada, {"middleName": "Theirs"})
    response = browser.post(edit_url(ada), fields | {"middleName": "Mine"})
    assert f'href="{edit_url(ada)}">Take theirs</a>' in response.content.decode()
    assert fields_of(browser.get(edit_url(ada)))["middleName"] == "Theirs"


def test_what_the_other_removed_and_i_changed_comes_back_as_new(browser, owner, ada):
    fields = fields_of(browser.get(edit_url(ada)))
    owner.api.delete(f"/v1/customers/{ada['id']}/addresses/{ada['addresses'][0]['id']}")
    response = browser.post(edit_url(ada), fields | {"addresses[0].cityName": "Springfield"})
    assert browser.post(edit_url(ada), fields_of(response)).status_code == 302
    [address] = stored(owner, ada)["addresses"]
    assert address["cityName"] == "Springfield"
    assert address["id"] != ada["addresses"][0]["id"]


def test_what_the_other_deleted_is_not_saved(browser, owner, ada):
    fields = fields_of(browser.get(edit_url(ada)))
    owner.api.delete(f"/v1/customers/{ada['id']}")
    response = browser.post(edit_url(ada), fields | {"middleName": "Mine"}, follow=True)
    assert "Ada Lovelace was deleted meanwhile. Nothing was saved." in response.content.decode()


def test_contacts_of_two_operators_are_merged(browser, owner):
    acme = create(owner, ACME)
    fields = fields_of(browser.get(edit_url(acme)))
    jack = {"id": acme["contacts"][0]["id"], "middleName": "Theirs"}
    point = {"kind": "TWITTER", "value": "jack"}
    put(owner, acme, {"contacts": [jack | {"contactPoints": [point]}]})
    new = {f"contacts[1].{name}": value for name, value in GRACE.items()}
    response = browser.post(edit_url(acme), fields | new | {"contacts[0].lastName": "Mine"})
    found = compared(response)
    assert found["Jack Smith: Middle name"] == ("Theirs", NOTHING)
    assert "Grace Hopper" in found
    assert browser.post(edit_url(acme), fields_of(response)).status_code == 302
    contacts = stored(owner, acme)["contacts"]
    assert [(each["middleName"], each["lastName"]) for each in contacts] == [
        ("Theirs", "Mine"),
        ("", "Hopper"),
    ]
    assert "jack" in str(contacts[0]["contactPoints"])


def test_a_form_whose_state_was_made_up_is_read_against_what_is_stored(browser, owner, ada):
    response = edit(browser, ada, base="made up", middleName="Augusta")
    assert response.status_code == 302
    assert stored(owner, ada)["middleName"] == "Augusta"


def test_the_state_of_another_customer_s_form_is_not_taken(browser, owner, ada):
    other = create(owner, firstName="Other")
    base = fields_of(browser.get(edit_url(other)))["base"]
    assert edit(browser, ada, base=base, middleName="Augusta").status_code == 302
    assert stored(owner, ada)["firstName"] == "Ada"


def test_an_id_that_is_made_up_changes_nothing(browser, owner, ada):
    for made_up in ("x", other_address(owner)):
        response = edit(browser, ada, **{"addresses[0].id": made_up, "addresses[0].remove": "on"})
        assert response.status_code in {200, 404}
    assert stored(owner, ada) == ada


def other_address(owner):
    """The id of an address of another customer."""
    return create(owner, firstName="Other", addresses=[HOME])["addresses"][0]["id"]
