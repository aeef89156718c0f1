"""One customer of those that an actor may see, by its id."""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from config.api.actors import Actor
from config.api.ahead import TREE as TREE_OF_TOKEN
from config.api.ahead import Ahead
from config.db.statements import Question, Row, Slot, Statement
from customers.models import Customer
from customers.querysets import CustomerQuerySet


class OneCustomer:
    """A statement about one customer of those that an actor may see.

    `ask` makes of the customer, a `CustomerQuerySet` of one, what is asked of it; the first column
    is never null. Where its id stands is given as well, unless the statement is part of another. A
    deleted customer is left out unless `or_deleted`.
    """

    def __init__(
        self,
        ask: Callable[[CustomerQuerySet, Slot | None], "QuerySet[Customer, Any]"],
        *,
        or_deleted: bool = False,
    ) -> None:
        def one(customer_id: Slot) -> CustomerQuerySet:
            found = Customer.objects.filter(pk=customer_id)
            return found if or_deleted else found.present()

        def own(tree: Slot, customer_id: Slot) -> CustomerQuerySet:
            return one(customer_id).filter(business_account__id__any=tree)

        self._statement = Statement(
            lambda tree, customer_id: ask(own(tree, customer_id), customer_id)
        )
        self._within_token = Statement(lambda tree, customer_id: ask(own(tree, customer_id), None))
        self._beside_token = Statement(lambda customer_id: ask(one(customer_id), customer_id))

    def ahead(self, customer_id: UUID) -> Ahead | None:
        """The question for one round trip with the token; None where rows are not shown before.

        Its first column has to be the business account. On a distributed engine the customer lies
        elsewhere than the token, and no statement joins them. Two statements in one message take no
        longer than the joined one (`./kith bench distributed`), but that finds nothing of others.
        """
        if settings.ROW_SECURITY:
            return None
        if settings.DISTRIBUTED:
            return Ahead(*self._beside_token.question(customer_id), is_apart=True)
        return Ahead(self._sql_ahead, (customer_id,))

    @cached_property
    def _sql_ahead(self) -> str:
        return self._within_token.text(TREE_OF_TOKEN, "%s::uuid")

    def row(self, actor: Actor, customer_id: UUID, found: Row | None = None) -> Row | None:
        """The answer; None where the actor sees no such customer (see `visible_to`).

        `found` is what was found `ahead` of it.
        """
        if actor.customer_id not in {None, customer_id}:
            return None
        if found is not None:
            return None if found[0] is None else found
        rows = self._statement.rows(actor.tree, customer_id)
        return rows[0] if rows else None

    def question(self, actor: Actor, customer_id: UUID) -> Question:
        """The question, to be asked together with others."""
        # Nobody is a customer of no account.
        is_seen = actor.customer_id in {None, customer_id}
        return self._statement.question(actor.tree if is_seen else (), customer_id)

    def converted(self, rows: list[Row]) -> Row | None:
        """The answer to `question`, as `row` gives it."""
        return next(iter(self._statement.converted(rows)), None)
