"""Who a loaded customer is: its profile members, by the rules of `/v1`.

What those rules require of a new customer may be missing here: `/v2/data` knows fewer members.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from config.actors import Actor
from config.bodies import Submission
from config.dialects import pointer
from config.errors import Problem
from customers import normalize
from customers.models import Address, BusinessAccount, Contact, ContactPoint, Customer
from customers.profile import Profile
from customers.rules.address import settle_primaries
from customers.rules.contact import EMAIL, PHONE, merge_email, merge_phone
from customers.rules.customer import merge_customer
from customers.rules.parts import Problems
from ingest.schema import CustomerBody
from ingest.serializers import MEMBERS, ProfileBody
from ingest.state import address_id

NOTHING: tuple[Any, ...] = (None, "", [], {})
FIRST_OF_ITS_KIND = {PHONE: "phones", EMAIL: "emails"}


@cache
def body() -> ProfileBody:
    """The reader of profile members; making one is slow."""
    return ProfileBody()


def read(customer: CustomerBody) -> Submission | None:
    """The profile members of an item; None when none of them says anything.

    Members that are not known are ignored, also within addresses and contacts. An e-mail address
    may be a plain string.
    """
    sent = MEMBERS & customer.model_fields_set
    members = {name: value for name in sent if (value := getattr(customer, name)) not in NOTHING}
    if not members:
        return None
    if isinstance(members.get("emails"), list):
        members["emails"] = [
            {"value": entry} if isinstance(entry, str) else entry for entry in members["emails"]
        ]
    submission = body().parse(members)
    submission.problems = [each for each in submission.problems if each.code != "UNKNOWN_FIELD"]
    return submission


class People:
    """The profiles of those customers of a batch that come with profile members."""

    def __init__(self, account: BusinessAccount, actor: Actor, wanted: Mapping[str, str]) -> None:
        """Load them; `wanted` are the source ids of the customers, new and known, by id."""
        self.account = account
        self.actor = actor
        known = Customer.objects.filter(pk__in=wanted, business_account=account)
        found = Profile.load_all(list(known), account) if wanted else {}
        self.profiles = {str(pk): profile for pk, profile in found.items()}
        definitions: Any = None
        for customer_id, source_id in wanted.items():
            if customer_id not in self.profiles:
                customer = Customer(id=customer_id, business_account=account, external_id=source_id)
                self.profiles[customer_id] = Profile(customer, account, is_new=True)
        for profile in self.profiles.values():
            definitions = profile.share_definitions(definitions)

    def merge(self, customer_id: str, submission: Submission, at: str) -> list[Problem]:
        """Merge what was sent; gives every wrong place, as pointers below `at`."""
        profile = self.profiles[customer_id]
        values = dict(submission.values)
        extra = {kind: values.pop(name, None) for kind, name in FIRST_OF_ITS_KIND.items()}
        problems = Problems(list(submission.problems))
        was_new, profile.is_new = profile.is_new, False
        if was_new:
            customer = profile.customer
            customer.type = values.get("type") or Customer.Type.INDIVIDUAL
            if customer.type != Customer.Type.INDIVIDUAL and not values.get("business_name"):
                problems.require("businessName")
        name_contacts(profile, values.get("contacts"))
        for problem in merge_customer(profile, Submission(values), self.actor):
            problems.add(problem.path, problem.message, problem.code)
        if not profile.contacts:
            profile.add(Contact(is_primary=True))
        for kind, entries in extra.items():
            merge_points(profile, kind, entries or [], self.actor, problems)
        profile.is_new = was_new
        return [
            problem._replace(path=at + pointer(problem), extra={}) for problem in problems.found
        ]

    def set_address(self, customer_id: str, zip_code: str, country: str) -> None:
        """Bring the address that is made of postal code and country up to date."""
        profile = self.profiles[customer_id]
        wanted = UUID(address_id(customer_id))
        address = next((each for each in profile.addresses if each.id == wanted), None)
        if address is None:
            address = Address(id=wanted, type=Address.Type.MAILING)
            profile.add(address)
        address.zip_code = zip_code
        address.state = kept_state(address.state, address.country, country)
        address.country = country
        settle_primaries(profile, {})

    def changed(self, customers: Iterable[str]) -> list[Profile]:
        """The profiles of these customers that differ from the database."""
        found = [self.profiles[each] for each in customers if each in self.profiles]
        for profile in found:
            profile.derive()
        return [profile for profile in found if profile.is_new or profile.is_dirty()]


def kept_state(state: str, before: str, after: str) -> str:
    """A subdivision, as long as it stands in the same country."""
    return state if before == after else ""


def name_contacts(profile: Profile, entries: list[dict[str, Any] | None] | None) -> None:
    """Find out which contacts are meant: a feed knows no ids, but the same names.

    One of them is primary: if nobody says which, the first.
    """
    free = {contact.id: contact for contact in profile.contacts}
    for entry in entries or []:
        if entry is None or entry.get("id"):
            continue
        name = full_name(entry)
        twin = next((each for each in free.values() if full_name(vars(each)) == name), None)
        if twin is not None:
            entry["id"] = twin.id
            del free[twin.id]
    given = [entry for entry in entries or [] if entry is not None]
    has_primary = any(each.is_primary for each in profile.contacts)
    if given and not has_primary and not any(entry.get("is_primary") for entry in given):
        given[0]["is_primary"] = True


def full_name(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a contact as they are compared."""
    names = ("first_name", "middle_name", "last_name")
    return tuple(normalize.fold(values.get(name) or "") for name in names)


def merge_points(
    profile: Profile,
    kind: str,
    entries: list[dict[str, Any] | None],
    actor: Actor,
    problems: Problems,
) -> None:
    """Merge the phone numbers or e-mail addresses of the primary contact; others stay.

    The one that is marked becomes the primary one; the first does if there is none.
    """
    contact = next((each for each in profile.contacts if each.is_primary), profile.contacts[0])
    region = profile.account.default_region
    for index, values in enumerate(entries):
        if values is None:
            continue
        place = problems.at(f"{FIRST_OF_ITS_KIND[ContactPoint.Kind(kind)]}[{index}]")
        point = known_point(profile, contact, kind, values, region)
        if point is None:
            point = ContactPoint(contact_id=contact.id, kind=kind)
            profile.add(point)
        if kind == PHONE:
            merge_phone(point, values, region, actor, place)
        else:
            merge_email(point, values, actor, place)
        primary = profile.primary_point(contact, kind)
        if primary is None or values.get("is_primary"):
            if primary is not None:
                primary.is_primary = False
            point.is_primary = True


def known_point(
    profile: Profile, contact: Contact, kind: str, values: Mapping[str, Any], region: str
) -> ContactPoint | None:
    """The point that a contact has with this value already."""
    given = values.get("number" if kind == PHONE else "value") or ""
    try:
        if kind == PHONE:
            key = normalize.phone_digits(normalize.parse_phone(given, region))
        else:
            key = normalize.email_key(given)
    except ValueError:
        return None
    points: list[ContactPoint] = profile.rows[ContactPoint]
    for point in points:
        if (point.contact_id, point.kind, point.value_key) == (contact.id, kind, key):
            return point
    return None
