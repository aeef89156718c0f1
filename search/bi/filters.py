"""The rules between the filters of a search request, and what becomes of them."""

import re
from collections.abc import Callable
from typing import Final, Literal, get_type_hints
from uuid import UUID

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import Invalid, Problem
from customers import normalize, phones
from customers.criteria import Criteria, Match
from customers.models import Customer
from search.bi.serializers import CriteriaValues, FileValues, SearchRequest, SearchValues
from search.columns import REQUESTED_ID
from search.conversion import missing
from search.copy import TABLES, WRITTEN
from search.models import CustomerSearch

Name = Literal["business_name", "business_name_2", "business_name_3", "business_name_4"]
Text = Literal[
    "first_name",
    "middle_name",
    "last_name",
    "business_name",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "city",
    "prefix",
    "suffix",
    "gender",
    "postal_code",
    "email",
    "phone_number",
    "country",
    "state",
    "time_zone",
]

FOLDED: Final[tuple[Text, ...]] = (
    "first_name",
    "middle_name",
    "last_name",
    "business_name",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "city",
)
# Compared as they are, or folded by the database.
UNFOLDED: Final[tuple[Text, ...]] = ("prefix", "suffix", "gender", "postal_code")
PERSONAL = ("prefix", "suffix", "gender", "sex")
# All spellings in which the published pages give the name of a business.
BUSINESS_NAMES: Final[dict[str, Name]] = {
    "customerDoingAsBusinessName": "business_name",
    "doingBusinessAsName": "business_name_2",
    "doingAsBusinessName": "business_name_3",
    "businessName": "business_name_4",
}


class Filters:
    """The rules between the members of one request body; collects every wrong place."""

    def __init__(self, submission: Submission[SearchValues], actor: Actor) -> None:
        self.values = submission.values.copy()
        self.problems = list(submission.problems)
        self.actor = actor
        self.wire = dict(WIRE)

    def read(self) -> Criteria:
        """The criteria. Raises `Invalid` with every wrong place."""
        self.check_type()
        self.check_file()
        self.join_business_names()
        self.check_dates()
        self.normalise("email", normalize.parse_email, "INVALID_EMAIL")
        self.normalise("phone_number", self.phone, "INVALID_PHONE_NUMBER")
        self.normalise("country", normalize.country_alpha3, "INVALID_COUNTRY")
        self.normalise("state", state_code, "INVALID_STATE")
        self.normalise("time_zone", check_time_zone, "INVALID_TIME_ZONE")
        for name in FOLDED:
            self.normalise(name, folded, "NOTHING_TO_COMPARE")
        for name in UNFOLDED:
            self.normalise(name, comparable, "NOTHING_TO_COMPARE")
        accounts = self.check_accounts()
        if self.problems:
            raise Invalid(self.problems)
        values = self.values
        if "email" in values:
            values["email"] = normalize.email_key(values["email"])
        match = Match(values.pop("match", Match.EXACT))
        for member in get_type_hints(FileValues):
            values.pop(member, None)  # type: ignore[misc] # one of its members
        criteria: CriteriaValues = values
        return Criteria(**criteria, business_account_ids=accounts, match=match)

    def wrong(self, name: str, message: str, code: str) -> None:
        """Note a wrong member, under its wire name."""
        self.problems.append(Problem(self.wire.get(name, name), message, code))

    def check_file(self) -> None:
        """What the file is to be like goes together, and can be had here."""
        columns = self.values.get("columns", [])
        result_format = self.values.get("result_format", CustomerSearch.Format.CSV)
        if advice := missing(result_format):
            self.wrong("result_format", advice, "FORMAT_UNAVAILABLE")
        if result_format in WRITTEN and self.values.get("compression", "NONE") != "NONE":
            self.wrong("compression", f"{result_format} is compressed as it is.", "WRONG_FORMAT")
        if columns and result_format not in TABLES:
            self.wrong("columns", f"{result_format} has no columns.", "WRONG_FORMAT")
        for index, name in enumerate(columns):
            if name in columns[:index]:
                self.wrong(f"columns[{index}]", "This column is named twice.", "DUPLICATE")
            elif name == REQUESTED_ID and "external_ids" not in self.values:
                message = "This column is there only where externalIds are asked for."
                self.wrong(f"columns[{index}]", message, "UNKNOWN_VALUE")

    def check_type(self) -> None:
        """The type is required, and says which other filters make sense."""
        kind = self.values.get("customer_account_type")
        if kind is None:
            if not any(problem.path == "customerAccountType" for problem in self.problems):
                self.wrong("customer_account_type", "This is required.", "REQUIRED")
            return
        is_individual = kind == Customer.Type.INDIVIDUAL
        for name in BUSINESS_NAMES.values() if is_individual else PERSONAL:
            if name in self.values:
                message = f"This filter is not for customers of type {kind}."
                self.wrong(name, message, "WRONG_CUSTOMER_TYPE")

    def join_business_names(self) -> None:
        """One name in several spellings of the member; they must not contradict each other."""
        given = {
            name: self.values.pop(name) for name in BUSINESS_NAMES.values() if name in self.values
        }
        if len(set(map(normalize.fold, given.values()))) > 1:
            for name in given:
                self.wrong(name, "The names of the business differ.", "CONTRADICTION")
        if given:
            first = next(iter(given))
            self.values["business_name"] = given[first]
            self.wire["business_name"] = WIRE[first]

    def check_dates(self) -> None:
        """The first day is not after the last."""
        first, last = self.values.get("from_created_at"), self.values.get("to_created_at")
        if first and last and first > last:
            self.wrong("from_created_at", "This is after toCreatedAt.", "INVALID_RANGE")

    def check_accounts(self) -> tuple[UUID, ...]:
        """Take out the accounts to which the search is narrowed, each once.

        It can only be narrowed to those that the token sees.
        """
        accounts, visible = self.values.pop("business_account_ids", []), set(self.actor.tree)
        for index, account in enumerate(accounts):
            if account not in visible:
                message = "There is no such business account."
                self.wrong(f"businessAccountIds[{index}]", message, "UNKNOWN_BUSINESS_ACCOUNT")
        return tuple(dict.fromkeys(accounts))

    def phone(self, number: str) -> str:
        """A phone number as E.164, read for the account's region."""
        return phones.parse(number, self.actor.region)

    def normalise(self, name: Text, rule: Callable[[str], str], code: str) -> None:
        """Put a member into the form that is compared."""
        if name in self.values:
            try:
                self.values[name] = rule(self.values[name])
            except ValueError as error:
                self.wrong(name, str(error), code)


WIRE = {field.source: name for name, field in SearchRequest().fields.items()}


def folded(text: str) -> str:
    """A name as it is compared. ValueError when nothing is left of it."""
    if not (compared := normalize.fold(text)):
        raise ValueError("This has no characters that are compared.")
    return compared


def comparable(text: str) -> str:
    """A text as it is. ValueError when nothing of it is compared."""
    folded(text)
    return text


def state_code(text: str) -> str:
    """A subdivision code by its form. ValueError otherwise."""
    if re.fullmatch(r"[A-Z0-9]{1,3}", text):
        return text
    raise ValueError("Not a subdivision code of one to three upper-case characters.")


def check_time_zone(text: str) -> str:
    """A time zone as given. ValueError when there is no such zone."""
    normalize.parse_time_zone(text)
    return text


def read_request(data: object, actor: Actor) -> tuple[Criteria, FileValues]:
    """What a request body looks for, and what it wants of the file.

    Raises `Invalid` with every wrong place.
    """
    submission = SearchRequest.reader().parse(data)
    given = submission.values
    file: FileValues = {
        "result_format": given.get("result_format", CustomerSearch.Format.CSV),
        "columns": given.get("columns", []),
        "compression": given.get("compression", CustomerSearch.Compression.NONE),
        "external_ids": list(dict.fromkeys(given.get("external_ids", []))),
    }
    return Filters(submission, actor).read(), file
