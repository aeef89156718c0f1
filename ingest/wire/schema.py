"""The wire objects of `/v2/data`, and how one item is read: every wrong place at once.

Members that are not named here are ignored. An empty string means "not given". A creation needs
every required member; in an update all may be left out, and then stay as they are.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from config.api import text
from config.api.dialects import escaped
from config.api.errors import Problem
from config.api.text import is_visible
from config.api.times import parse_moment_as_written
from customers import normalize

AnyWire = TypeVar("AnyWire", bound="Wire")
NETWORK = re.compile(r"[0-9A-Za-z]{1,10}")


def given(value: object) -> str:
    """A text that is there. Raises `PydanticCustomError`."""
    if value is None or value == "":
        raise PydanticCustomError("REQUIRED", "This is required.")
    if not isinstance(value, str):
        raise PydanticCustomError("INVALID_TYPE", "Not a string.")
    return value


def read_moment(value: object) -> datetime:
    """A moment. Raises `PydanticCustomError`."""
    try:
        return parse_moment_as_written(given(value))
    except ValueError as error:
        raise PydanticCustomError("INVALID", f"{error}") from None


def read_moment_or_nothing(value: object) -> datetime | None:
    """A moment; None for null and ``""``."""
    return read_moment(value) if value else None


def read_line(value: str) -> str:
    """A text on one line, of which something is visible. Raises `PydanticCustomError`."""
    if not text.is_visible(value):
        raise PydanticCustomError("REQUIRED", "This is required.")
    if not text.is_one_line(value):
        message = "Control characters, line breaks and the like are not allowed."
        raise PydanticCustomError("INVALID_CHARACTER", message)
    return value


def read_country(value: object) -> str:
    """A country as it is stored, by alpha-3. Raises `PydanticCustomError`."""
    try:
        return normalize.alpha3_from_alpha2(given(value))
    except ValueError:
        message = "Not an ISO 3166-1 alpha-2 country code in upper case."
        raise PydanticCustomError("UNKNOWN_VALUE", message) from None


def read_network(value: object) -> str:
    """A network identifier, which publishers send as a string or as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not NETWORK.fullmatch(network := given(value)):
        raise PydanticCustomError("INVALID", "Not one to ten letters or digits.")
    return network


def nothing_if_empty(value: object) -> object:
    """None for ``""``."""
    return None if value == "" else value


MOMENT_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"})
Moment = Annotated[datetime, PlainValidator(read_moment), MOMENT_SCHEMA]
MomentOrNothing = Annotated[
    datetime | None,
    PlainValidator(read_moment_or_nothing),
    WithJsonSchema({"type": ["string", "null"], "format": "date-time"}),
]
# Opaque, but never blank.
_ANY = f"[^{normalize.CONTROLS}]*"
NOT_BLANK = rf"^{_ANY}[^{normalize.CONTROLS}\s]{_ANY}$"
Id = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=NOT_BLANK)]
IdOrNothing = Annotated[Id | None, BeforeValidator(nothing_if_empty)]
Country = Annotated[
    str, PlainValidator(read_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})
]
Network = Annotated[
    str,
    PlainValidator(read_network),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^[0-9A-Za-z]{1,10}$"}),
]
Last4 = Annotated[str, StringConstraints(min_length=1, pattern=r"^[0-9]{4}$")]
Iin = Annotated[str, StringConstraints(min_length=1, pattern=r"^[0-9]{6,8}$")]
PostalCode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=10, pattern=NOT_BLANK),
    AfterValidator(read_line),
]
Alert = Literal[
    "ALL", "NEW", "ACTIVATED", "EXPIRING", "REDEMPTION", "CLOSE_THE_LOOP", "MISSED_OPPORTUNITY"
]
Eligibility = Annotated[Literal["ALL", "NONE"] | None, BeforeValidator(nothing_if_empty)]


class Wire(BaseModel):
    """An object on its way in."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)


class CardBody(Wire):
    """A card; account, customer and last four digits are its key."""

    sourceAccountId: Id = Field(description="That of the account that the card is on.")
    sourceCustomerId: Id = Field(description="The holder of the card: a holder of the account.")
    last4: Last4
    iin: Iin
    cardType: Literal["CREDIT", "DEBIT", "PREPAID"]
    status: Literal["OPEN", "CLOSED"]
    networkIdentifier: Network
    openDate: Moment
    closeDate: MomentOrNothing = None


class AccountBody(Wire):
    """An account of one customer or, with joint holders, of several."""

    sourceAccountId: Id
    sourceCustomerIds: Annotated[list[Id], Field(min_length=1)] = Field(
        description="All holders, also those that have not been sent yet."
    )
    primarySourceCustomerId: Id = Field(description="One of the holders.")
    status: Literal["OPEN", "CLOSED", "DISPUTE", "FRAUD"]
    type: Literal["PPD", "MMA", "CRD", "DDA", "SAV", "SBCRD", "SBDDA", "SBS"]
    sourcePortfolioId: Id
    accountOpenDate: Moment
    accountCloseDate: MomentOrNothing = Field(
        default=None, description="Required when CLOSED, null when OPEN."
    )
    cards: list[CardBody] = Field(default=[])


class CustomerBody(Wire):
    """A customer with its programme data.

    The members from `type` on are optional and follow the rules of `/v1/customers`. Without `type`
    a new customer is an INDIVIDUAL.
    """

    sourceCustomerId: Id = Field(description="Your id of the customer; `/v1` calls it externalId.")
    sourceParentCustomerId: IdOrNothing = None
    organizationId: Id
    postalCode: PostalCode
    country: Country = Field(description="ISO 3166-1 alpha-2, upper case")
    customerCreationDate: Moment
    enrollmentStartDate: Moment
    enrollmentEndDate: MomentOrNothing = None
    enrollmentOptInStatus: Literal["ACTIVE", "INACTIVE"]
    alertOptInStatus: list[Alert] = Field(description="May be empty.")
    targetingIndicator: Literal["TARGET", "DO_NOT_TARGET"]
    redemptionEligibility: Eligibility = None
    accounts: list[AccountBody] = Field(description="May be empty.")
    # Those of `ingest.wire.profile.ProfileBody`, which reads them.
    type: object = None
    firstName: object = None
    middleName: object = None
    lastName: object = None
    businessName: object = None
    emails: object = None
    phones: object = None
    addresses: object = None
    contacts: object = None
    contactPoints: object = None
    department: object = None
    relationship: object = None
    metadata: object = None
    customAttributes: object = None


def partial(model: type[AnyWire], name: str, *needed: str, **nested: type[Wire]) -> type[AnyWire]:
    """A model of the same members, of which only the `needed` ones have to be there.

    `nested` has the models of the items of list members. What was left out is None, and is not in
    `model_fields_set`.
    """
    members: dict[str, Any] = {}  # what `create_model` takes has no type
    for member, field in model.model_fields.items():
        if member in nested:
            members[member] = (list.__class_getitem__(nested[member]), Field(default=[]))
        elif member not in needed and field.is_required():
            kind: object = field.annotation
            if field.metadata:
                kind = Annotated[(kind, *field.metadata)]
            members[member] = (kind, Field(default=None, description=field.description))
    return create_model(name, __base__=model, __doc__=model.__doc__, **members)


CardUpdate = partial(CardBody, "CardUpdate", "sourceAccountId", "sourceCustomerId", "last4")
AccountUpdate = partial(AccountBody, "AccountUpdate", "sourceAccountId", cards=CardUpdate)
CustomerUpdate = partial(CustomerBody, "CustomerUpdate", "sourceCustomerId", accounts=AccountUpdate)
# What is left of an item without its wrong members, for the rules between the others.
CardRest = partial(CardBody, "CardRest")
AccountRest = partial(AccountBody, "AccountRest", cards=CardRest)
CustomerRest = partial(CustomerBody, "CustomerRest", accounts=AccountRest)

# --- Reading --------------------------------------------------------------------------------------

SAY: dict[str, tuple[str, str]] = {
    "missing": ("REQUIRED", "This is required."),
    "string_type": ("INVALID_TYPE", "Not a string."),
    "string_too_long": ("TOO_LONG", "At most {max_length} characters are kept."),
    "literal_error": ("UNKNOWN_VALUE", "This must be {expected}."),
    "list_type": ("INVALID_TYPE", "This must be a list."),
    "model_type": ("INVALID_TYPE", "This must be a JSON object."),
    "too_short": ("REQUIRED", "At least one entry is required."),
}
PATTERNS = {"last4": "Not four digits.", "iin": "Not six to eight digits."}


def read(
    model: type[AnyWire], rest: type[AnyWire], raw: Mapping[str, object], at: str
) -> tuple[AnyWire | None, list[Problem]]:
    """An item found at the JSON Pointer `at`, and every wrong place in it, as pointers.

    When places are wrong, the item is what is left without them, as the model `rest` reads it.
    """
    try:
        return model.model_validate(raw), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    problems = [explained(each, at) for each in details]
    try:
        return rest.model_validate(without(raw, [each["loc"] for each in details])), problems
    except ValidationError:
        return None, problems


def explained(error: ErrorDetails, at: str) -> Problem:
    """One error of pydantic's in our words; the value is never quoted."""
    value, kind, place = error["input"], error["type"], at + pointer(error["loc"])
    if (value is None or value == "") and kind != "list_type":
        return Problem(place, "This is required.", "REQUIRED")
    if kind == "string_pattern_mismatch":
        return mismatch(str(value), str(error["loc"][-1]), place)
    if kind in SAY:
        code, message = SAY[kind]
        return Problem(place, message.format(**error.get("ctx", {})), code)
    return Problem(place, error["msg"], kind if kind.isupper() else "INVALID")


def mismatch(text: str, member: str, place: str) -> Problem:
    """What is wrong with a text that does not have the form of its member."""
    if "\0" in text:
        return Problem(place, "NUL characters are not allowed.", "NUL_CHARACTER")
    if not is_visible(text):
        return Problem(place, "This is required.", "REQUIRED")
    if member not in PATTERNS and normalize.has_control_character(text):
        return Problem(place, normalize.BAD_ID, "INVALID_CHARACTER")
    return Problem(place, PATTERNS.get(member, "Not valid."), "INVALID")


def pointer(steps: tuple[int | str, ...]) -> str:
    """The JSON Pointer of a place."""
    return "".join(f"/{escaped(str(step))}" for step in steps)


def without(raw: Mapping[str, object], places: list[tuple[int | str, ...]]) -> object:
    """A copy without the members at these places.

    An account or card that is no object becomes an empty one, so that the others keep their index;
    of any other list a wrong entry takes the whole along.
    """
    copy = deep(raw)
    for place in places:
        *path, last = place
        if isinstance(last, int) and path[-1] not in {"accounts", "cards"}:
            *path, last = path
        holder = copy
        for step in path:
            holder = part_of(holder, step)
        if isinstance(holder, dict):
            holder.pop(last, None)
        elif isinstance(holder, list) and isinstance(last, int):
            holder[last] = {}
    return copy


def part_of(holder: object, step: int | str) -> object:
    """A member of an object, or an entry of a list; None where there is none."""
    if isinstance(holder, dict):
        return holder.get(step)
    if isinstance(holder, list) and isinstance(step, int):
        return holder[step] if step < len(holder) else None
    return None


def deep(value: object) -> object:
    """A copy of objects and lists."""
    if isinstance(value, Mapping):
        return {name: deep(item) for name, item in value.items()}
    return [deep(item) for item in value] if isinstance(value, list) else value
