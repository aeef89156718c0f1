"""Who a person is: names, birth, citizenship, and what is kept sealed."""

from datetime import date, datetime, timedelta, timezone

from config.api.json import camel
from config.db.crypto import associated_data, blind_index, seal, unseal_if_possible
from customers.models import Contact
from customers.profile import Profile
from customers.rules.parts import Problems, check_required, set_country, set_sealed, set_texts
from customers.values import BirthPlaceValues, CustomerValues, NameValues

PERSON = (
    "prefix",
    "first_name",
    "middle_name",
    "last_name",
    "suffix",
    "sex",
    "gender",
    "pronoun",
    "security_question",
)
NOWHERE: BirthPlaceValues = {"birth_city": None, "birth_country": None}
EARLIEST_BIRTH = date(1850, 1, 1)
# Where on earth a day begins first: whoever was born there today was not born in the future.
FIRST_ZONE = timezone(timedelta(hours=14))


def merge_person(
    profile: Profile, contact: Contact, values: CustomerValues, problems: Problems
) -> None:
    """The members of an individual that say who the person is."""
    merge_names(contact, values, problems, is_new=profile.is_new)
    set_texts(contact, values, PERSON)
    if "date_of_birth" in values:
        contact.date_of_birth = values["date_of_birth"]
        born = contact.date_of_birth
        if born and not EARLIEST_BIRTH <= born <= datetime.now(FIRST_ZONE).date():
            message = "This must be between 1850-01-01 and today."
            problems.add("dateOfBirth", message, "OUT_OF_RANGE")
    if "birth_place" in values:
        birth = values["birth_place"]
        if birth is None:
            birth = NOWHERE
        set_texts(contact, birth, ["birth_city"])
        if "birth_country" in birth:
            given, member = birth["birth_country"], "placeOfBirth.countryCode"
            set_country(contact, "birth_country", given, problems, member)
    if "citizenship_country" in values:
        given, member = values["citizenship_country"], "citizenshipCountryCode"
        set_country(contact, "citizenship_country", given, problems, member)
    merge_social_id(contact, values, problems)
    if "security_answer" in values:
        set_sealed(contact, "security_answer_sealed", values["security_answer"])


def merge_names(contact: Contact, values: NameValues, problems: Problems, *, is_new: bool) -> None:
    """The names of a person; first and last are required."""
    for name in ("first_name", "last_name"):
        check_required(contact, name, values, problems, camel(name), is_new=is_new)
    set_texts(contact, values, ["first_name", "middle_name", "last_name"])


def merge_social_id(contact: Contact, values: CustomerValues, problems: Problems) -> None:
    """The social id, sealed; its own truncated form and ``""`` mean "unchanged", null clears it."""
    if "social_id_country" in values:
        country, member = values["social_id_country"], "socialIdCountryCode"
        set_country(contact, "social_id_country", country, problems, member)
    if "social_id" in values and values["social_id"] is None:
        contact.social_id_sealed = contact.social_id_digest = None
        contact.social_id_last4 = ""
    elif (given := values.get("social_id")) and given != contact.social_id_last4:
        bound_to = associated_data(Contact, "social_id_sealed", contact.id)
        stored = contact.social_id_sealed
        if stored is None or unseal_if_possible(stored, bound_to) != given:
            contact.social_id_sealed = seal(given, bound_to)
            contact.social_id_digest = blind_index(given)
            contact.social_id_last4 = last_characters(given)
    if contact.social_id_sealed is not None and not contact.social_id_country:
        message = "This is required when socialId is given."
        problems.add("socialIdCountryCode", message, "REQUIRED")


def last_characters(text: str) -> str:
    """The last four characters, but never more than half of a short value."""
    return text[-min(4, len(text) // 2) :] if len(text) > 1 else ""
