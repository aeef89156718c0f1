"""The job that encrypts the values of a custom attribute, or decrypts them."""

from django.db import models
from django.db.models import Q

from config.jobs.models import Job
from customers.models.attributes import AttributeDefinition


class AttributeConversion(Job):
    """Brings all values of one custom attribute into the other form (`customers.conversion`).

    `converted` counts values, `masked` rows of the change log whose values in clear were replaced,
    and `unreadable` the sealed values that no configured key opens. Of customers up to
    `masked_until` the change log has been masked.
    """

    task_name = "customers.tasks.convert_attribute"

    definition = models.ForeignKey(
        AttributeDefinition, models.SET_NULL, related_name="conversions", null=True
    )
    to_encrypted = models.BooleanField()
    converted = models.PositiveBigIntegerField(default=0)
    masked = models.PositiveBigIntegerField(default=0)
    unreadable = models.PositiveBigIntegerField(default=0)
    masked_until = models.UUIDField(null=True, blank=True)

    class Meta(Job.Meta):
        verbose_name = "attribute conversion"
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["definition"],
                condition=Q(status__in=["SUBMITTED", "PICKED", "STARTED"]),
                name="attribute_conversion_one_at_a_time",
            ),
        ]
        indexes = [
            *Job.Meta.indexes,
            # The open ones are few among many that have ended.
            models.Index(
                fields=["business_account", "status", "submitted_at", "id"],
                name="attributeconversion_open",
                condition=Q(status__in=["SUBMITTED", "PICKED", "STARTED"]),
            ),
        ]

    def __str__(self) -> str:
        return f"Conversion of {self.definition or 'an attribute deleted since'}"
