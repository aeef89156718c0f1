"""How a page of the list of customers is come by, where there are too many to sort all of them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from config.api.pagination import Narrow, PageRequest, Total
from config.db.estimates import expected_rows
from customers.models import BusinessAccount
from customers.querysets import CustomerQuerySet
from customers.sorting import first_ids

# More business accounts than these are not walked through one by one.
MOST_ACCOUNTS = 1000
# Walks of one account, about: an order is cut into a few (`customers.sorting`).
WALKS = 4
# In the order of one index, whosever they are.
BY_CREATION = ("", "oldest")


def walk_of(
    customers: CustomerQuerySet,
    accounts: Sequence[UUID] | None,
    order: str,
    searched: CustomerQuerySet | None = None,
    created_from: datetime | None = None,
) -> Narrow | None:
    """How to come to the first of many: a walk along an index for each business account.

    None where one index has them all in this order. A search, which has found `customers` among
    `searched`, is rather sorted, unless it has found so many that walks soon meet enough of them.
    """
    if accounts is None and order in BY_CREATION:
        return None
    if accounts is None:
        every_account = BusinessAccount.objects.values_list("pk", flat=True)
        accounts = list(every_account[: MOST_ACCOUNTS + 1])

    def walk(asked: PageRequest, count: int, total: Total) -> set[UUID] | None:
        is_long = total.is_estimate and len(accounts) <= MOST_ACCOUNTS
        if is_long and searched is not None:
            found, of = (
                expected(each.filter(business_account__in=accounts))
                for each in (customers, searched)
            )
            # Rows that the walks look at, each for one in `of / found`, against all that are found.
            is_long = (
                found is not None
                and of is not None
                and len(accounts) * WALKS * count * of < found * found
            )
        if not is_long:
            return None
        return first_ids(customers, accounts, asked, count, created_from=created_from)

    return walk


def expected(customers: CustomerQuerySet) -> int | None:
    """How many customers the planner expects, if it knows; nothing is counted."""
    rows = customers.order_by().values("id")
    return expected_rows(*rows.query.sql_with_params())
