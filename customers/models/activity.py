"""What happened with a customer: interactions, and the change log."""

from django.db import models

from customers.models.customer import Customer, CustomerOwned


class Activity(CustomerOwned):
    """One interaction with a customer."""

    class Type(models.TextChoices):
        EMAIL = "email"
        CHAT = "chat"
        CALLTRACK = "calltrack"
        SOCIAL = "social"

    class Mode(models.TextChoices):
        INBOUND = "inbound"
        OUTBOUND = "outbound"

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="activities", db_index=False
    )
    type = models.CharField(max_length=9, choices=Type.choices)
    mode = models.CharField(max_length=8, choices=Mode.choices)
    is_read = models.BooleanField(default=False)
    is_secure = models.BooleanField(default=False)
    sent_date = models.DateTimeField()
    subject = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(editable=False)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)

    class Meta:
        ordering = ["-sent_date", "-id"]
        verbose_name_plural = "activities"
        indexes = [models.Index(fields=["type", "sent_date"], name="activity_type_sent")]

    def __str__(self) -> str:
        return f"{self.type} {self.mode} {self.sent_date:%Y-%m-%d}"


class Change(models.Model):
    """One row of the change log: what one statement did to one row of a customer.

    Triggers write it in the transaction of the change itself (migration `change_record`), so that
    no write can forget it. `before` and `after` hold the columns that changed, secrets masked.
    What an undo needs besides is in `kept` (columns that the history does not show) and `sealed`
    (ciphertexts that were replaced, as long as a load can be undone): migration `kept_values`.
    The table is partitioned by month: `customers.services.change_partitions`.
    """

    class Operation(models.TextChoices):
        CREATED = "created"
        UPDATED = "updated"
        DELETED = "deleted"

    # In the order in which it is read: ids alone do not rise with time, where transactions overlap
    # or clocks are set back.
    pk = models.CompositePrimaryKey("customer_id", "at", "id")
    customer_id = models.UUIDField()
    at = models.DateTimeField()
    id = models.BigIntegerField()
    actor_type = models.CharField(max_length=15)
    actor_id = models.CharField(max_length=36, blank=True)
    via = models.CharField(max_length=20)
    request_id = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    entity = models.CharField(max_length=20)
    entity_id = models.UUIDField()
    operation = models.CharField(max_length=7, choices=Operation.choices)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    kept = models.JSONField(null=True)
    sealed = models.JSONField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            # Few have any.
            models.Index(
                fields=["at", "customer_id", "id"],
                name="change_sealed",
                condition=models.Q(sealed__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.operation}"
