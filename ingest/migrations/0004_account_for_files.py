"""What was stored of a file is on record, and so is a file that is being received."""

from django.db import migrations, models
from django.db.models.functions import Now

from config.db import online


class Migration(online.Migration):
    dependencies = [("ingest", "0003_queue_by_number")]

    operations = [
        migrations.CreateModel(
            name="BulkUpload",
            fields=[
                ("request_id", models.UUIDField(primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField(db_default=Now(), db_index=True)),
            ],
        ),
        *online.checked_field("bulkfile", "blocks", models.PositiveIntegerField(null=True)),
        online.AddIndex(
            model_name="bulkfile",
            index=models.Index(
                fields=["request"],
                name="bulk_file_stored",
                condition=~models.Q(storage_name="", result_name=""),
            ),
        ),
    ]
