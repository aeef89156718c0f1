"""Where a customer lives, gets post, and gets parcels."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q

from customers.models.customer import Customer, CustomerOwned, folded, text


class Address(CustomerOwned):
    """An address of a customer; of each type that is present exactly one is primary.

    Countries are ISO 3166-1 alpha-3, subdivisions ISO 3166-2 without the country part. An address
    that came through `/v2/data` may have no street line.
    """

    class Type(models.TextChoices):
        MAILING = "MAILING"
        PHYSICAL = "PHYSICAL"
        SHIPPING = "SHIPPING"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="addresses", db_index=False)
    type = models.CharField(max_length=8, choices=Type.choices)
    # Whom a parcel is for; only addresses of type SHIPPING have it.
    first_name = text(40)
    middle_name = text(40)
    last_name = text(40)
    street_line_1 = text(50)
    street_line_2 = text(50)
    street_line_3 = text(50)
    street_line_4 = text(50)
    street_line_5 = text(50)
    street_line_1_folded = folded(50)
    street_line_2_folded = folded(50)
    street_line_3_folded = folded(50)
    city = text(25)
    city_folded = folded(25)
    state = text(3)
    country = text(3)
    zip_code = text(10)
    is_primary = models.BooleanField(default=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "type"],
                condition=Q(is_primary=True),
                name="address_one_primary_per_type",
                violation_error_message="Of each type of address one is primary.",
            ),
            models.CheckConstraint(
                condition=Q(type__in=["MAILING", "PHYSICAL", "SHIPPING"]), name="address_type_known"
            ),
        ]
        indexes = [
            models.Index(fields=["zip_code", "country"], name="address_zip_code"),
            GinIndex(
                OpClass(F("street_line_1_folded"), "gin_trgm_ops"),
                OpClass(F("city_folded"), "gin_trgm_ops"),
                name="address_trigrams",
                condition=~Q(street_line_1_folded="", city_folded=""),
            ),
        ]

    def __str__(self) -> str:
        parts = [self.street_line_1, self.city, self.state, self.zip_code, self.country]
        return ", ".join(filter(None, parts))
