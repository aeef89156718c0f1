"""What a customer's page tells: the customer object, enrollment, accounts and cards, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from config.api.json import Json
from customers import words
from customers.admin.customer_edit import MASK, masks_of
from customers.models import Account, Activity, AttributeDefinition, Card, Customer, Enrollment
from customers.timeline import Timeline

MOST_ACCOUNTS = 50
PERSON = (
    "prefix",
    "firstName",
    "middleName",
    "lastName",
    "suffix",
    "dateOfBirth",
    "placeOfBirth.city",
    "placeOfBirth.countryCode",
    "citizenshipCountryCode",
    "sex",
    "gender",
    "pronoun",
    "socialId",
    "socialIdCountryCode",
    "securityQuestion",
    "securityAnswer",
)
RELATIONSHIP = (
    "role",
    "level",
    "industry",
    "marketSegment",
    "howReferred",
    "preferredAgentId",
    "pin",
    "entitlements",
)
ENROLLMENT = {
    "organization_id": "organizationId",
    "enrollment_opt_in_status": "enrollmentOptInStatus",
    "customer_creation_date": "customerCreationDate",
    "enrollment_start_date": "enrollmentStartDate",
    "enrollment_end_date": "enrollmentEndDate",
    "alert_opt_in_status": "alertOptInStatus",
    "targeting_indicator": "targetingIndicator",
    "redemption_eligibility": "redemptionEligibility",
    "source_parent_customer_id": "sourceParentCustomerId",
}


@dataclass(frozen=True)
class Fact:
    """A member in words; a sealed one has the path by which its value is revealed."""

    label: str
    value: str
    sealed: str = ""


@dataclass
class Person:
    """A contact with all ways to reach it."""

    name: str
    is_primary: bool
    points: Sequence[Json]
    facts: list[Fact] = field(default_factory=list)


class Facts:
    """The customer object in words."""

    def __init__(self, customer: Customer, stored: Json, timeline: Timeline) -> None:
        self.customer = customer
        self.stored = stored
        self.masks = masks_of(stored)
        self.agent = customer.preferred_agent
        self.accounts = timeline.accounts
        target = AttributeDefinition.Target
        encrypted = AttributeDefinition.objects.filter(
            business_account=customer.business_account_id, is_encrypted=True
        ).values_list("target", "name")
        self.encrypted: dict[str, set[str]] = {kind: set() for kind in target.values}
        for kind, name in encrypted:
            self.encrypted[kind].add(name)
        contacts = list(customer.contacts.all())
        self.sealed = {
            "relationship.pin": customer.pin_sealed is not None,
            "socialId": any(each.social_id_sealed is not None for each in contacts),
            "securityAnswer": any(each.security_answer_sealed is not None for each in contacts),
        }
        self.has_sealed = any(self.sealed.values())

    def profile(self) -> list[Fact]:
        """What the customer is, and who."""
        stored = self.stored
        facts = [Fact("Business name", stored["businessName"])] if "contacts" in stored else []
        for path in PERSON if not facts else ():
            facts += self.fact(path, get(stored, path))
        return facts + [fact for path in ("externalId",) for fact in self.fact(path, stored[path])]

    def relationship(self) -> list[Fact]:
        """What the customer is to the company."""
        facts = self.fact("department", self.stored["department"])
        for name in RELATIONSHIP:
            value = self.stored["relationship"][name]
            if name == "preferredAgentId" and value:
                value = self.agent_name()
            facts += self.fact(f"relationship.{name}", value)
        return facts

    def agent_name(self) -> str:
        """The preferred agent, for whom may know who works there."""
        is_known = self.agent is not None and (
            self.accounts is None or self.agent.business_account_id in self.accounts
        )
        return str(self.agent) if is_known else "Somebody of another business account"

    def fact(self, path: str, value: object) -> list[Fact]:
        """A member in words; nothing for one that is not set."""
        if path in self.sealed:
            if not self.sealed[path]:
                return []
            return [Fact(words.label(path), self.masks[path] or MASK, path)]
        text = words.in_words(path, value)
        return [] if text == words.NOTHING else [Fact(words.label(path), text)]

    def attributes(self, values: Mapping[str, str], contact_id: str) -> list[Fact]:
        """Custom attributes of the customer, or of a contact."""
        target = AttributeDefinition.Target
        encrypted = self.encrypted[target.CONTACT if contact_id else target.CUSTOMER]
        place = f"contacts.{contact_id}." if contact_id else ""
        facts = []
        for name, value in values.items():
            if name in encrypted:
                self.has_sealed = True
                facts.append(Fact(name, MASK, f"{place}customAttributes.{name}"))
            else:
                facts.append(Fact(name, value))
        return facts

    def people(self) -> list[Person]:
        """The contacts; of an individual the one that it is."""
        stored = self.stored
        if "contacts" not in stored:
            points = [point(each) for each in stored["contactPoints"]]
            return [Person(self.customer.name, False, points)] if points else []
        return [
            Person(
                full_name(each),
                each["primary"],
                [point(one) for one in each["contactPoints"]],
                self.attributes(each["customAttributes"], each["id"]),
            )
            for each in stored["contacts"]
        ]


def full_name(contact: Json) -> str:
    """The name of a contact."""
    return " ".join(filter(None, (contact[f"{part}Name"] for part in ("first", "middle", "last"))))


def get(stored: Json, path: str) -> object:
    """A member by its path."""
    outer, _, inner = path.partition(".")
    value = stored.get(outer)
    return (value or {}).get(inner) if inner else value


ICONS = {"PHONE": "call", "EMAIL": "mail"}


def point(stored: Json) -> Json:
    """A contact point in words."""
    kind = stored["kind"]
    line = words.word(stored["type"]) if stored.get("type") else ""
    extension = f"ext. {stored['extension']}" if stored.get("extension") else ""
    return {
        "kind": words.word(kind),
        "icon": ICONS.get(kind, "alternate_email"),
        "href": {"PHONE": "tel:", "EMAIL": "mailto:"}.get(kind, "") + stored["value"]
        if kind in ICONS
        else "",
        "value": stored["value"],
        "notes": ", ".join(filter(None, [line, extension, stored.get("provider", "")])),
        "is_primary": stored.get("primary", False),
        "is_verified": stored["verified"],
    }


def place(stored: Json) -> Json:
    """An address as it stands on an envelope."""
    recipient = stored.get("name") or {}
    lines = [" ".join(filter(None, recipient.values()))]
    lines += [stored[f"streetLine{number}"] for number in range(1, 6)]
    town = " ".join(filter(None, [stored["stateCode"], stored["zipCode"]]))
    lines.append(", ".join(filter(None, [stored["cityName"], town])))
    lines.append(words.country_name(stored["countryCode"] or ""))
    return {
        "kind": words.word(stored["type"]),
        "is_primary": stored["primary"],
        "lines": [line for line in lines if line],
    }


def enrollment_of(customer: Customer) -> list[Fact]:
    """How the customer takes part in the programme."""
    row = Enrollment.objects.filter(customer=customer).first()
    if row is None:
        return []
    facts = []
    for column, member in ENROLLMENT.items():
        value = getattr(row, column)
        shown = words.moment(value) if hasattr(value, "tzinfo") else words.in_words(member, value)
        if shown != words.NOTHING:
            facts.append(Fact(words.label(member), shown))
    return facts


def accounts_of(customer: Customer) -> list[tuple[Account, list[Card]]]:
    """The accounts with the cards on them, newest first."""
    cards: dict[UUID, list[Card]] = {}
    for card in Card.objects.filter(customer=customer).order_by("-open_date", "id"):
        cards.setdefault(card.account_id, []).append(card)
    accounts = Account.objects.filter(customer=customer).order_by("-open_date", "id")
    return [(account, cards.get(account.id, [])) for account in accounts[:MOST_ACCOUNTS]]


def shown_activity(activity: Activity) -> dict[str, object]:
    """An activity in words."""
    return {
        "id": activity.id,
        "subject": activity.subject or "(no subject)",
        "kind": words.word(activity.type),
        "direction": words.word(activity.mode).lower(),
        "is_inbound": activity.mode == Activity.Mode.INBOUND,
        "is_read": activity.is_read,
        "is_secure": activity.is_secure,
        "sent_date": activity.sent_date,
    }


def local_minute(at: datetime) -> str:
    """A date-time in the operator's zone, as a box for date and time has it."""
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"
