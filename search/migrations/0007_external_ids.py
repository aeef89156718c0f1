"""The external ids that a search asks for."""

import django.contrib.postgres.fields
from django.db import models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("search", "0006_columns"),
    ]

    operations = [
        online.AddField(
            model_name="customersearch",
            name="external_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=120),
                blank=True,
                default=list,
                size=None,
            ),
            default="'{}'",
        ),
    ]
