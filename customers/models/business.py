"""Tenants: business accounts in a tree, and their departments."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from customers.normalize import uuid7
from customers.querysets import BusinessAccountQuerySet


class BusinessAccount(models.Model):
    """A company that owns customers. A token sees its account and all descendants, nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    parent = models.ForeignKey(
        "self", models.PROTECT, related_name="children", null=True, blank=True
    )
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    default_region = models.CharField(
        "default phone region",
        max_length=2,
        default="US",
        help_text="Two-letter country by which phone numbers without a country code are read.",
    )
    departmentalization = models.BooleanField(
        default=False,
        help_text="The immediate search of the API finds, for an employee with a home department, "
        "the customers of the own departments only. The back office is not confined.",
    )
    levels = ArrayField(
        models.CharField(max_length=120),
        default=list,
        blank=True,
        help_text="Levels that customers may have, separated by commas; without any, all may be.",
    )
    industries = ArrayField(
        models.CharField(max_length=120),
        default=list,
        blank=True,
        help_text="Industries that customers may have, likewise.",
    )
    max_running_jobs = models.PositiveSmallIntegerField(
        "searches and loads at once",
        default=2,
        help_text="How many may run at the same time; others wait.",
    )
    two_factor_roles = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text="Roles whose people sign in with a code besides the password.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BusinessAccountQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="business_account_not_its_own_parent",
                violation_error_message="A business account cannot be its own parent.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    """A part of a business account that customers and employees can belong to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    business_account = models.ForeignKey(
        BusinessAccount, models.CASCADE, related_name="departments"
    )
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["business_account", "name"],
                name="department_name_once_per_account",
                violation_error_message="This business account has a department of that name.",
            )
        ]

    def __str__(self) -> str:
        return self.name
