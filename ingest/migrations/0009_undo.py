"""Undo of loads: which request undoes which, once only, and how many items it removed."""

import django.db.models.deletion
from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("customers", "0026_sealed_changes"),
        ("ingest", "0008_tables_and_trials"),
    ]

    operations = [
        *online.checked_field("bulkpart", "removed", models.PositiveIntegerField(db_default=0)),
        *online.checked_field("bulkrequest", "removed", models.PositiveIntegerField(db_default=0)),
        migrations.AddField(
            model_name="bulkrequest",
            name="undo_of",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="undos",
                to="ingest.bulkrequest",
            ),
        ),
        migrations.AlterField(
            model_name="bulkitem",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("CREATED", "Created"),
                    ("UPDATED", "Updated"),
                    ("UNCHANGED", "Unchanged"),
                    ("FAILED", "Failed"),
                    ("REMOVED", "Removed"),
                ],
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="bulkrequest",
            name="action",
            field=models.CharField(
                choices=[
                    ("CREATE_CUSTOMERS", "Create Customers"),
                    ("UPDATE_CUSTOMERS", "Update Customers"),
                    ("UPDATE_ACCOUNTS", "Update Accounts"),
                    ("UPDATE_CARDS", "Update Cards"),
                    ("LOAD_FILE", "Load File"),
                    ("UNDO", "Undo"),
                ],
                max_length=16,
            ),
        ),
        online.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                condition=models.Q(("undo_of__isnull", False)),
                fields=["undo_of"],
                name="bulk_request_undos",
            ),
        ),
        online.AddUniqueIndex(
            model_name="bulkrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("is_dry_run", False),
                    ("undo_of__isnull", False),
                    models.Q(("status__in", ["FAILED", "ABORTED"]), _negated=True),
                ),
                fields=("undo_of",),
                name="bulk_request_undone_once",
            ),
        ),
    ]
