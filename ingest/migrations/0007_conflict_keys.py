"""`touched` is called `conflict_keys` in Python; the column stays as it is."""

from django.db import migrations, models

import ingest.models
from config.db import online


class Migration(online.Migration):
    dependencies = [("ingest", "0006_failed_lines")]

    operations = [
        migrations.AlterField(
            model_name="bulkrequest",
            name="touched",
            field=ingest.models.NumbersField(
                base_field=models.BigIntegerField(),
                blank=True,
                db_column="touched",
                null=True,
                size=None,
            ),
        ),
        migrations.RenameField("bulkrequest", "touched", "conflict_keys"),
    ]
