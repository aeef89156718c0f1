"""What a queued search looks for, as understood: checked, normalised, and ready to be stored."""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from config.api.json import Json, camel
from customers.normalize import parse_time_zone


class Match(StrEnum):
    """How names, business name, address lines and city compare: folded, in all modes.

    `FUZZY` is trigram similarity above PostgreSQL's `pg_trgm.similarity_threshold` (0.3).
    """

    EXACT = "EXACT"
    PREFIX = "PREFIX"
    CONTAINS = "CONTAINS"
    FUZZY = "FUZZY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Filters that all must hold; ``""``, ``()`` and None filter nothing.

    Names, business name, address lines and city are folded (`normalize.fold`), the e-mail address
    is its key (`normalize.email_key`), the phone number E.164. Names, prefix, suffix, gender and
    sex must hold for one and the same contact, the parts of an address for one and the same
    address. Dates are inclusive, read in `time_zone`.

    As JSON the members are the ones of `/v1/search/customer-accounts`.
    """

    customer_account_type: str
    customer_account_status: tuple[str, ...] = ("ACTIVE", "SUSPENDED")
    business_account_ids: tuple[UUID, ...] = ()
    from_created_at: date | None = None
    to_created_at: date | None = None
    time_zone: str = "UTC"
    match: Match = Match.EXACT
    prefix: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    suffix: str = ""
    gender: str = ""
    sex: str = ""
    business_name: str = ""
    email: str = ""
    phone_number: str = ""
    address_line_1: str = ""
    address_line_2: str = ""
    address_line_3: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""

    @property
    def created_from(self) -> datetime | None:
        """The first moment of `from_created_at`; None also for one before time began."""
        return start_of(self.from_created_at, self.time_zone)

    @property
    def created_before(self) -> datetime | None:
        """The first moment after `to_created_at`; None also for one after time ends."""
        if self.to_created_at in (None, date.max):
            return None
        return start_of(self.to_created_at + timedelta(days=1), self.time_zone)

    def as_json(self) -> dict[str, object]:
        """The criteria in the contract's words, without those that filter nothing."""
        values = {MEMBERS[field.name]: getattr(self, field.name) for field in fields(self)}
        return {name: plain(value) for name, value in values.items() if value}

    @classmethod
    def from_json(cls, stored: Json) -> Self:
        """The criteria that `as_json` gave."""
        values = {name: stored[member] for name, member in MEMBERS.items() if member in stored}
        for name in ("from_created_at", "to_created_at"):
            if name in values:
                values[name] = date.fromisoformat(values[name])
        values["business_account_ids"] = tuple(map(UUID, values.get("business_account_ids", ())))
        values["customer_account_status"] = tuple(values["customer_account_status"])
        values["match"] = Match(values["match"])
        return cls(**values)


MEMBERS = {field.name: camel(field.name) for field in fields(Criteria)}


def plain(value: object) -> object:
    """A value as JSON holds it."""
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def start_of(day: date | None, time_zone: str) -> datetime | None:
    """The first moment of a day in a time zone, in UTC; None when the calendar does not reach."""
    if day is None:
        return None
    try:
        return datetime.combine(day, time.min, parse_time_zone(time_zone)).astimezone(UTC)
    except OverflowError:
        return None
