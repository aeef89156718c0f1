"""Members and places of a body in the words of people."""

import pytest

from customers import words


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("postalCode", "Postal code"),
        ("accounts/0/cards/1/openDate", "Account 1, card 2, opened"),
        ("accounts/2", "Account 3"),
        ("accounts/0/sourceCustomerIds/1", "Account 1, holders 2"),
        ("addresses/0/cityName", "Address 1, city"),
        ("relationship/pin", "Relationship, PIN"),
        ("customAttributes/shoeSize", "Custom attribute shoeSize"),
        ("contacts/0/customAttributes/a/0", "Contact 1, custom attribute a/0"),
        ("someNewMember", "Some new member"),
    ],
)
def test_a_place_in_a_body_is_told_in_words(path, told):
    assert words.place(path) == told
