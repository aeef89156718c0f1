"""Who looked at sensitive values, and why."""

from django.db import models

from customers.models.customer import Customer, CustomerOwned
from customers.models.people import User


class Reveal(CustomerOwned):
    """A look of an employee's at the sensitive values of a customer, for some minutes.

    It stands in the customer's change log, too, with its reason: a trigger puts it there.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="reveals", db_index=False)
    # Nobody is deleted who has looked.
    employee = models.ForeignKey(User, models.PROTECT, related_name="reveals", db_index=False)
    reason = models.CharField(max_length=255)
    created_at = models.DateTimeField(editable=False)
    ends_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        default_permissions = ()
        permissions = [("audit_reveal", "Can see who revealed sensitive values")]
        indexes = [
            # How often somebody looked lately, and whether a look goes on.
            models.Index(fields=["employee", "created_at"], name="reveal_of_employee"),
            models.Index(fields=["-created_at", "-id"], name="reveal_newest"),
        ]

    def __str__(self) -> str:
        return self.reason
