"""The lines of files that failed, as they were sent."""

import django.db.models.deletion
from django.db import migrations, models

import config.db.crypto
import customers.normalize
from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("ingest", "0005_ended_jobs"),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkFailedLines",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=customers.normalize.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("lines_sealed", config.db.crypto.SealedField()),
                (
                    "request",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="failed_lines",
                        to="ingest.bulkrequest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("request", "number"), name="bulk_failed_lines_once_per_block"
                    )
                ],
            },
        ),
    ]
