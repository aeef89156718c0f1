"""What the bodies of `customers.serializers` give: the `values` of their submissions.

Only what was sent is there. A text that was sent empty is ``""``; None stands for ``null``.
"""

from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from config.api.errors import Problem

# Names with texts, as they were sent: not checked yet.
Pairs = dict[str, object]


class NameValues(TypedDict, total=False):
    """The names of a person."""

    first_name: str | None
    middle_name: str | None
    last_name: str | None


class PointValues(TypedDict, total=False):
    """A phone number or an e-mail address, of which only `value` and `is_verified` are there."""

    value: str | None
    phone_type: str | None
    provider: str | None
    extension: str | None
    is_verified: bool | None


class PrimaryPointValues(PointValues, total=False):
    """One of several of them."""

    is_primary: bool | None


class ContactPointValues(PrimaryPointValues, total=False):
    """An entry of `contactPoints`."""

    id: UUID | None
    kind: str | None


class ReachValues(TypedDict, total=False):
    """How to reach a contact; `phone_alias` is `phone` under its other name."""

    phone: PointValues | None
    phone_alias: PointValues | None
    email: PointValues | None
    contact_points: list[ContactPointValues | None] | None


class AddressValues(TypedDict, total=False):
    """An entry of `addresses`; `recipient_problems` are what is wrong with its recipient."""

    id: UUID | None
    type: str | None
    recipient: NameValues | None
    recipient_problems: list[Problem]
    street_line_1: str | None
    street_line_2: str | None
    street_line_3: str | None
    street_line_4: str | None
    street_line_5: str | None
    city: str | None
    state: str | None
    country: str | None
    zip_code: str | None
    is_primary: bool | None


class ContactValues(NameValues, ReachValues, total=False):
    """An entry of `contacts`."""

    id: UUID | None
    is_primary: bool | None
    attributes: Pairs | None


class RelationshipValues(TypedDict, total=False):
    """What the customer is to the company."""

    role: str | None
    level: str | None
    industry: str | None
    market_segment: str | None
    entitlements: str | None
    how_referred: str | None
    preferred_agent_id: UUID | None
    pin: str | None


class BirthPlaceValues(TypedDict, total=False):
    """Where an individual was born."""

    birth_city: str | None
    birth_country: str | None


class CustomerValues(NameValues, ReachValues, total=False):
    """A customer of either type; `business_name_alias` is `business_name` under its other name."""

    type: str | None
    status: str | None
    external_id: str | None
    addresses: list[AddressValues | None] | None
    metadata: Pairs | None
    attributes: Pairs | None
    prefix: str | None
    suffix: str | None
    sex: str | None
    gender: str | None
    pronoun: str | None
    security_question: str | None
    security_answer: str | None
    date_of_birth: date | None
    birth_place: BirthPlaceValues | None
    social_id: str | None
    social_id_country: str | None
    citizenship_country: str | None
    business_name: str | None
    business_name_alias: str | None
    contacts: list[ContactValues | None] | None
    department: str | None
    relationship: RelationshipValues | None


class ActivityUpdateValues(TypedDict, total=False):
    """What may be changed of an activity."""

    is_read: bool | None


class ActivityValues(ActivityUpdateValues, total=False):
    """One interaction with a customer."""

    type: str | None
    mode: str | None
    is_secure: bool | None
    sent_date: datetime | None
    subject: str | None


class ReasonValues(TypedDict, total=False):
    """Why something is done."""

    reason: str | None
