"""The jobs that run, found among very many that wait."""

from django.db import migrations, models

import ingest.models
from config.db import online


class Migration(online.Migration):
    dependencies = [("ingest", "0001_bulk_requests")]

    operations = [
        migrations.AlterField(
            model_name="bulkrequest",
            name="touched",
            field=ingest.models.NumbersField(
                base_field=models.BigIntegerField(), blank=True, null=True, size=None
            ),
        ),
        online.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                fields=["business_account"],
                name="bulkrequest_running",
                condition=models.Q(("status__in", ["PICKED", "STARTED"])),
            ),
        ),
    ]
