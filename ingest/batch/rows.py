"""A customer of a list: a profile without programme data, merged by the rules of `/v1`.

What those rules require of a new customer may be missing. A name, phone number or e-mail address of
a business is that of its primary contact.
"""

from typing import cast

from config.api.bodies import Submission
from config.api.card_numbers import pointer_of
from config.api.errors import Problem
from customers.models import Address, Contact, ContactPoint, Customer
from customers.profile import Profile
from customers.rules.contact import merge_reach
from customers.rules.customer import merge_customer
from customers.rules.parts import Problems
from customers.rules.person import merge_names
from customers.rules.points import PHONE
from customers.values import (
    AddressValues,
    CustomerValues,
    NameValues,
    PointValues,
    ReachValues,
)
from ingest.batch.profiles import Profiles
from ingest.wire.row import RowValues

OF_A_CUSTOMER = frozenset(
    {"type", "business_name", "date_of_birth", "department", "metadata", "attributes"}
)
OF_A_PERSON = frozenset({"first_name", "middle_name", "last_name"})
OF_AN_ADDRESS = frozenset(
    {"street_line_1", "street_line_2", "city", "state", "country", "zip_code"}
)
# Where the rules find something wrong, and the column that it came from.
COLUMNS = {
    "primaryEmail": "email",
    "primaryEmail.value": "email",
    "primaryPhoneNumber": "phone",
    "primaryPhoneNumber.number": "phone",
    "primaryPhoneNumber.type": "phoneType",
    "addresses[0].type": "addressType",
}
STARTS = {"addresses[0].": "", "customAttributes.": "attribute."}


def merge_row(
    profiles: Profiles, customer_id: str, submission: Submission[RowValues]
) -> tuple[Profile, list[Problem]]:
    """A draft of the customer with what a row says, and every wrong place, by column."""
    profile = profiles.draft(customer_id)
    problems = Problems(list(submission.problems))
    row = submission.values
    # A new one may lack what a client of `/v1` has to send.
    was_new, profile.is_new = profile.is_new, False
    customer = profile.customer
    if was_new:
        customer.type = row.get("type") or likely_type(row)
        if customer.type != Customer.Type.INDIVIDUAL and not row.get("business_name"):
            problems.require("businessName")
    values = cast("CustomerValues", picked(row, OF_A_CUSTOMER))
    names = cast("NameValues", picked(row, OF_A_PERSON))
    reach = reach_of(profile, row)
    if customer.type == Customer.Type.INDIVIDUAL:
        values = {**values, **names, **reach}
    may_lack = set()
    if address := address_of(profile, row):
        values["addresses"] = [address]
        if "id" not in address:
            may_lack.add("addresses[0].streetLine1")
    for problem in merge_customer(profile, Submission(values), profiles.actor):
        if problem.code != "REQUIRED" or problem.path not in may_lack:
            problems.add(problem.path, problem.message, problem.code)
    contact = main_contact(profile)
    if customer.type != Customer.Type.INDIVIDUAL:
        merge_names(contact, names, problems, is_new=False)
        merge_reach(profile, contact, reach, profiles.actor, problems, needed=False, is_new=False)
    profile.is_new = was_new
    return profile, [
        each._replace(path=pointer_of([column_of(each.path)]), extra={}) for each in problems.found
    ]


def picked(row: RowValues, names: frozenset[str]) -> dict[str, object]:
    """Some of the values of a row."""
    return {name: value for name, value in row.items() if name in names}


def likely_type(row: RowValues) -> str:
    """What a new customer is when nobody says it."""
    return Customer.Type.BUSINESS if row.get("business_name") else Customer.Type.INDIVIDUAL


def main_contact(profile: Profile) -> Contact:
    """The primary contact; one is made where there is none."""
    return next((each for each in profile.contacts if each.is_primary), profile.first_contact())


def reach_of(profile: Profile, row: RowValues) -> ReachValues:
    """The primary e-mail address and phone number as `/v1` has them; None to clear one.

    A new number of which nobody says the type is a mobile phone, or at work for a business.
    """
    reach: ReachValues = {}
    if "email" in row:
        reach["email"] = {"value": row["email"]} if row["email"] else None
    kind = row.get("phone_type")
    if "phone" in row and not row["phone"]:
        reach["phone"] = None
    elif "phone" in row or kind:
        contact = next((each for each in profile.contacts if each.is_primary), None)
        if not kind and (contact is None or profile.primary_point(contact, PHONE) is None):
            is_person = profile.customer.type == Customer.Type.INDIVIDUAL
            kind = ContactPoint.PhoneType.MOBILE if is_person else ContactPoint.PhoneType.WORK
        point: PointValues = {"value": row["phone"]} if "phone" in row else {}
        reach["phone"] = {**point, "phone_type": kind} if kind else point
    return reach


def address_of(profile: Profile, row: RowValues) -> AddressValues | None:
    """The primary address of its type with what a row says of it, or a new one."""
    given = cast("AddressValues", picked(row, OF_AN_ADDRESS))
    if not given:
        return None
    kind = row.get("address_type") or Address.Type.MAILING
    known = (each for each in profile.addresses if each.type == kind and each.is_primary)
    primary = next(known, None)
    return {"type": kind, **given} if primary is None else {"id": primary.id, **given}


def column_of(path: str) -> str:
    """The column that a wrong place of the rules came from."""
    if path in COLUMNS:
        return COLUMNS[path]
    for start, instead in STARTS.items():
        if path.startswith(start):
            return instead + path.removeprefix(start)
    return path
