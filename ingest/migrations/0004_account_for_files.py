"""What was stored of a file is on record, and so is a file that is being received."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("ingest", "0003_queue_by_number")]

    operations = [
        migrations.CreateModel(
            name="BulkUpload",
            fields=[
                ("request_id", models.UUIDField(primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField(db_default=Now(), db_index=True)),
            ],
        ),
        migrations.AddField(
            model_name="bulkfile",
            name="blocks",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="bulkfile",
            index=models.Index(
                fields=["request"],
                name="bulk_file_stored",
                condition=~models.Q(storage_name="", result_name=""),
            ),
        ),
    ]
