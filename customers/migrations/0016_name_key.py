"""Customers' names as an index holds them, and phone numbers with the digits of extensions."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Concat, Left

import customers.models.customer


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0015_sort_indexes")]

    operations = [
        migrations.AddField(
            "customer",
            "name_key",
            models.GeneratedField(
                expression=Left("name_folded", 600),
                output_field=models.CharField(max_length=600),
                db_persist=True,
            ),
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(
                fields=["business_account", "name_key", "id"],
                name="customer_sort_name",
                condition=models.Q(("status", "DELETED"), _negated=True),
            ),
        ),
        AddIndexConcurrently(
            "contactpoint",
            models.Index(
                Concat("value_key", customers.models.customer.Digits("extension")),
                name="contact_point_full_number",
                condition=models.Q(("kind", "PHONE"), models.Q(("extension", ""), _negated=True)),
            ),
        ),
        RemoveIndexConcurrently("contactpoint", "contact_point_extension"),
    ]
