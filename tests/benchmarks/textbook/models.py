"""A customer with what hangs on it."""

import uuid

from django.contrib.auth.models import User
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper


class Account(models.Model):
    """A tenant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    members = models.ManyToManyField(User, related_name="accounts")


class Customer(models.Model):
    """A person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, models.CASCADE, related_name="customers")
    external_id = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=9, default="ACTIVE")
    first_name = models.CharField(max_length=40, blank=True)
    last_name = models.CharField(max_length=40, blank=True)
    date_of_birth = models.DateField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="customer_newest"),
            models.Index(fields=["account", "external_id"], name="customer_external_id"),
            GinIndex(OpClass(Upper("first_name"), "gin_trgm_ops"), name="customer_first_name"),
            GinIndex(OpClass(Upper("last_name"), "gin_trgm_ops"), name="customer_last_name"),
        ]


class Email(models.Model):
    """An e-mail address of a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="emails")
    value = models.CharField(max_length=320)
    is_primary = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(Upper("value"), name="email_value")]


class Phone(models.Model):
    """A telephone number of a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="phones")
    number = models.CharField(max_length=40, db_index=True)
    type = models.CharField(max_length=9, blank=True)
    extension = models.CharField(max_length=10, blank=True)
    is_primary = models.BooleanField(default=False)


class Address(models.Model):
    """An address of a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="addresses")
    type = models.CharField(max_length=8)
    street_line_1 = models.CharField(max_length=50, blank=True)
    street_line_2 = models.CharField(max_length=50, blank=True)
    city = models.CharField(max_length=25, blank=True)
    state = models.CharField(max_length=3, blank=True)
    country = models.CharField(max_length=3, blank=True)
    zip_code = models.CharField(max_length=10, blank=True)
