"""Fields that a business account defines for its customers or their contacts."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import F, Q

from config.db.crypto import SealedField
from customers.models.business import BusinessAccount
from customers.models.customer import Customer, CustomerOwned
from customers.normalize import uuid7
from customers.querysets import AttributeValueQuerySet, Hash64

# Triggers take the same lock for whoever writes values past this code.
LOCK = "attributes:{}"
HOLD = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"
HOLD_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


class AttributeDefinition(models.Model):
    """A custom attribute: its name, what it hangs on, and whether its values are encrypted.

    `is_encrypted` says how values leave: masked as long as one of them may be sealed. Once there is
    an attribute, only an `AttributeConversion` changes that, and triggers refuse anybody else. From
    its start until it has finished, over any failure, `conversion` says where it leads; new values
    are stored in that form at once (`seals`).
    """

    class Target(models.TextChoices):
        CUSTOMER = "customer"
        CONTACT = "contactPerson"

    class Conversion(models.TextChoices):
        ENCRYPTING = "ENCRYPTING"
        DECRYPTING = "DECRYPTING"

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
    conversion = models.CharField(
        max_length=10, choices=Conversion.choices, blank=True, default="", editable=False
    )

    class Meta:
        verbose_name = "custom attribute"
        ordering = ["name"]
        permissions = [("convert_attributedefinition", "Can encrypt and decrypt custom attributes")]
        constraints = [
            models.CheckConstraint(
                condition=Q(conversion="") | Q(is_encrypted=True),
                name="attribute_masked_while_converted",
            ),
            models.UniqueConstraint(
                fields=["business_account", "target", "name"],
                name="attribute_name_once_per_account",
                violation_error_message="This business account has an attribute of that name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def seals(self) -> bool:
        """Whether new values are stored sealed."""
        return self.is_encrypted and self.conversion != self.Conversion.DECRYPTING

    @staticmethod
    def hold(account_id: UUID) -> None:
        """Keep an account's attributes from being switched until the transaction ends.

        Many may hold them at once; the switch waits for all who do.
        """
        with connection.cursor() as cursor:
            cursor.execute(HOLD, [LOCK.format(account_id)])

    @staticmethod
    def hold_alone(account_id: UUID) -> None:
        """Wait until nobody holds an account's attributes, and hold them alone."""
        with connection.cursor() as cursor:
            cursor.execute(HOLD_ALONE, [LOCK.format(account_id)])

    def clean(self) -> None:
        """Refuse to change in place what only a conversion changes."""
        stored = AttributeDefinition.objects.filter(pk=self.pk).first()
        if stored is not None and stored.is_encrypted != self.is_encrypted:
            message = "This is changed by “Encrypt values” or “Stop encrypting”, not in place."
            raise ValidationError({"is_encrypted": message}, code="immutable")


class AttributeValue(CustomerOwned):
    """The value of a custom attribute: of the customer, or of one contact; sealed or in clear."""

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="attribute_values", db_index=False
    )
    contact_id = models.UUIDField(null=True, blank=True)
    # The unique index begins with it.
    definition = models.ForeignKey(
        AttributeDefinition, models.CASCADE, related_name="values", db_index=False
    )
    value = models.CharField(max_length=1024, blank=True, default="")
    value_sealed = SealedField(null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = AttributeValueQuerySet.as_manager()

    class Meta:
        constraints = [
            # In this order it is also how a conversion walks through the values.
            models.UniqueConstraint(
                fields=["definition", "customer", "contact_id"],
                name="attribute_value_once",
                nulls_distinct=False,
                violation_error_message="This attribute has a value already.",
            ),
            models.CheckConstraint(
                condition=Q(value="") | Q(value_sealed=None),
                name="attribute_value_sealed_or_clear",
            ),
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
