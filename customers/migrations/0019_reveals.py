"""Looks at sensitive values, which stand in the change log as well."""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.normalize
from config.db import online

record = import_module("customers.migrations.0002_change_record")
REVEAL = record.Tracked("reveal", "customers_reveal", texts="", values="ends_at")


class Migration(online.Migration):
    dependencies = [("customers", "0018_apps_of_accounts")]

    operations = [
        migrations.CreateModel(
            "Reveal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField(default=customers.normalize.uuid7, editable=False)),
                ("reason", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(editable=False)),
                ("ends_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reveals",
                        to="customers.customer",
                    ),
                ),
                (
                    "employee",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reveals",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "default_permissions": (),
                "permissions": [("audit_reveal", "Can see who revealed sensitive values")],
                "indexes": [
                    models.Index(fields=["employee", "created_at"], name="reveal_of_employee"),
                    models.Index(fields=["-created_at", "-id"], name="reveal_newest"),
                ],
            },
        ),
        record.tracking(REVEAL),
    ]
