"""The form of `GET /v1/customers`: its fields, and what its parameters must be to each other."""

from collections.abc import Callable
from datetime import date, tzinfo
from typing import Self
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from config.api import text, times
from config.api.actors import Actor
from customers import normalize, phones
from customers.models import AttributeDefinition, BusinessAccount, ContactPoint
from customers.rules.points import read_value

MAX_WORDS = 10
# Servers read a plus in a query as a space.
RAW_PLUS = "This has a space where a plus may be meant: in a URL a plus is written %2B."


class TextField(forms.CharField):
    """A text; its length counts composed letters."""

    def to_python(self, value: object) -> str:
        """The text."""
        given = super().to_python(value) or ""
        return given if self.max_length is None else text.fitted(given, self.max_length)


class DayField(forms.Field):
    """A date, `yyyy-MM-dd`."""

    def to_python(self, value: str | None) -> date | None:
        """The date; None for nothing."""
        try:
            return times.parse_day(value) if value else None
        except ValueError as error:
            raise ValidationError(str(error)) from None


class SharedFields(dict[str, forms.Field]):
    """Fields that no form changes: Django's forms copy theirs, each time."""

    def __deepcopy__(self, _memo: object) -> Self:
        return self


class CheckedForm(forms.Form):
    """The checks of one request's parameters against each other and against its actor."""

    def __init__(self, query: QueryDict, *, actor: Actor) -> None:
        # No label is shown; the usual suffix is a text that would be translated.
        super().__init__(query, label_suffix="")
        self.actor = actor

    def full_clean(self) -> None:
        """Check all; afterwards no field that is bound to the form keeps it in memory."""
        super().full_clean()
        vars(self)["_bound_fields_cache"].clear()

    def clean_primaryEmail(self) -> str:
        """The address as it is compared."""
        given: str = self.cleaned_data["primaryEmail"]
        if " " in given.strip():
            raise ValidationError(RAW_PLUS)
        return self.parsed(lambda: normalize.email_key(normalize.parse_email(given)), given)

    def clean_primaryPhoneNumber(self) -> str:
        """The number's digits."""
        given: str = self.cleaned_data["primaryPhoneNumber"]
        if given.startswith(" "):
            raise ValidationError(RAW_PLUS)
        return self.parsed(lambda: phones.digits_of(phones.parse(given, self.actor.region)), given)

    def clean_contactPoint(self) -> tuple[str, str] | None:
        """The kind, and the key by which values of it are compared."""
        given: str = self.cleaned_data["contactPoint"]
        if not given:
            return None
        kind, colon, value = given.partition(":")
        if kind not in ContactPoint.Kind.values or not colon or not value:
            kinds = ", ".join(ContactPoint.Kind.values)
            raise ValidationError(f"This must be KIND:value, of one of these kinds: {kinds}.")
        if value.startswith(" ") and kind == ContactPoint.Kind.PHONE:
            raise ValidationError(RAW_PLUS)
        return kind, self.parsed(lambda: read_value(kind, value, self.actor.region)[1], value)

    def clean_countryCode(self) -> str:
        """An ISO 3166-1 alpha-3 code."""
        given: str = self.cleaned_data["countryCode"]
        return self.parsed(lambda: normalize.country_alpha3(given), given)

    def clean_search(self) -> str:
        """A bounded number of words."""
        given: str = self.cleaned_data["search"]
        if len(normalize.parse_search_words(given)) > MAX_WORDS:
            raise ValidationError(f"At most {MAX_WORDS} words are searched for.")
        return given

    def clean(self) -> dict[str, object]:
        """The zone in which dates are days, and the accounts whose customers are listed."""
        values = self.cleaned_data
        try:
            values["zone"] = self.zone(values.get("timeZone") or "UTC")
        except ValueError as error:
            self.add_error("timeZone", str(error))
        first, last = values.get("createdAtFrom"), values.get("createdAtTo")
        if first and last and first > last:
            self.add_error("createdAtTo", "This is before createdAtFrom.")
        values["accounts"] = self.accounts(
            values.get("businessAccountId"), with_children=values.get("includeChildren") == "true"
        )
        if given := values.get("customAttribute"):
            values["customAttribute"] = self.attribute(given, values["accounts"])
        return values

    def attribute(self, given: str, accounts: tuple[UUID, ...]) -> tuple[list[UUID], str]:
        """The attributes that are searched, one of each account that has defined it, and for what.

        Of a name with a colon in it the longest that is defined counts.
        """
        target = AttributeDefinition.Target.CUSTOMER
        defined = AttributeDefinition.objects.filter(business_account__in=accounts, target=target)
        known = [each for each in defined if given.startswith(f"{each.name}:")]
        name = max((each.name for each in known), key=len, default="")
        value = given[len(name) + 1 :]
        wanted = [each for each in known if each.name == name]
        if not wanted:
            self.add_error(
                "customAttribute",
                "This must be NAME:value, of an attribute that the business account has defined.",
            )
        elif any(each.is_encrypted for each in wanted):
            self.add_error("customAttribute", "Encrypted attributes cannot be searched.")
        elif not value:
            self.add_error("customAttribute", "A value is needed behind the colon.")
        return [each.pk for each in wanted], value

    def zone(self, name: str) -> tzinfo:
        """A time zone by name or offset."""
        return normalize.parse_time_zone(name)

    def accounts(self, account_id: UUID | None, *, with_children: bool) -> tuple[UUID, ...]:
        """The accounts whose customers are listed, all of them within the actor's view."""
        actor = self.actor
        if account_id and account_id not in actor.tree:
            message = "There is no such business account below the token's own."
            self.add_error("businessAccountId", message)
        if not with_children:
            return (account_id or actor.business_account_id,)
        if account_id in {None, actor.business_account_id}:
            return actor.tree
        return tuple(BusinessAccount.objects.tree_of(account_id).values_list("pk", flat=True))

    @staticmethod
    def parsed(parse: Callable[[], str], given: str) -> str:
        """A value by its parser, whose refusal becomes the field's error."""
        if not given:
            return ""
        try:
            return parse()
        except ValueError as error:
            raise ValidationError(str(error)) from None
