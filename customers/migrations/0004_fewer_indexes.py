"""Indexes without the addresses that say nothing, and none that nobody looks into."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models import F, Q

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("customers", "0003_requests_of_a_transaction"),
    ]

    operations = [
        online.RemoveIndex("customer", "customer_external_id"),
        # No model has the index of a column by itself, so it cannot be named here.
        migrations.AlterField(
            model_name="enrollment",
            name="parent_customer_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        online.ReplaceIndex(
            "address",
            models.Index(
                condition=~Q(city_folded=""),
                fields=["city_folded", "state", "country"],
                name="address_city",
            ),
        ),
        online.ReplaceIndex(
            "address",
            GinIndex(
                OpClass(F("street_line_1_folded"), "gin_trgm_ops"),
                OpClass(F("city_folded"), "gin_trgm_ops"),
                condition=~Q(city_folded="", street_line_1_folded=""),
                name="address_trigrams",
            ),
        ),
    ]
