"""The query parameters of `GET /v1/customers`, as a django-filter filter set. All are ANDed."""

from copy import deepcopy
from datetime import UTC, date, datetime, time, tzinfo
from functools import cached_property, lru_cache, partial
from uuid import UUID

import django_filters
from django.db import DEFAULT_DB_ALIAS
from django.http import QueryDict

from config.api import text
from config.api.actors import Actor
from config.api.errors import CODES, Invalid, Problem
from config.api.pagination import Page, PageRequest, Total
from config.db.estimates import Plan
from config.db.statements import Row
from customers import normalize
from customers.filter_form import CheckedForm, DayField, SharedFields, TextField
from customers.models import ContactPoint, Customer
from customers.prepared_lists import MOST_FOUND, by_time, exactly, is_by_time
from customers.querysets import CustomerQuerySet, customer_ids, is_better_by_words
from customers.sorting import first_ids

# The parameters that find a customer by one exact value: of a contact point, with its kind, or the
# id of an account's own.
EXACT = {
    "externalId": None,
    "primaryEmail": ContactPoint.Kind.EMAIL,
    "primaryPhoneNumber": ContactPoint.Kind.PHONE,
}
# The parameters that say whose customers are listed, and those that leave most of them.
ACCOUNTS = frozenset({"businessAccountId", "includeChildren"})
BROAD = ACCOUNTS | {"status", "type"}
# Those that may be found by the index of words, which knows no accounts.
WORDS = frozenset({"name", "search", "cityName", "countryCode"})
# The first and last moments that the database and Python both know.
DAWN = datetime.min.replace(tzinfo=UTC)
DUSK = datetime.max.replace(tzinfo=UTC)
# Compared as they are.
UNFOLDED = frozenset({"externalId", "zipCode", "department"})
# Who is listed at all.
PRESENT = Customer.objects.present()
LISTED = [choice for choice in Customer.Status.choices if choice[0] != Customer.Status.DELETED]


class TextFilter(django_filters.CharFilter):
    """A parameter that is a text, as it was sent."""

    field_class = TextField

    def __init__(self, **options: object) -> None:
        super().__init__(strip=False, **options)


class DayFilter(django_filters.Filter):
    """A parameter that is a date."""

    field_class = DayField


class CustomerFilter(django_filters.FilterSet):
    """Filters for the customers that an actor may see; deleted ones are never listed.

    A parameter without a value filters nothing. One that has a value of which nothing can be
    compared, such as a blank, is wrong: it would find every customer.
    """

    search = TextFilter(
        method="by_search",
        max_length=200,
        help_text="Every word must occur in id, name, business name, e-mail, phone or externalId,"
        " as it is written but for case, accents, and the formatting of a telephone number.",
    )
    name = TextFilter(
        method="by_name", max_length=200, help_text="Every word must occur in the name."
    )
    primaryEmail = TextFilter(
        method="by_email",
        max_length=320,
        help_text="The whole address; case does not count. A plus is written `%2B`.",
    )
    primaryPhoneNumber = TextFilter(
        method="by_phone",
        max_length=40,
        help_text="The whole number, in any of the three forms. A plus is written `%2B`.",
    )
    externalId = TextFilter(
        method="by_external_id", max_length=120, help_text="Exactly as it was given."
    )
    type = django_filters.ChoiceFilter(choices=Customer.Type.choices)
    status = django_filters.ChoiceFilter(choices=LISTED)
    cityName = TextFilter(method="by_address", max_length=25)
    countryCode = TextFilter(method="by_address", max_length=3)
    zipCode = TextFilter(method="by_address", max_length=10)
    createdAtFrom = DayFilter(method="by_day", help_text="Inclusive.")
    createdAtTo = DayFilter(method="by_day", help_text="Inclusive.")
    timeZone = django_filters.CharFilter(
        method="by_day",
        max_length=64,
        strip=False,
        help_text="Where dates are days: UTC, an offset such as +05:30, or an IANA name.",
    )
    customAttribute = django_filters.CharFilter(
        method="by_attribute",
        max_length=60 + 1 + 1024,
        strip=False,
        help_text="`NAME:value`: a custom attribute that is exactly this. Encrypted ones cannot be "
        "searched.",
    )
    contactPoint = django_filters.CharFilter(
        method="by_contact_point",
        max_length=9 + 1 + 320,
        strip=False,
        help_text="`KIND:value`, such as `TWITTER:ada1815`: some contact is reached by exactly "
        "this.",
    )
    department = django_filters.CharFilter(
        method="by_department",
        max_length=120,
        strip=False,
        help_text="Name of a department, as it is written.",
    )
    businessAccountId = django_filters.UUIDFilter(
        method="by_account", help_text="One descendant of the token's business account."
    )
    includeChildren = django_filters.TypedChoiceFilter(
        choices=[("true", "true"), ("false", "false")],
        method="by_account",
        help_text="Whether the customers of descendants are listed too; false by default.",
    )

    def __init__(self, query: QueryDict, *, actor: Actor) -> None:
        self.actor = actor
        # Those that were sent. Copies of them are made when they filter: for most requests, never.
        sent = {name for name, values in query.lists() if values[-1]}
        self.given = tuple(name for name in self.base_filters if name in sent)
        self.__dict__["base_filters"] = {}
        super().__init__(query, queryset=PRESENT)
        # The objects that were found with the page, by id.
        self.objects: dict[UUID, str] = {}

    def check(self) -> None:
        """Raise `Invalid` with every wrong parameter."""
        problems = self.nothing_to_compare()
        empty = {problem.path for problem in problems}
        problems += [
            Problem(name, str(message), CODES.get(error.code or "", "INVALID"))
            for name, errors in self.form.errors.as_data().items()
            if name not in empty
            for error in errors
            for message in error.messages
        ]
        if problems:
            raise Invalid(problems)

    def page(self, request: PageRequest, *, using: str = DEFAULT_DB_ALIAS) -> Page:
        """A page of the customers that match, in this database; to be asked for after `check`."""
        if request.is_first and (rows := self.looked_up(request, using)) is not None:
            self.objects = {row[-2]: row[-1] for row in rows[: request.size]}
            return request.whole([row[:-1] for row in rows])
        if ACCOUNTS.issuperset(self.given) and is_by_time(request, self.accounts):
            return by_time(request, self.accounts, using=using)
        queryset: CustomerQuerySet = self.qs.using(using)
        return request.take(
            queryset,
            partial(self.first_ids, using=using),
            is_long=BROAD.issuperset(self.given),
            instead=None if WORDS.isdisjoint(self.given) else partial(self.by_words, using=using),
        )

    def by_words(self, plan: Plan, *, using: str) -> CustomerQuerySet | None:
        """The same customers found by words alone, where `plan` would take longer."""
        if not is_better_by_words(plan):
            return None
        visible = PRESENT.visible_to(self.actor, self.accounts, by_index=False)
        return self.narrow(visible).using(using)

    def looked_up(self, request: PageRequest, using: str) -> list[Row] | None:
        """All customers that an exact value alone finds, by a prepared statement.

        The sort columns and ids, in the order of the request, and the objects of those on the first
        page; None where more than that is asked, or too many are found.
        """
        names = [name for name in self.given if name not in ACCOUNTS]
        if len(names) != 1 or names[0] not in EXACT:
            return None
        (name,) = names
        value = str(self.form.cleaned_data[name])
        keys = value if EXACT[name] else customer_ids(value, self.accounts)
        statement = exactly(EXACT[name], request.sorts)
        rows = statement.rows(self.accounts, keys, str(request.size), using=using)
        return rows if len(rows) <= MOST_FOUND else None

    def nothing_to_compare(self) -> list[Problem]:
        """The parameters with a value of which a reader sees nothing, or folding leaves nothing."""
        message = "This has no characters that are compared."
        sent = [(name, self.data[name]) for name in self.given]
        return [
            Problem(name, message, "NOTHING_TO_COMPARE")
            for name, value in sent
            if not text.is_visible(value) or not (name in UNFOLDED or normalize.fold(value))
        ]

    def first_ids(
        self, request: PageRequest, count: int, total: Total, *, using: str
    ) -> set[UUID] | None:
        """Where to find the first rows of a long list (`customers.sorting`)."""
        if not total.is_estimate:
            # The rows that match are few: found by their filters, then sorted.
            return None
        customers = self.narrow(Customer.objects.present())
        start = self.created_from
        return first_ids(customers, self.accounts, request, count, created_from=start, using=using)

    @cached_property
    def form(self) -> CheckedForm:
        """The form, with the rules that one value alone cannot tell."""
        return form_of(self.given)(self.data, actor=self.actor)

    def filter_queryset(self, queryset: CustomerQuerySet) -> CustomerQuerySet:
        """All filters, and the business accounts whose customers are listed."""
        return self.narrow(queryset.visible_to(self.actor, self.accounts))

    @property
    def accounts(self) -> tuple[UUID, ...]:
        """The business accounts whose customers are listed, all of them within the actor's view."""
        accounts: tuple[UUID, ...] = self.form.cleaned_data["accounts"]
        return accounts

    @property
    def created_from(self) -> datetime | None:
        """The moment that `createdAtFrom` means."""
        values = self.form.cleaned_data
        first = values.get("createdAtFrom")
        return moment_of(first, time.min, values["zone"]) if first else None

    def narrow(self, queryset: CustomerQuerySet) -> CustomerQuerySet:
        """All filters but that of the business accounts."""
        values = self.form.cleaned_data
        address = {
            "city_folded": normalize.fold(values.get("cityName", "")),
            "country": values.get("countryCode"),
            "zip_code": values.get("zipCode"),
        }
        if given := {column: value for column, value in address.items() if value}:
            queryset = queryset.living_at(**given)
        if start := self.created_from:
            queryset = queryset.filter(created_at__gte=start)
        if last := values.get("createdAtTo"):
            queryset = queryset.filter(created_at__lte=moment_of(last, time.max, values["zone"]))
        for name in self.given:
            own = deepcopy(type(self).base_filters[name])
            own.model, own.parent = Customer, self
            queryset = own.filter(queryset, values[name])
        return queryset

    def by_search(self, queryset: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        """`search`."""
        return queryset.searched(normalize.parse_search_words(value))

    def by_name(self, queryset: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        """`name`."""
        return queryset.named(normalize.fold(value).split())

    def by_email(self, queryset: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        """`primaryEmail`, of which the form has made the key: an individual's, or that of a
        business's primary contact.
        """
        return queryset.reached_by(ContactPoint.Kind.EMAIL, value, is_primary=True)

    def by_phone(self, queryset: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        """`primaryPhoneNumber`, which the form has turned into digits."""
        return queryset.reached_by(ContactPoint.Kind.PHONE, value, is_primary=True)

    def by_external_id(self, queryset: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        """`externalId`, which makes a customer's key."""
        return queryset.known_as(value, self.form.cleaned_data["accounts"])

    def by_attribute(
        self, queryset: CustomerQuerySet, _: str, value: tuple[list[UUID], str] | None
    ) -> CustomerQuerySet:
        """`customAttribute`, which the form has turned into definitions and the value."""
        return queryset.having_attribute(*value) if value else queryset

    def by_department(self, queryset: CustomerQuerySet, _: str, value: str) -> CustomerQuerySet:
        """`department`."""
        accounts = self.form.cleaned_data["accounts"]
        return queryset.in_department(value, accounts) if value else queryset

    def by_contact_point(
        self, queryset: CustomerQuerySet, _: str, value: tuple[str, str] | None
    ) -> CustomerQuerySet:
        """`contactPoint`, which the form has turned into kind and key."""
        return queryset.reached_by(*value) if value else queryset

    def pass_on(self, queryset: CustomerQuerySet, _name: str, _value: object) -> CustomerQuerySet:
        """What `filter_queryset` takes together with other parameters."""
        return queryset

    by_address = by_day = by_account = pass_on


@lru_cache(maxsize=256)
def form_of(names: tuple[str, ...]) -> type[CheckedForm]:
    """The form of some parameters; to make one takes longer than the database takes to answer."""
    fields = {name: CustomerFilter.base_filters[name].field for name in names}
    form: type[CheckedForm] = type("CustomerFilterForm", (CheckedForm,), fields)
    form.base_fields = SharedFields(form.base_fields)
    return form


def moment_of(day: date, at: time, zone: tzinfo) -> datetime:
    """A time of a day in a zone, as UTC: PostgreSQL knows no offset of 16 hours or more."""
    try:
        return datetime.combine(day, at, zone).astimezone(UTC)
    except OverflowError:
        return DAWN if day.year == DAWN.year else DUSK
