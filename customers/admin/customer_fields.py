"""What the forms of a customer ask for: members of the API's body, under names in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from config.api.json import Json
from customers import words
from customers.facts import AccountFacts
from customers.models import (
    Address,
    AttributeDefinition,
    BusinessAccount,
    Contact,
    ContactPoint,
    Customer,
    User,
)

Choices = Sequence[tuple[str, str]]
CONTACTS, POINTS, ADDRESSES = "contacts", "contactPoints", "addresses"
ATTRIBUTES = "customAttributes."
MOST_AGENTS = 200
MAX_PAIRS = 5
INDIVIDUAL = Customer.Type.INDIVIDUAL


@dataclass(frozen=True)
class Member:
    """A member of a body, by its path; `kind` is the control that it is typed into.

    Of a ``sealed`` one nobody sees the value: nothing typed in means unchanged.
    """

    path: str
    kind: str = "text"
    choices: Choices = ()
    help: str = ""
    required: bool = False
    default: str = ""
    label: str = ""
    autocomplete: str = "off"

    @property
    def title(self) -> str:
        """The label."""
        return self.label or words.label(self.path)


@dataclass(frozen=True)
class Group:
    """Members that stand together, and the entries of a list."""

    title: str
    members: Sequence[Member] = ()
    entries: str = ""
    hint: str = ""


def choices(values: Sequence[str], *, empty: bool = True) -> Choices:
    """Words of a list with what people read."""
    found = [(value, words.word(value)) for value in values]
    return [("", words.NOTHING), *found] if empty else found


@cache
def countries() -> Choices:
    """All countries by name."""
    return (("", words.NOTHING), *words.country_names().items())


KINDS = choices(ContactPoint.Kind.values, empty=False)
LINES = choices(ContactPoint.PhoneType.values)


def reach(*, is_needed: bool) -> list[Member]:
    """How a person is reached first of all; those that a load brought may have neither."""
    changed = "A changed one is no longer verified."
    return [
        Member("primaryEmail.value", "email", required=is_needed),
        Member("primaryPhoneNumber.number", "tel", required=is_needed),
        Member("primaryPhoneNumber.type", "choice", LINES, required=is_needed),
        Member("primaryPhoneNumber.extension"),
        Member("primaryPhoneNumber.provider"),
        Member("primaryEmail.verified", "flag", label="Verified address", help=changed),
        Member("primaryPhoneNumber.verified", "flag", label="Verified number", help=changed),
    ]


def person() -> list[Member]:
    """Who an individual is."""
    return [
        Member("prefix"),
        Member("firstName", required=True),
        Member("middleName"),
        Member("lastName", required=True),
        Member("suffix"),
        Member("dateOfBirth", "date"),
        Member("placeOfBirth.city"),
        Member("placeOfBirth.countryCode", "choice", countries()),
        Member("citizenshipCountryCode", "choice", countries()),
        Member("sex", "choice", choices(Contact.Sex.values)),
        Member("gender"),
        Member("pronoun"),
    ]


def secrets() -> list[Member]:
    """What is kept sealed of an individual."""
    return [
        Member("socialId", "sealed"),
        Member("socialIdCountryCode", "choice", countries()),
        Member("securityQuestion"),
        Member("securityAnswer", "sealed"),
    ]


POINT = (
    Member("kind", "choice", KINDS, default=ContactPoint.Kind.PHONE),
    Member("value"),
    Member("type", "choice", LINES, label=words.label("primaryPhoneNumber.type")),
    Member("extension"),
    Member("primary", "flag"),
    Member("verified", "flag"),
)


def address() -> list[Member]:
    """An address; lines that few have stand behind the others."""
    return [
        Member(
            "type",
            "choice",
            choices(Address.Type.values, empty=False),
            default=Address.Type.MAILING,
        ),
        Member("streetLine1", required=True),
        Member("streetLine2"),
        Member("cityName"),
        Member("stateCode", help="Its code, such as CA; needed in the USA and Canada."),
        Member("zipCode", required=True),
        Member("countryCode", "choice", countries()),
        Member("primary", "flag"),
        *(Member(f"streetLine{number}") for number in (3, 4, 5)),
        *(Member(f"name.{part}Name") for part in ("first", "middle", "last")),
    ]


# Members of an address that are folded away, and who needs them.
RARE = {
    "More lines": ("streetLine3", "streetLine4", "streetLine5"),
    "Recipient of a shipping address": ("name.firstName", "name.middleName", "name.lastName"),
}


@dataclass(frozen=True)
class Plan:
    """All groups of the form for one type of customer of one business account."""

    kind: str
    groups: Sequence[Group]
    entries: Mapping[str, Sequence[Member]]
    contact_attributes: Sequence[Member] = field(default_factory=list)

    @property
    def members(self) -> list[Member]:
        """The members that are not in lists."""
        return [member for group in self.groups for member in group.members]


def plan_for(
    kind: str,
    account: BusinessAccount,
    *,
    accounts: Sequence[UUID] | None,
    current: Json | None = None,
) -> Plan:
    """The plan for customers of a type and account, as somebody who sees `accounts` may fill it in.

    `current` is the customer object, if there is one: what it has may stay.
    """
    facts = AccountFacts(account, is_held=False)
    target = AttributeDefinition.Target
    of_customers, of_contacts = (
        [attribute(each) for each in facts.definitions.values() if each.target == kind]
        for kind in (target.CUSTOMER, target.CONTACT)
    )
    entries: dict[str, Sequence[Member]] = {ADDRESSES: address(), POINTS: POINT}
    new = [] if current else [Member("externalId", help="Your own id; it can never be changed.")]
    if kind == INDIVIDUAL:
        groups = [
            Group("Person", [*person(), *new]),
            Group("Email and phone", reach(is_needed=not current), POINTS),
            Group("Sensitive", secrets(), hint="Leave a field empty to keep what is stored."),
        ]
    else:
        name = [Member("businessName", required=True), *new]
        names = [Member("firstName", required=True), Member("middleName")]
        last = Member("lastName", required=True)
        entries[CONTACTS] = [*names, last, *reach(is_needed=False), *of_contacts]
        primary = "The primary contact needs an email address, a phone number and its kind of line."
        groups = [Group("Business", name), Group("People", entries=CONTACTS, hint=primary)]
    groups += [
        Group("Addresses", entries=ADDRESSES, hint="Leave a new one empty for none."),
        Group("Relationship", relationship(account, facts, accounts, current)),
    ]
    if of_customers:
        groups.append(Group("Attributes", of_customers))
    return Plan(kind, groups, entries, of_contacts)


def attribute(definition: AttributeDefinition) -> Member:
    """A custom attribute."""
    kind = "sealed" if definition.is_encrypted else "text"
    return Member(f"{ATTRIBUTES}{definition.name}", kind, label=definition.name)


def relationship(
    account: BusinessAccount,
    facts: AccountFacts,
    accounts: Sequence[UUID] | None,
    current: Json | None,
) -> list[Member]:
    """Department, and what the customer is to the company."""
    stored = (current or {}).get("relationship") or {}
    departments = [("", words.NOTHING), *((name, name) for name in sorted(facts.departments))]
    members = [
        Member("department", "choice", departments),
        Member("relationship.role", "choice", choices(Customer.Role.values)),
    ]
    for name, listed in (("level", account.levels), ("industry", account.industries)):
        known = sorted({*listed, stored.get(name, "")} - {""}) if listed else []
        options = [("", words.NOTHING), *((each, each) for each in known)]
        members.append(Member(f"relationship.{name}", "choice" if listed else "text", options))
    return [
        *members,
        Member("relationship.marketSegment"),
        Member("relationship.howReferred", "choice", choices(Customer.Referral.values)),
        Member(
            "relationship.preferredAgentId",
            "choice",
            agents(account, accounts, stored.get("preferredAgentId") or ""),
        ),
        Member("relationship.pin", "sealed"),
        Member("relationship.entitlements", "long"),
    ]


def agents(account: BusinessAccount, accounts: Sequence[UUID] | None, current: str) -> Choices:
    """The employees who may be preferred agents and whom the reader may know."""
    above = BusinessAccount.objects.above(account.pk)
    found = User.objects.filter(business_account__in=above, customer_id=None, is_active=True)
    if accounts is not None:
        found = found.filter(business_account__in=accounts)
    known = {str(user.pk): str(user) for user in found.order_by("name", "email")[:MOST_AGENTS]}
    if current and current not in known:
        known[current] = "As it is"
    return [("", words.NOTHING), *known.items()]
