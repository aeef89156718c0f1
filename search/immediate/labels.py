"""The words of lists as `/core` shows them: each `value` with the msgid of its `displayValue`."""

import gettext
from functools import cache

import pycountry
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as say
from django.utils.translation import gettext_noop as _

TYPES = {
    "individual": _("Individual"),
    "corporate": _("Corporate"),
    "group": _("Group"),
}
PHONE_TYPES = {
    "office": _("Office"),
    "home": _("Home"),
    "mobile": _("Mobile"),
}
ADDRESS_TYPES = {
    "mailing": _("Mailing address"),
    "shipping": _("Shipping address"),
    "physical": _("Physical address"),
}
ROLES = {
    "Partner": _("Partner"),
    "Reseller": _("Reseller"),
    "Customer": _("Customer"),
}
REFERRALS = {
    "Website": _("Website"),
    "Customer": _("Customer"),
    "Partner": _("Partner"),
    "Employee": _("Employee"),
    "Reseller": _("Reseller"),
}
KOSOVO = _("Kosovo")
SOCIAL_TYPES = {
    "Facebook": "Facebook",
    "Twitter": "Twitter",
    "Instagram": "Instagram",
    "Apple": "Apple",
    "YouTube": "YouTube",
}


def labelled(value: str, labels: dict[str, str]) -> dict[str, str]:
    """A word of a list with its label in the active language; of an unknown word its own."""
    return {"value": value, "displayValue": say(labels[value]) if value in labels else value}


@cache
def countries(language: str) -> dict[str, str]:
    """The names of the countries in a language of Django's, by ISO 3166-1 alpha-3 code."""
    locale = to_locale(language)
    found = gettext.translation(
        "iso3166-1",
        pycountry.LOCALES_DIR,
        languages=[locale, locale.partition("_")[0]],
        fallback=True,
    )
    names = {
        country.alpha_3: found.gettext(getattr(country, "common_name", country.name))
        for country in pycountry.countries
    }
    return dict(sorted((names | {"XKX": say(KOSOVO)}).items()))


def country_names() -> dict[str, str]:
    """The same in the active language."""
    return countries(get_language() or "en-us")
