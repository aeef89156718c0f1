"""The columns that a search's file is to have, and how it is compressed."""

import django.contrib.postgres.fields
from django.db import models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("search", "0005_run_permission"),
    ]

    operations = [
        online.AddField(
            model_name="customersearch",
            name="columns",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                blank=True,
                default=list,
                size=None,
            ),
            default="'{}'",
        ),
        online.AddField(
            model_name="customersearch",
            name="compression",
            field=models.CharField(
                choices=[("NONE", "None"), ("GZIP", "Gzip"), ("ZSTD", "Zstd")],
                default="NONE",
                max_length=4,
            ),
            default="'NONE'",
        ),
    ]
