"""Bodies of requests give what their types say."""

from datetime import date, datetime
from types import UnionType
from typing import get_args, get_type_hints
from uuid import UUID

import pytest
from rest_framework import serializers

from config.api.bodies import AnyText, Body, Choice, Day, Flag, Moment
from customers import values
from customers.rules.customer import OF_BUSINESSES, OF_INDIVIDUALS
from customers.serializers import (
    ActivityBody,
    ActivityUpdate,
    AddressBody,
    BirthPlace,
    ContactBody,
    ContactPointBody,
    CustomerBody,
    CustomerUpdate,
    Email,
    Pairs,
    PhoneNumber,
    ReasonBody,
    Recipient,
    Relationship,
)
from ingest.wire.profile import EmailEntry, PhoneEntry, ProfileBody, ProfileValues
from ingest.wire.row import CellValues, RowBody
from search.bi.serializers import SearchRequest, SearchValues, Statuses

VALUES = {
    ActivityBody: values.ActivityValues,
    ActivityUpdate: values.ActivityUpdateValues,
    AddressBody: values.AddressValues,
    BirthPlace: values.BirthPlaceValues,
    ContactBody: values.ContactValues,
    ContactPointBody: values.ContactPointValues,
    CustomerBody: values.CustomerValues,
    CustomerUpdate: values.CustomerValues,
    Email: values.PointValues,
    EmailEntry: values.PrimaryPointValues,
    PhoneEntry: values.PrimaryPointValues,
    PhoneNumber: values.PointValues,
    ProfileBody: ProfileValues,
    ReasonBody: values.ReasonValues,
    RowBody: CellValues,
    Recipient: values.NameValues,
    Relationship: values.RelationshipValues,
    SearchRequest: SearchValues,
}
# What these do not have of the members of their values: they are kinds of another one.
PARTIAL = {Email, EmailEntry, ProfileBody}
KINDS = {
    AnyText: str,
    Choice: str,
    Day: date,
    Flag: bool,
    Moment: datetime,
    Pairs: values.Pairs,
    Statuses: tuple[str, ...],
    serializers.UUIDField: UUID,
}


def kinds_of(base: type[Body]) -> set[type[Body]]:
    return {base}.union(*map(kinds_of, base.__subclasses__()))


def given(member: serializers.Field) -> object:
    """The type of what a field gives, but for None."""
    if isinstance(member, serializers.ListSerializer):
        return list[given(member.child) | None]
    if isinstance(member, serializers.ListField):
        return list[given(member.child)]
    if isinstance(member, Body):
        return VALUES[type(member)]
    return next(kind for field, kind in KINDS.items() if isinstance(member, field))


def without_none(hint: object) -> object:
    if not isinstance(hint, UnionType):
        return hint
    (kind,) = (each for each in get_args(hint) if each is not type(None))
    return kind


def test_every_body_of_the_product_has_its_values():
    ours = {each for each in kinds_of(Body) if not each.__module__.startswith("tests.")}
    assert {each for each in ours if Body in each.__bases__} <= set(VALUES)


@pytest.mark.parametrize("body", VALUES, ids=lambda body: body.__name__)
def test_the_values_of_a_body_are_those_of_its_fields(body):
    fields = {member.source: given(member) for member in body().fields.values()}
    hints = {name: without_none(hint) for name, hint in get_type_hints(VALUES[body]).items()}
    if body is AddressBody:
        assert hints.pop("recipient_problems") == list[values.Problem]
    assert fields == {name: hints[name] for name in fields}
    assert body in PARTIAL or fields.keys() == hints.keys()


def test_the_members_of_each_type_of_customer_are_members():
    known = CustomerBody().fields
    for name, member in (OF_INDIVIDUALS | OF_BUSINESSES).items():
        assert known[member].source == name


def test_an_address_says_nothing_of_a_wrong_recipient_by_itself():
    found = AddressBody().parse({"name": {"firstName": 5}})
    assert not found.problems
    assert found.values["recipient"] == {}
    assert [problem.path for problem in found.values["recipient_problems"]] == ["name.firstName"]
