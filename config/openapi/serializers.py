"""Objects that only the documentation knows."""

from collections.abc import Mapping
from typing import ClassVar

from rest_framework import serializers


class OneOf(serializers.Serializer[object]):
    """One of several objects; the member `type` tells which. For documentation only."""

    kinds: ClassVar[Mapping[str, type[serializers.Serializer[object]]]]


class Page(serializers.Serializer[object]):
    """A page of a list (`config.api.pagination`)."""

    totalElements = serializers.IntegerField(min_value=0, help_text="Exact up to 10,000.")
    totalPages = serializers.IntegerField(min_value=0)
    number = serializers.IntegerField(min_value=0, help_text="Of this page, from 0.")
    numberOfElements = serializers.IntegerField(min_value=0, help_text="On this page.")
    hasNext = serializers.BooleanField()
    nextCursor = serializers.CharField(
        allow_null=True, help_text="For `cursor`; null on the last page."
    )
    totalIsEstimate = serializers.BooleanField(
        required=False, help_text="`true`, and there, when the totals are estimates."
    )
