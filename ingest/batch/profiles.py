"""Who a loaded customer is: its profile members, by the rules of `/v1`.

What those rules require of a new customer may be missing here: `/v2/data` knows fewer members.
"""

from collections.abc import Container, Mapping
from typing import Final, Literal
from uuid import UUID

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.dialects import pointer
from config.api.errors import Problem
from customers import bulk, normalize, phones
from customers.bulk import blank
from customers.facts import AccountFacts
from customers.models import (
    Address,
    Contact,
    ContactPoint,
    Customer,
)
from customers.profile import Profile, stored_profiles
from customers.rules.address import settle_primaries
from customers.rules.contact import merge_view
from customers.rules.customer import merge_customer
from customers.rules.parts import Problems
from customers.rules.points import EMAIL, PHONE
from customers.values import AddressValues, ContactValues, CustomerValues, PrimaryPointValues
from ingest.batch.snapshot import address_id
from ingest.wire.profile import MEMBERS, ProfileBody, ProfileValues
from ingest.wire.schema import CustomerBody

NOTHING: tuple[object, ...] = (None, "", [], {})
FIRST_OF_ITS_KIND: Final[dict[str, Literal["phones", "emails"]]] = {
    PHONE: "phones",
    EMAIL: "emails",
}


def read(customer: CustomerBody) -> Submission[ProfileValues] | None:
    """The profile members of an item; None when none of them says anything.

    Members that are not known are ignored, also within addresses and contacts. An e-mail address
    may be a plain string.
    """
    sent = MEMBERS & customer.model_fields_set
    given = vars(customer)
    members = {name: given[name] for name in sent if given[name] or given[name] not in NOTHING}
    if not members:
        return None
    if isinstance(members.get("emails"), list):
        members["emails"] = [
            {"value": entry} if isinstance(entry, str) else entry for entry in members["emails"]
        ]
    submission = ProfileBody.reader().parse(members)
    submission.problems = [each for each in submission.problems if each.code != "UNKNOWN_FIELD"]
    return submission


class Profiles:
    """The profiles of those customers of a batch that come with profile members.

    An item is merged into a draft. `keep` takes in the draft of a good item, and nothing else of an
    item is ever seen by the others: `kept` has the profiles that are to be saved, by customer.
    """

    def __init__(
        self,
        facts: AccountFacts,
        actor: Actor,
        wanted: Mapping[str, str],
        known: Container[str],
    ) -> None:
        """Load them; `wanted` are the source ids by id, of new customers and of those `known`."""
        self.facts = facts
        self.account = facts.account
        self.actor = actor
        self.wanted = wanted
        # Ids are made of the account's. To name it, too, would let an index of all its customers
        # look cheaper than their keys, while PostgreSQL does not know yet how many they are.
        ids = [each for each in wanted if each in known]
        found = stored_profiles(Customer.objects.filter(id__any=ids))
        self.stored = {str(pk): stored for pk, stored in found.items()}
        self.kept: dict[str, Profile] = {}

    def draft(self, customer_id: str | None) -> Profile:
        """The profile of a customer as it is by now, to be changed; None stands for no customer."""
        if kept := self.kept.get(customer_id or ""):
            return kept.draft()
        if stored := self.stored.get(customer_id or ""):
            return stored.profile(self.facts)
        customer = blank(Customer)
        bulk.refer(customer, "business_account", self.account)
        if customer_id is not None:
            customer.id = UUID(customer_id)
            customer.external_id = self.wanted.get(customer_id, "")
        return Profile(customer, self.account, is_new=True, facts=self.facts)

    def merge(
        self, customer_id: str | None, submission: Submission[ProfileValues], at: str
    ) -> tuple[Profile, list[Problem]]:
        """A draft with what was sent, and every wrong place, as pointers below `at`."""
        profile = self.draft(customer_id)
        values = submission.values.copy()
        extra = {kind: values.pop(name, None) for kind, name in FIRST_OF_ITS_KIND.items()}
        problems = Problems(list(submission.problems))
        was_new, profile.is_new = profile.is_new, False
        if was_new and not profile.customer.type:
            customer = profile.customer
            customer.type = values.get("type") or Customer.Type.INDIVIDUAL
            if customer.type != Customer.Type.INDIVIDUAL and not values.get("business_name"):
                problems.require("businessName")
        name_contacts(profile, values.get("contacts"))
        may_lack = street_lines(values.get("addresses"))
        sent: Submission[CustomerValues] = Submission(values)
        for problem in merge_customer(profile, sent, self.actor):
            if problem.code == "UNKNOWN_FIELD":
                continue
            if problem.code != "REQUIRED" or problem.path not in may_lack:
                problems.add(problem.path, problem.message, problem.code)
        profile.first_contact()
        for kind, entries in extra.items():
            merge_points(profile, kind, entries or [], self.actor, problems)
        profile.is_new = was_new
        return profile, [
            problem._replace(path=at + pointer(problem), extra={}) for problem in problems.found
        ]

    def keep(self, customer_id: str, draft: Profile) -> bool:
        """Take in the draft of a good item; whether it differs from what is stored."""
        draft.derive()
        self.kept[customer_id] = draft
        return draft.is_new or draft.is_dirty()


def set_address(profile: Profile, zip_code: str, country: str) -> None:
    """Bring the address that is made of postal code and country up to date.

    None is made beside a full address of that country, or one with the same postal code.
    """
    is_there = any(
        each.country == country and (each.street_line_1 or each.zip_code == zip_code)
        for each in profile.addresses
    )
    if is_there and profile.is_new:
        return
    wanted = UUID(address_id(str(profile.customer.pk)))
    address = next((each for each in profile.addresses if each.id == wanted), None)
    if address is None:
        if is_there:
            return
        address = blank(Address)
        address.id, address.type = wanted, Address.Type.MAILING
        profile.add(address)
    address.zip_code = zip_code
    address.state = kept_state(address.state, address.country, country)
    address.country = country
    settle_primaries(profile, {})


def street_lines(entries: list[AddressValues | None] | None) -> set[str]:
    """The street lines that `/v1` requires and `/v2/data` does not: those of new addresses."""
    return {
        f"addresses[{index}].streetLine1"
        for index, entry in enumerate(entries or [])
        if entry is not None and not entry.get("id")
    }


def kept_state(state: str, before: str, after: str) -> str:
    """A subdivision, as long as it stands in the same country."""
    return state if before == after else ""


def name_contacts(profile: Profile, entries: list[ContactValues | None] | None) -> None:
    """Find out which contacts are meant: a feed knows no ids, but the same names.

    One of them is primary: if nobody says which, the first.
    """
    if not entries:
        return
    free = {contact.id: contact for contact in profile.contacts}
    for entry in entries:
        if entry is None or entry.get("id"):
            continue
        name = full_name(entry.get("first_name"), entry.get("middle_name"), entry.get("last_name"))
        twin = next((each for each in free.values() if name_of(each) == name), None)
        if twin is not None:
            entry["id"] = twin.id
            del free[twin.id]
    given = [entry for entry in entries if entry is not None]
    has_primary = any(each.is_primary for each in profile.contacts)
    if given and not has_primary and not any(entry.get("is_primary") for entry in given):
        given[0]["is_primary"] = True


def name_of(contact: Contact) -> tuple[str, ...]:
    """The names of a stored contact as they are compared."""
    return full_name(contact.first_name, contact.middle_name, contact.last_name)


def full_name(*names: str | None) -> tuple[str, ...]:
    """The names of a contact as they are compared."""
    return tuple(normalize.fold(name or "") for name in names)


def merge_points(
    profile: Profile,
    kind: str,
    entries: list[PrimaryPointValues | None],
    actor: Actor,
    problems: Problems,
) -> None:
    """Merge the phone numbers or e-mail addresses of the primary contact; others stay.

    The one that is marked becomes the primary one; the first does if there is none.
    """
    contact = next((each for each in profile.contacts if each.is_primary), profile.contacts[0])
    region = profile.account.default_region
    for index, entry in enumerate(entries):
        if entry is None:
            continue
        values = entry
        place = problems.at(f"{FIRST_OF_ITS_KIND[kind]}[{index}]")
        given = values.get("value")
        point = known_point(profile, contact, kind, given, region)
        if point is None:
            point = blank(ContactPoint)
            point.contact_id, point.kind = contact.id, kind
            profile.add(point)
        elif point.value == given:
            # As it is known already: it need not be read once more.
            values = entry.copy()
            del values["value"]
        merge_view(point, values, region, actor, place)
        primary = profile.primary_point(contact, kind)
        if primary is None or values.get("is_primary"):
            if primary is not None:
                primary.is_primary = False
            point.is_primary = True


def known_point(
    profile: Profile, contact: Contact, kind: str, given: str | None, region: str
) -> ContactPoint | None:
    """The point that a contact has with this value already."""
    rows: list[ContactPoint] = profile.rows[ContactPoint]
    points = [each for each in rows if each.contact_id == contact.id and each.kind == kind]
    if not points or not given:
        return None
    for point in points:
        if point.value == given:
            return point
    try:
        if kind == PHONE:
            key = phones.digits_of(phones.parse(given, region))
        else:
            key = normalize.email_key(given)
    except ValueError:
        return None
    return next((point for point in points if point.value_key == key), None)
