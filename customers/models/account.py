"""The programme data of a customer, as loaded through `/v2/data`."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from customers.models.business import BusinessAccount
from customers.models.customer import Customer, CustomerOwned


class Enrollment(models.Model):
    """How a customer takes part in the programme.

    A parent that has not arrived yet is kept by its source id; its UUID is known in advance
    (`normalize.customer_id`), so that no join waits for it.
    """

    class OptIn(models.TextChoices):
        ACTIVE = "ACTIVE"
        INACTIVE = "INACTIVE"

    class Targeting(models.TextChoices):
        TARGET = "TARGET"
        DO_NOT_TARGET = "DO_NOT_TARGET"

    class Redemption(models.TextChoices):
        ALL = "ALL"
        NONE = "NONE"

    customer = models.OneToOneField(
        Customer, models.CASCADE, related_name="enrollment", primary_key=True
    )
    source_parent_customer_id = models.CharField(max_length=120, blank=True, default="")
    parent_customer_id = models.UUIDField(null=True, blank=True)
    organization_id = models.CharField(max_length=120)
    # As last loaded. An address is made of them, which operators may change or remove.
    postal_code = models.CharField(max_length=10)
    country = models.CharField(max_length=3)
    customer_creation_date = models.DateTimeField()
    enrollment_start_date = models.DateTimeField()
    enrollment_end_date = models.DateTimeField(null=True, blank=True)
    enrollment_opt_in_status = models.CharField(max_length=8, choices=OptIn.choices)
    alert_opt_in_status = ArrayField(models.CharField(max_length=18), default=list, blank=True)
    targeting_indicator = models.CharField(max_length=13, choices=Targeting.choices)
    redemption_eligibility = models.CharField(
        max_length=4, choices=Redemption.choices, blank=True, default=""
    )
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return f"{self.organization_id} {self.enrollment_opt_in_status}"


class Account(CustomerOwned):
    """A bank or card account as one of its holders has it: each holder has a row of its own.

    `id` is the same for all holders, version 5 of (business account, source account id); a holder
    that has not arrived yet has its row already, under the UUID that it will have.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN"
        CLOSED = "CLOSED"
        DISPUTE = "DISPUTE"
        FRAUD = "FRAUD"

    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="accounts", db_index=False, db_constraint=False
    )
    business_account = models.ForeignKey(
        BusinessAccount, models.PROTECT, related_name="+", db_index=False
    )
    source_account_id = models.CharField(max_length=120)
    source_customer_ids = ArrayField(models.CharField(max_length=120))
    primary_source_customer_id = models.CharField(max_length=120)
    status = models.CharField(max_length=7, choices=Status.choices)
    type = models.CharField(max_length=5)
    source_portfolio_id = models.CharField(max_length=120)
    # The source id of the customer that it was last sent under.
    sent_under = models.CharField(max_length=120)
    open_date = models.DateTimeField()
    close_date = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        indexes = [models.Index(fields=["id"], name="account_holders")]

    def __str__(self) -> str:
        return self.source_account_id


class Card(CustomerOwned):
    """A card on an account, of one holder. Only the last four digits of its number are known.

    `id` is version 5 of (account id, last four): account, customer and last four are its key.
    """

    class Type(models.TextChoices):
        CREDIT = "CREDIT"
        DEBIT = "DEBIT"
        PREPAID = "PREPAID"

    class Status(models.TextChoices):
        OPEN = "OPEN"
        CLOSED = "CLOSED"

    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="cards", db_index=False, db_constraint=False
    )
    account_id = models.UUIDField()
    last4 = models.CharField(max_length=4)
    iin = models.CharField(max_length=8)
    type = models.CharField(max_length=7, choices=Type.choices)
    status = models.CharField(max_length=6, choices=Status.choices)
    network_identifier = models.CharField(max_length=10)
    open_date = models.DateTimeField()
    close_date = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return f"•••• {self.last4}"
