"""What people read in place of the API's members and words."""

import functools
import re
from collections.abc import Mapping
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format

from customers.normalize import iso_codes

NOTHING = "\N{EN DASH}"

# Members of the customer object and of the history, by their published names.
LABELS: Mapping[str, str] = {
    "type": "Type",
    "status": "Status",
    "externalId": "External id",
    "businessName": "Business name",
    "department": "Department",
    "metadata": "Metadata",
    "prefix": "Title",
    "firstName": "First name",
    "middleName": "Middle name",
    "lastName": "Last name",
    "suffix": "Suffix",
    "sex": "Sex",
    "gender": "Gender",
    "pronoun": "Pronoun",
    "dateOfBirth": "Date of birth",
    "placeOfBirth.city": "Birthplace",
    "placeOfBirth.countryCode": "Born in",
    "citizenshipCountryCode": "Citizenship",
    "socialId": "Social id",
    "socialIdCountryCode": "Issued by",
    "securityQuestion": "Security question",
    "securityAnswer": "Security answer",
    "loginId": "Sign-in",
    "primaryEmail.value": "Email",
    "primaryEmail.verified": "Verified",
    "primaryPhoneNumber.number": "Phone",
    "primaryPhoneNumber.type": "Kind of line",
    "primaryPhoneNumber.provider": "Provider",
    "primaryPhoneNumber.extension": "Extension",
    "primaryPhoneNumber.verified": "Verified",
    "kind": "Kind",
    "value": "Value",
    "provider": "Provider",
    "extension": "Extension",
    "verified": "Verified",
    "primary": "Primary",
    "name.firstName": "Recipient: given name",
    "name.middleName": "Recipient: middle name",
    "name.lastName": "Recipient: family name",
    "streetLine1": "Street",
    "streetLine2": "Line 2",
    "streetLine3": "Line 3",
    "streetLine4": "Line 4",
    "streetLine5": "Line 5",
    "cityName": "City",
    "stateCode": "State",
    "countryCode": "Country",
    "zipCode": "Postal code",
    "relationship.role": "Role",
    "relationship.level": "Level",
    "relationship.industry": "Industry",
    "relationship.marketSegment": "Market segment",
    "relationship.entitlements": "Entitlements",
    "relationship.howReferred": "Referred by",
    "relationship.preferredAgentId": "Preferred agent",
    "relationship.pin": "PIN",
    "organizationId": "Organization",
    "postalCode": "Postal code",
    "country": "Country",
    "customerCreationDate": "Customer since",
    "enrollmentStartDate": "Enrolled from",
    "enrollmentEndDate": "Enrolled until",
    "enrollmentOptInStatus": "Enrollment",
    "alertOptInStatus": "Alerts",
    "targetingIndicator": "Targeting",
    "redemptionEligibility": "Redemption",
    "sourceParentCustomerId": "Parent customer",
    "sourceAccountId": "Account",
    "sourceCustomerIds": "Holders",
    "primarySourceCustomerId": "Primary holder",
    "sourcePortfolioId": "Portfolio",
    "sentUnder": "Sent under",
    "openDate": "Opened",
    "accountOpenDate": "Opened",
    "closeDate": "Closed",
    "accountCloseDate": "Closed",
    "last4": "Last four digits",
    "iin": "Issuer number",
    "networkIdentifier": "Network",
    "endsAt": "Shown until",
    "mode": "Direction",
    "isRead": "Read",
    "isSecure": "Secure",
    "sentDate": "When",
    "subject": "Subject",
}
# Members with a country's code.
COUNTRIES = frozenset(
    {
        "placeOfBirth.countryCode",
        "citizenshipCountryCode",
        "socialIdCountryCode",
        "countryCode",
        "country",
    }
)
# Words of lists that are not simply spelled in capitals.
WORDS = {
    "DO_NOT_TARGET": "Do not target",
    "EMAIL": "Email",
    "TWITTER": "X (Twitter)",
    "YOUTUBE": "YouTube",
    "NONBINARY": "Non-binary",
    "calltrack": "Call",
    "social": "Social media",
    "inbound": "From the customer",
    "outbound": "To the customer",
}
# Members whose values are words of a list.
LISTED = frozenset(
    {
        "type",
        "status",
        "sex",
        "kind",
        "primaryPhoneNumber.type",
        "enrollmentOptInStatus",
        "alertOptInStatus",
        "targetingIndicator",
        "redemptionEligibility",
        "mode",
    }
)


# Lists in a body, by what one entry of them is called.
ENTRIES = {
    "accounts": "account",
    "addresses": "address",
    "cards": "card",
    "contactPoints": "contact point",
    "contacts": "contact",
    "customers": "customer",
    "emails": "email",
    "phoneNumbers": "phone number",
}
# Members whose own members are named by whoever sends them.
NAMED = {"customAttributes": "custom attribute", "metadata": "metadata"}
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def label(member: str) -> str:
    """A member's name in words; one without keeps its own."""
    return LABELS.get(member, member)


def place(path: str) -> str:
    """A place in a body, such as ``accounts/0/cards/1/openDate``, in words.

    ``Account 1, card 2, opened``: entries of lists are counted from 1.
    """
    words: list[str] = []
    steps = path.split("/")
    for number, step in enumerate(steps):
        before = steps[number - 1] if number else ""
        if before in NAMED:
            words[-1] = f"{NAMED[before]} {'/'.join(steps[number:])}"
            break
        if step.isdecimal() and words:
            words[-1] = f"{ENTRIES.get(before, words[-1])} {int(step) + 1}"
        else:
            known = LABELS.get(f"{before}.{step}") or LABELS.get(step)
            words.append(within(known or HUMP.sub(" ", step).capitalize()))
    told = ", ".join(words)
    return told[:1].upper() + told[1:]


def within(name: str) -> str:
    """A label in the middle of a sentence."""
    return name if name.isupper() else name[:1].lower() + name[1:]


def word(value: str) -> str:
    """A word of a list, such as ``SUSPENDED``, as people write it."""
    return WORDS.get(value) or value.replace("_", " ").capitalize()


def in_words(member: str, value: object) -> str:
    """A member's value as people read it."""
    if value in (None, "", [], {}):
        return NOTHING
    if isinstance(value, list):
        return ", ".join(in_words(member, each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return text_in_words(member, str(value))


def text_in_words(member: str, text: str) -> str:
    """A text as people read it: a code's name, a word, a date."""
    if member in COUNTRIES:
        return country_name(text)
    # Types of accounts are short codes, not words.
    if member in LISTED and len(text) > 3:
        return word(text)
    if member == "dateOfBirth":
        return date_format(date.fromisoformat(text), "j F Y")
    if member.endswith(("Date", "At")):
        return moment(datetime.fromisoformat(text))
    return text


def day(at: datetime) -> str:
    """A day of the reader's."""
    return date_format(timezone.localtime(at), "j M Y")


def moment(at: datetime) -> str:
    """A date-time in the reader's zone."""
    return date_format(timezone.localtime(at), "j M Y, H:i")


def country_name(code: str) -> str:
    """A country by its alpha-2 or alpha-3 code; an unknown code stays as it is."""
    return country_names().get(code) or _names_by_alpha2().get(code, code)


@functools.cache
def country_names() -> dict[str, str]:
    """The countries' names by their alpha-3 codes, in the order of the names."""
    countries = iso_codes().countries
    names = {each.alpha_3: getattr(each, "common_name", each.name) for each in countries}
    return dict(sorted((names | {"XKX": "Kosovo"}).items(), key=lambda pair: pair[1]))


@functools.cache
def _names_by_alpha2() -> dict[str, str]:
    names = country_names()
    return {each.alpha_2: names[each.alpha_3] for each in iso_codes().countries}
