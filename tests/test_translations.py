"""The fifteen catalogs of `/core`: complete, and of the same meaning to a program."""

import re
from gettext import GNUTranslations

import pytest
from django.utils.translation import to_locale

from config.api.translation import LANGUAGES, Message, speaking, translated
from customers.models import Address, ContactPoint, Customer
from search.immediate import labels, representation
from tests import catalogs

PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize("locale", catalogs.LOCALES)
def test_a_catalog_has_every_text_and_no_other(locale):
    found = {message.id for message in catalogs.catalog(locale) if message.id}
    assert found == catalogs.texts()


@pytest.mark.parametrize("locale", catalogs.LOCALES)
def test_a_catalog_has_no_missing_or_fuzzy_translation_and_the_same_placeholders(locale):
    catalog = catalogs.catalog(locale)
    assert not catalog.obsolete
    for message in catalog:
        if not message.id:
            continue
        assert message.string, message.id
        assert not message.fuzzy, message.id
        expected = sorted(PLACEHOLDER.findall(message.id))
        assert sorted(PLACEHOLDER.findall(message.string)) == expected, message.id
        assert message.string.count("%") == message.id.count("%"), message.id


@pytest.mark.parametrize("locale", catalogs.LOCALES)
def test_a_compiled_catalog_is_that_of_its_source(locale):
    """Otherwise: `.venv/bin/pybabel compile -D django -d search/immediate/locale`."""
    with catalogs.compiled(locale).open("rb") as file:
        used = GNUTranslations(file)
    for message in catalogs.catalog(locale):
        assert not message.id or used.gettext(message.id) == message.string


def test_languages_of_two_countries_have_catalogs_of_their_own():
    for one, other in (("fr_FR", "fr_CA"), ("pt_BR", "pt_PT")):
        pairs = zip(catalogs.catalog(one), catalogs.catalog(other), strict=True)
        differing = [each.id for each, twin in pairs if each.string != twin.string]
        assert len(differing) > 5


def test_every_word_that_a_customer_may_have_has_a_label():
    assert set(labels.TYPES) == set(representation.TYPES.values())
    assert set(representation.TYPES) == set(Customer.Type)
    assert set(labels.PHONE_TYPES) == set(representation.PHONE_TYPES.values())
    assert set(representation.PHONE_TYPES) == set(ContactPoint.PhoneType)
    assert set(labels.SOCIAL_TYPES) == set(representation.SOCIAL_TYPES.values())
    assert set(labels.ADDRESS_TYPES) == {kind.lower() for kind in Address.Type.values}
    assert set(labels.ROLES) == set(Customer.Role.values)
    assert set(labels.REFERRALS) == set(Customer.Referral.values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_is_said_in_each_language_with_its_parameters(language):
    message = Message("The query parameter %(name)s has no value.", name="50%")
    with speaking(language):
        said = translated(message)
    assert "50%" in said
    assert (said == str(message)) == (language == "en-US")
    assert to_locale(language.lower()) in catalogs.LOCALES
