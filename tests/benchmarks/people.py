"""The customers whom benchmarks of calls ask for."""

import random
from collections.abc import Sequence

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q

from customers.models import BusinessAccount, Customer

SAMPLE = 400


class Person:
    """A customer to ask for, by what is known of it."""

    def __init__(self, customer: Customer) -> None:
        self.id = str(customer.pk)
        self.external_id = customer.external_id
        reached = {point.kind: point.value for point in customer.contact_points.all()}
        self.email, self.phone = reached.get("EMAIL", ""), reached.get("PHONE", "")


def people(accounts: Sequence[BusinessAccount], skip: int = 0) -> list[Person]:
    """Some customers of these accounts who have all that they can be found by.

    They are the same each time; others where some are skipped.
    """
    rows = (
        Customer.objects.present()
        .filter(business_account__in=accounts)
        .exclude(external_id="")
        .annotate(kinds=ArrayAgg("contact_points__kind", filter=Q(contact_points__is_primary=True)))
        .filter(kinds__contains=["EMAIL", "PHONE"])
        .prefetch_related("contact_points")
        .order_by("id")
    )
    found = [Person(customer) for customer in rows[: SAMPLE * 4]]
    random.Random(7).shuffle(found)
    return found[skip : skip + SAMPLE]
