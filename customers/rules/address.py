"""Addresses: merging, the primary one of each type, countries and their subdivisions."""

from collections.abc import Mapping
from operator import attrgetter
from uuid import UUID

from config.api.json import camel
from customers import normalize
from customers.bulk import blank
from customers.models import Address
from customers.profile import Profile
from customers.rules.parts import Problems, check_required, known_row, set_country, set_texts
from customers.values import AddressValues, NameValues

LINES = tuple(f"street_line_{number}" for number in range(1, 6))
NOBODY: NameValues = {"first_name": None, "middle_name": None, "last_name": None}
WITH_STATES = frozenset({"USA", "CAN"})


def merge_addresses(
    profile: Profile, entries: list[AddressValues | None] | None, problems: Problems
) -> None:
    """Merge the entries of `addresses`; those that are not named stay."""
    if entries is None:
        problems.add("", "Addresses are removed one by one, by DELETE.", "INVALID")
        return
    known = {address.id: address for address in profile.addresses}
    named: set[UUID] = set()
    marked: dict[str, Address] = {}
    for index, values in enumerate(entries):
        if values is None:
            continue
        place = problems.at(f"[{index}]")
        address_id = values.get("id")
        if address_id is None:
            address = add_address(profile, values, place)
        elif row := known_row(address_id, known, named, place, "address"):
            address = row
            merge_address(address, values, place, is_new=False)
        else:
            continue
        if values.get("is_primary") is False:
            address.is_primary = False
        elif values.get("is_primary") and marked.setdefault(address.type, address) is not address:
            message = f"Another address of type {address.type} is marked as primary."
            place.add("primary", message, "DUPLICATE_PRIMARY")
    settle_primaries(profile, marked)


def add_address(profile: Profile, values: AddressValues, problems: Problems) -> Address:
    """Take in an address, unless an equal one is there already: that one is given then."""
    address = blank(Address)
    merge_address(address, values, problems, is_new=True)
    if twin := equal_address(profile, address):
        merge_recipient(twin, values, problems)
        return twin
    profile.add(address)
    return address


def merge_address(
    address: Address, values: AddressValues, problems: Problems, *, is_new: bool
) -> None:
    """Merge one entry; cross rules are checked on what comes of it.

    An address that was loaded without a subdivision may be sent back as it is.
    """
    region = address.country, address.state
    for name, member in (
        ("type", "type"),
        ("street_line_1", "streetLine1"),
        ("zip_code", "zipCode"),
    ):
        check_required(address, name, values, problems, member, is_new=is_new)
    if kind := values.get("type"):
        address.type = kind
    set_texts(address, values, [*LINES, "city", "state", "zip_code"])
    if "country" in values:
        set_country(address, "country", values["country"], problems, "countryCode")
    merge_recipient(address, values, problems)
    if is_new or (address.country, address.state) != region:
        check_state(address, problems)
    for line in LINES if address.type == Address.Type.PHYSICAL else ():
        if normalize.is_po_box(getattr(address, line)):
            problems.add(camel(line), "A physical address cannot be a PO box.", "PO_BOX")


def merge_recipient(address: Address, values: AddressValues, problems: Problems) -> None:
    """Only parcels have a recipient; for the other types the member is ignored, right or wrong."""
    names = NOBODY.keys()
    if address.type != Address.Type.SHIPPING:
        set_texts(address, NOBODY, names)
        return
    for problem in values.get("recipient_problems", ()):
        if problem not in problems.found:
            problems.found.append(problem)
    if "recipient" in values:
        recipient = values["recipient"]
        set_texts(address, NOBODY if recipient is None else recipient, names)
    if "recipient" in values or "type" in values:
        for name in ("first_name", "last_name"):
            if not getattr(address, name):
                problems.require(f"name.{camel(name)}")


def check_state(address: Address, problems: Problems) -> None:
    """A subdivision belongs to its country; the United States and Canada need one."""
    if not address.state:
        if address.country in WITH_STATES:
            message = f"This is required when countryCode is {address.country}."
            problems.add("stateCode", message, "REQUIRED")
    elif address.country:
        try:
            normalize.check_subdivision(address.state, address.country)
        except ValueError as error:
            problems.add("stateCode", str(error), "UNKNOWN_SUBDIVISION")


def equal_address(profile: Profile, address: Address) -> Address | None:
    """An address that is there already: same type, lines, city, state, country and zip."""
    key = address_key(address)
    return next((each for each in profile.addresses if address_key(each) == key), None)


# What two equal addresses share.
address_key = attrgetter("type", *LINES, "city", "state", "country", "zip_code")


def settle_primaries(profile: Profile, marked: Mapping[str, Address]) -> None:
    """Exactly one primary for each type that is present.

    The one that a request marks takes over; otherwise the one there is stays, also when the primary
    one of another type becomes one of this; otherwise the oldest is promoted. One that was unmarked
    yields to the oldest other, and stays if there is no other.
    """
    for kind in {address.type for address in profile.addresses}:
        present = [address for address in profile.addresses if address.type == kind]
        primary = [address for address in present if address.is_primary]
        if len(primary) > 1:
            primary.sort(key=lambda address: not was_primary(profile, address))
        chosen = marked.get(kind) or next(iter(primary), None)
        if chosen is None:
            unmarked = [a for a in present if not was_primary(profile, a)]
            chosen = (unmarked or present)[0]
        for address in present:
            address.is_primary = address is chosen


def was_primary(profile: Profile, address: Address) -> bool:
    """Whether the address is its type's primary in the database."""
    was_primary = bool(profile.was(address, "is_primary"))
    return was_primary and profile.was(address, "type") == address.type
