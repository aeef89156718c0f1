"""Fields that a business account defines for its customers or their contacts."""

from django.db import models
from django.db.models import F, Q

from customers.fields import SealedField
from customers.models.business import BusinessAccount
from customers.models.customer import Customer, CustomerOwned
from customers.normalize import uuid7
from customers.querysets import AttributeValueQuerySet, Hash64


class AttributeDefinition(models.Model):
    """A custom attribute: its name, what it hangs on, and whether its values are encrypted."""

    class Target(models.TextChoices):
        CUSTOMER = "customer"
        CONTACT = "contactPerson"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    business_account = models.ForeignKey(
        BusinessAccount, models.CASCADE, related_name="attribute_definitions"
    )
    target = models.CharField(max_length=13, choices=Target.choices, default=Target.CUSTOMER)
    name = models.CharField(max_length=60)
    is_encrypted = models.BooleanField(
        default=False,
        help_text="Tick for sensitive values: encrypted at rest and never searchable.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["business_account", "target", "name"],
                name="attribute_name_once_per_account",
                violation_error_message="This business account has an attribute of that name.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class AttributeValue(CustomerOwned):
    """The value of a custom attribute: of the customer, or of one contact. Sealed if encrypted."""

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="attribute_values", db_index=False
    )
    contact_id = models.UUIDField(null=True, blank=True)
    definition = models.ForeignKey(AttributeDefinition, models.CASCADE, related_name="values")
    value = models.CharField(max_length=1024, blank=True, default="")
    value_sealed = SealedField(null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = AttributeValueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "definition", "contact_id"],
                name="attribute_value_once",
                nulls_distinct=False,
                violation_error_message="This attribute has a value already.",
            )
        ]
        indexes = [
            # Values themselves may be longer than an index can hold.
            models.Index(
                F("definition"),
                Hash64("value"),
                name="attribute_value_equality",
                condition=Q(value_sealed__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.value
