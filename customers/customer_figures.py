"""What the dashboard tells of customers: how many of which kind, and how many are new."""

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncDate

from config.api.pagination import Total
from customers.figures import Accounts, Section, Values, is_at_most, of_accounts, start_of_today
from customers.models import Customer

DAYS = 30


def is_small(accounts: Accounts, _zone: ZoneInfo) -> bool:
    """Whether the customers of these accounts are few."""
    return is_at_most(of_accounts(Customer.objects.all(), accounts))


def count(accounts: Accounts, zone: ZoneInfo) -> Values:
    """`total`, `kinds` (a row for each type with a number for each status), and `days`.

    Of the days also `new`, their sum, `most`, the largest, and `scale`, the height of a whole bar.
    """
    customers = of_accounts(Customer.objects.order_by(), accounts)
    kinds = customers.values_list("type", "status").annotate(Count("pk"))
    counts = {(type_, status): number for type_, status, number in kinds}
    days = new_per_day(accounts, zone)
    most = max(number for _day, number in days)
    return {
        "total": sum(counts.values()),
        "kinds": [
            (type_, [(status, counts.get((type_, status), 0)) for status in Customer.Status])
            for type_ in Customer.Type
        ],
        "days": days,
        "new": sum(number for _day, number in days),
        "most": most,
        "scale": max(most, 5),
    }


def new_per_day(accounts: Accounts, zone: ZoneInfo) -> list[tuple[date, int]]:
    """Each of the last `DAYS` days, today last, with the number of customers that came."""
    today = start_of_today(zone)
    first = (today - timedelta(days=DAYS - 1)).replace(hour=0)
    new = of_accounts(Customer.objects.order_by(), accounts).filter(created_at__gte=first)
    by_day = new.annotate(day=TruncDate("created_at", tzinfo=zone)).values_list("day")
    counts = Counter(dict(by_day.annotate(Count("pk"))))
    days = (first.date() + timedelta(days=number) for number in range(DAYS))
    return [(day, counts[day]) for day in days]


def guess(accounts: Accounts) -> Values:
    """`about`: how many customers there are by the planner's estimate."""
    return {"about": Total.of(of_accounts(Customer.objects.all(), accounts)).count}


SECTION = Section(
    name="customers",
    title="Customers",
    permission="customers.view_customer",
    template="admin/customers/figures.html",
    is_small=is_small,
    count=count,
    guess=guess,
)
