"""Questions to the registry, each with a name. Who may see what is answered here alone."""

import logging
import math
from collections.abc import Collection, Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import Exact, In

from config.api.actors import Actor
from config.db.estimates import Plan, nodes
from config.db.statements import Slot
from customers import normalize, phones
from customers.criteria import Criteria, Match

if TYPE_CHECKING:
    from customers.models import (  # noqa: F401 -- the querysets' models
        AttributeValue,
        BusinessAccount,
        Customer,
    )

# UNION drops what was found before: so the walk ends even where an account is its own ancestor.
TREE = """
    WITH RECURSIVE tree AS (
        SELECT id FROM customers_businessaccount WHERE id = {root}
        UNION
        SELECT child.id FROM customers_businessaccount child JOIN tree ON child.parent_id = tree.id
    )
    SELECT id FROM tree"""

ANCESTORS = """
    WITH RECURSIVE line AS (
        SELECT id, parent_id FROM customers_businessaccount WHERE id = %s
        UNION
        SELECT above.id, above.parent_id
        FROM customers_businessaccount above JOIN line ON above.id = line.parent_id
    )
    SELECT id FROM line"""

# Of a row: the names from the top down to it. Accounts above `top`, if one is given, do not count;
# a circle ends after fifty steps.
TREE_PATH = """(
    WITH RECURSIVE line(id, parent_id, label, steps) AS (
        SELECT own.id, own.parent_id, lower(own.name) || own.id, 1
        FROM customers_businessaccount own WHERE own.id = customers_businessaccount.id
        UNION ALL
        SELECT above.id, above.parent_id, lower(above.name) || above.id, steps + 1
        FROM customers_businessaccount above JOIN line ON above.id = line.parent_id
        WHERE line.id IS DISTINCT FROM %s AND steps < 50
    )
    SELECT array_agg(label ORDER BY steps DESC) FROM line)"""

# Walks of a distributed engine for one page.
MOST_WALKS = 100
# The index that finds words which may occur anywhere in a text.
BY_WORDS = "customer_search_trigrams"
# A row costs about so many times as much as an entry of an index that is read as a whole.
FAR_MORE = 5

logger = logging.getLogger(__name__)


def tree_path(top: UUID | None) -> RawSQL:
    """By what business accounts are sorted as a tree, each parent before its children.

    Its length tells how deep below `top` an account is, or below the top of its tree.
    """
    path = ArrayField(models.TextField())
    return RawSQL(TREE_PATH, [top], output_field=path)  # noqa: S611 -- made of constants only


def report_circle(account_id: UUID, parent_id: UUID | None, tree: Collection[UUID]) -> None:
    """Log when an account is its own ancestor: exactly then its parent is in its own tree."""
    if parent_id is not None and parent_id in tree:
        logger.error(
            "business account %s is its own ancestor: give an account of the circle another parent",
            account_id,
        )


def related(walk: str, account_id: UUID) -> RawSQL:
    """The ids that a walk through the tree finds from an account."""
    return RawSQL(walk, [account_id])  # noqa: S611 -- one of the constants above


class Hash64(models.Func):
    """PostgreSQL's hash of a text as a bigint: an index of it takes values of any length."""

    function = "hashtextextended"
    template = "%(function)s(%(expressions)s, 0)"
    output_field: "models.Field[object, object]" = models.BigIntegerField()


def are_walked(walks: int) -> bool:
    """Whether so many lists of customers are each walked along by themselves, to find the first.

    A distributed engine does so one after the other, each on all shards; of more than `MOST_WALKS`
    it would not answer in time. Then all accounts are looked through at once, past the customers of
    others or by sorting all of theirs. One server is quicker with walks also for 400 accounts.
    """
    return walks <= MOST_WALKS or not settings.DISTRIBUTED


def is_better_by_words(plan: Plan) -> bool:
    """Whether customers are found sooner by words alone: `plan` reads far more of the accounts'.

    PostgreSQL holds a look at a row, which is in memory, for a look at a disk. So it rather reads
    an index of all customers of the accounts, too, and takes those that both have: of 25,000 in a
    registry, 10,000 in a tree of 500,000 were found so in 59 ms, and in 33 without. In a small
    account it does right.
    """
    for each in nodes(plan):
        if each["Node Type"] == "BitmapAnd":
            sizes = {part.get("Index Name"): part["Plan Rows"] for part in each["Plans"]}
            if max(sizes.values()) > FAR_MORE * sizes.get(BY_WORDS, math.inf):
                return True
    return False


class BusinessAccountQuerySet(models.QuerySet["BusinessAccount"]):
    """Business accounts."""

    def visible_to(self, actor: Actor) -> "BusinessAccountQuerySet":
        """The actor's own account and all of its descendants."""
        return self.filter(pk__in=actor.tree)

    def tree_of(self, account_id: UUID) -> "BusinessAccountQuerySet":
        """An account and all of its descendants, as they are now."""
        return self.filter(pk__in=related(TREE.format(root="%s"), account_id))

    def above(self, account_id: UUID) -> "BusinessAccountQuerySet":
        """An account and all of its ancestors."""
        return self.filter(pk__in=related(ANCESTORS, account_id))

    def first_customers(self, streams: "Sequence[CustomerQuerySet]", count: int) -> set[UUID]:
        """The ids of the first customers of each of these accounts in each of some ordered lists.

        One walk along an index for each account and list, however many customers others have. A
        distributed engine takes no subquery for each row of a table that all nodes have: there the
        walks are written out, or are one for each list over all accounts (`are_walked`). Written
        out, PostgreSQL plans each: twice the time for five accounts (`./kith bench distributed`).
        """
        if settings.DISTRIBUTED:
            accounts = list(self.values_list("pk", flat=True))
            if are_walked(len(accounts) * len(streams)):
                walks = [
                    stream.filter(business_account=account)
                    for account, stream in product(accounts, streams)
                ]
            else:
                walks = [stream.filter(business_account__in=accounts) for stream in streams]
            first, *others = (walk.values_list("pk", flat=True)[:count] for walk in walks)
            return set(first.union(*others, all=True))
        own = {
            f"stream_{number}": ArraySubquery(
                stream.filter(business_account=OuterRef("pk")).values("pk")[:count]
            )
            for number, stream in enumerate(streams)
        }
        found = self.order_by().annotate(**own).values_list(*own)
        return {customer_id for row in found for ids in row for customer_id in ids}


class AttributeValueQuerySet(models.QuerySet["AttributeValue"]):
    """Values of custom attributes."""

    def equal_to(self, value: str) -> "AttributeValueQuerySet":
        """Those that are stored in clear and are exactly this; by the index of their hashes."""
        return self.alias(hash=Hash64("value")).filter(
            hash=Hash64(Value(value)), value=value, value_sealed=None
        )


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers."""

    def visible_to(
        self,
        actor: Actor,
        accounts: Collection[UUID] | None = None,
        *,
        by_index: bool = True,
    ) -> "CustomerQuerySet":
        """The customers of the actor's tree; for a customer who signed in, its own row.

        `accounts` narrows the tree. It is one condition on purpose: the planner would take two on
        the same column for independent, and expect far too few rows. For `by_index` see
        `of_accounts`.
        """
        tree = actor.tree if accounts is None else tuple(set(actor.tree).intersection(accounts))
        found = self if actor.customer_id is None else self.filter(pk=actor.customer_id)
        return found.of_accounts(tree, by_index=by_index)

    def of_accounts(
        self, accounts: Collection[UUID], *, by_index: bool = True
    ) -> "CustomerQuerySet":
        """The customers of these accounts.

        Not `by_index`, PostgreSQL is kept from reading an index of accounts for it: each row that
        it finds otherwise is looked at.
        """
        if by_index:
            return self.filter(business_account_id__in=accounts)
        account = Coalesce("business_account_id", "pk")
        return self.filter(In(account, list(accounts))) if accounts else self.none()

    def present(self) -> "CustomerQuerySet":
        """All but the deleted ones."""
        return self.exclude(status="DELETED")

    def searched(self, words: Iterable[str]) -> "CustomerQuerySet":
        """Every word (see `normalize.parse_search_words`) occurs in what names the customer.

        A word that is a UUID, or at least its first eight hexadecimal digits, finds by id.
        """
        found = self
        for word in words:
            condition = Q(search_text__contains=word)
            if bounds := id_range(word):
                condition |= Q(id__range=bounds)
            found = found.filter(condition)
        return found

    def named(self, words: Iterable[str]) -> "CustomerQuerySet":
        """Every one of these folded words occurs in the name.

        What names a customer is in its search text too, which is the column with the index. The
        planner would take two conditions for independent, and expect far too few rows: so it is
        not told what the second one is about.
        """
        found = self
        for word in words:
            is_absent = Exact(StrIndex("name_folded", Value(word)), 0)
            found = found.filter(~Q(is_absent), search_text__contains=word)
        return found

    def reached_by(self, kind: str, value_key: str | Slot, **point: object) -> "CustomerQuerySet":
        """Some contact point of this kind has this value; `point` narrows which points count."""
        points = apps.get_model("customers.ContactPoint").objects
        return self.filter(
            Exists(points.filter(customer=OuterRef("pk"), kind=kind, value_key=value_key, **point))
        )

    def living_at(self, **address: str) -> "CustomerQuerySet":
        """One address has all of these values (columns of `Address`, with or without a lookup).

        By an exact city, or a country alone, the customers themselves are found. Their addresses
        are looked at only where there is more to compare: to do so for 25,000 of a city, in a
        registry of 1,000,000, takes 130 ms, and to find them 40.
        """
        exact = {name.removesuffix("__exact"): value for name, value in address.items()}
        keys = normalize.address_keys(exact.get("city_folded", ""), exact.get("country", ""))
        if len(address) == len(keys) == 1:
            return self.filter(address_keys__contains=keys)
        found = self.filter(address_keys__contains=keys) if "city_folded" in exact else self
        addresses = apps.get_model("customers.Address").objects
        # The index has no addresses without them, and the planner has to be told.
        is_there = [
            ~Q(**{column: ""})
            for column in ("street_line_1_folded", "city_folded")
            if any(name.startswith(column) for name in address)
        ]
        return found.filter(Exists(addresses.filter(*is_there, customer=OuterRef("pk"), **address)))

    def known_as(self, external_id: str, accounts: Iterable[UUID]) -> "CustomerQuerySet":
        """The customers that these business accounts know by an id of their own."""
        return self.filter(pk__in=customer_ids(external_id, accounts))

    def having_attribute(self, definitions: Collection[UUID], value: str) -> "CustomerQuerySet":
        """One of these custom attributes of the customer itself is exactly this, in clear."""
        values = apps.get_model("customers.AttributeValue").objects.equal_to(value)
        return self.filter(
            Exists(
                values.filter(
                    customer=OuterRef("pk"), contact_id=None, definition__in=list(definitions)
                )
            )
        )

    def in_department(self, name: str, accounts: Collection[UUID]) -> "CustomerQuerySet":
        """Customers of a department of this name of one of these business accounts."""
        departments = apps.get_model("customers.Department").objects
        found = departments.filter(business_account__in=accounts, name=name)
        return self.filter(department__in=list(found.values_list("pk", flat=True)))

    def having_contact(self, kind: str, **contact: str) -> "CustomerQuerySet":
        """Customers of type `kind` of whom one contact has all of these values."""
        if kind == "INDIVIDUAL":
            # Its one contact is the primary one: a plain join, which can be done in parallel.
            columns = {f"contacts__{name}": value for name, value in contact.items()}
            return self.filter(contacts__is_primary=True, **columns)
        contacts = apps.get_model("customers.Contact").objects
        return self.filter(Exists(contacts.filter(customer=OuterRef("pk"), **contact)))

    def matching(self, criteria: Criteria) -> "CustomerQuerySet":
        """The customers for whom all of the criteria hold, whosever they are."""
        found = self.filter(
            type=criteria.customer_account_type, status__in=criteria.customer_account_status
        )
        if criteria.created_from is not None:
            found = found.filter(created_at__gte=criteria.created_from)
        if criteria.created_before is not None:
            found = found.filter(created_at__lt=criteria.created_before)
        if criteria.business_name:
            # The indexes have no customers without one, and the planner has to be told.
            found = found.filter(
                ~Q(business_name_folded=""),
                **compared(criteria.match, business_name_folded=criteria.business_name),
            )
        if contact := compared(
            criteria.match,
            first_name_folded=criteria.first_name,
            middle_name_folded=criteria.middle_name,
            last_name_folded=criteria.last_name,
        ) | given(
            prefix__unaccent__iexact=criteria.prefix,
            suffix__unaccent__iexact=criteria.suffix,
            gender__unaccent__iexact=criteria.gender,
            sex=criteria.sex,
        ):
            found = found.having_contact(criteria.customer_account_type, **contact)
        if criteria.email:
            found = found.reached_by("EMAIL", criteria.email)
        if criteria.phone_number:
            found = found.reached_by("PHONE", phones.digits_of(criteria.phone_number))
        if address := compared(
            criteria.match,
            street_line_1_folded=criteria.address_line_1,
            street_line_2_folded=criteria.address_line_2,
            street_line_3_folded=criteria.address_line_3,
            city_folded=criteria.city,
        ) | given(state=criteria.state, zip_code=criteria.postal_code, country=criteria.country):
            found = found.living_at(**address)
        return found


LOOKUPS = {
    Match.EXACT: "exact",
    Match.PREFIX: "startswith",
    Match.CONTAINS: "contains",
    Match.FUZZY: "trigram_similar",
}


def given(**values: str) -> dict[str, str]:
    """The conditions that were given a value."""
    return {name: value for name, value in values.items() if value}


def compared(match: Match, **columns: str) -> dict[str, str]:
    """Conditions on folded columns, compared as `match` says."""
    return {f"{name}__{LOOKUPS[match]}": value for name, value in given(**columns).items()}


def customer_ids(external_id: str, accounts: Iterable[UUID]) -> list[UUID]:
    """The ids that the customers with an id of these accounts' own have, or would have."""
    return [normalize.customer_id(account, external_id) for account in accounts]


def id_range(word: str) -> tuple[UUID, UUID] | None:
    """The UUIDs that begin with `word`, if it is eight or more hexadecimal digits of one."""
    digits = word.replace("-", "")
    if not 8 <= len(digits) <= 32 or not all(digit in "0123456789abcdef" for digit in digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
