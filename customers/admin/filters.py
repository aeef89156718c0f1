"""Filters beside a list, in the words of the product."""

from collections.abc import Mapping
from typing import ClassVar

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest


class ChoiceFilter(SimpleListFilter):
    """A few choices by their names in the address, each with its words and what it asks for."""

    choices_by_name: ClassVar[Mapping[str, tuple[str, Q]]]

    def lookups(
        self, request: HttpRequest, model_admin: "ModelAdmin[Model]"
    ) -> list[tuple[str, str]]:
        """The choices in words."""
        return [(name, words) for name, (words, _) in self.choices_by_name.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """The rows of the chosen one; all for one that there is not."""
        chosen = self.choices_by_name.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset
