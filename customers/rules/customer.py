"""A customer as a whole: what its type allows, what never changes, and its parts in turn."""

from typing import Final, Literal

from config.api import text
from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import Conflict, Problem
from customers import normalize
from customers.models import Customer
from customers.profile import Profile
from customers.rules.address import merge_addresses
from customers.rules.attributes import merge_attributes, merge_metadata
from customers.rules.contact import merge_contacts, merge_reach
from customers.rules.parts import Problems
from customers.rules.person import merge_person
from customers.rules.relationship import merge_department, merge_relationship
from customers.values import CustomerValues

OF_INDIVIDUALS = {
    "prefix": "prefix",
    "first_name": "firstName",
    "middle_name": "middleName",
    "last_name": "lastName",
    "suffix": "suffix",
    "sex": "sex",
    "gender": "gender",
    "pronoun": "pronoun",
    "security_question": "securityQuestion",
    "security_answer": "securityAnswer",
    "phone": "primaryPhoneNumber",
    "phone_alias": "primaryPhonenumber",
    "email": "primaryEmail",
    "contact_points": "contactPoints",
    "date_of_birth": "dateOfBirth",
    "birth_place": "placeOfBirth",
    "social_id": "socialId",
    "social_id_country": "socialIdCountryCode",
    "citizenship_country": "citizenshipCountryCode",
}
OF_BUSINESSES = {
    "business_name": "businessName",
    "business_name_alias": "doingBusinessAsName",
    "contacts": "contacts",
}
BUSINESS_NAMES: Final[tuple[Literal["business_name", "business_name_alias"], ...]] = (
    "business_name",
    "business_name_alias",
)


def merge_customer(
    profile: Profile, submission: Submission[CustomerValues], actor: Actor
) -> list[Problem]:
    """Merge a request into a profile; gives every wrong place, those of the submission first."""
    problems = Problems(list(submission.problems))
    values = submission.values
    customer = profile.customer
    check_fixed(profile, values, problems)
    if customer.type:
        merge_own(profile, values, actor, problems)
    if "addresses" in values:
        merge_addresses(profile, values["addresses"], problems.at("addresses"))
    if "metadata" in values:
        merge_metadata(profile, values["metadata"], problems.at("metadata"))
    if "attributes" in values:
        merge_attributes(profile, values["attributes"], problems.at("customAttributes"))
    if "department" in values:
        merge_department(profile, values["department"], problems)
    if "relationship" in values:
        merge_relationship(profile, values["relationship"], problems.at("relationship"))
    return problems.found


def merge_own(profile: Profile, values: CustomerValues, actor: Actor, problems: Problems) -> None:
    """Merge the members that only customers of this type have."""
    refuse_other_type(profile.customer, values, problems)
    if profile.customer.type == Customer.Type.INDIVIDUAL:
        person = profile.first_contact()
        merge_person(profile, person, values, problems)
        is_new = profile.is_new
        merge_reach(profile, person, values, actor, problems, needed=True, is_new=is_new)
    else:
        merge_business_name(profile, values, problems)
        if profile.is_new or "contacts" in values:
            merge_contacts(profile, values.get("contacts"), actor, problems.at("contacts"))


def check_fixed(profile: Profile, values: CustomerValues, problems: Problems) -> None:
    """Type, status and external id: set at creation, and otherwise accepted when they are equal."""
    customer = profile.customer
    given = values.get("type")
    if profile.is_new:
        customer.type = given or ""
        if not given:
            problems.require("type")
        if values.get("status") not in {None, "", Customer.Status.ACTIVE}:
            problems.add("status", "A new customer is ACTIVE.", "READ_ONLY")
        external_id = values.get("external_id")
        if external_id and not (text.is_one_line(external_id) and text.is_visible(external_id)):
            problems.add("externalId", normalize.BAD_ID, "INVALID_CHARACTER")
        return
    if given and given != customer.type:
        problems.add("type", f"This customer is {customer.type}; that never changes.", "IMMUTABLE")
    if values.get("status") not in {None, "", customer.status}:
        message = "The status is changed by suspend, activate and DELETE."
        problems.add("status", message, "READ_ONLY")
    if "external_id" in values and (values["external_id"] or "") != customer.external_id:
        raise Conflict(
            "The external id is given at creation and never changes.",
            code="EXTERNAL_ID_IMMUTABLE",
            problems=[Problem("externalId", "This never changes.", "EXTERNAL_ID_IMMUTABLE")],
        )


def refuse_other_type(customer: Customer, values: CustomerValues, problems: Problems) -> None:
    """Members of the other type of customer are wrong, unless they are empty."""
    is_individual = customer.type == Customer.Type.INDIVIDUAL
    for name, member in (OF_BUSINESSES if is_individual else OF_INDIVIDUALS).items():
        if values.get(name):
            message = f"A customer of type {customer.type} does not have this."
            problems.add(member, message, "NOT_FOR_THIS_TYPE")


def merge_business_name(profile: Profile, values: CustomerValues, problems: Problems) -> None:
    """The business name, under either of its two names.

    A client that changes one of the two and sends back the other as it was means the change.
    """
    sent = {values[name] or "" for name in BUSINESS_NAMES if name in values}
    if len(sent) > 1 and not profile.is_new:
        sent.discard(profile.customer.business_name)
    if len(sent) > 1:
        message = "This contradicts businessName, which is the same member."
        problems.add("doingBusinessAsName", message, "CONTRADICTION")
        return
    if sent:
        profile.customer.business_name = sent.pop()
    elif not profile.is_new:
        return
    if not profile.customer.business_name:
        problems.require("businessName")
