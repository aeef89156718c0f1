"""Files that were looked after once their request had ended are told from the others.

Those that are there count as looked after: what any of them left goes with its results.
"""

from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("ingest", "0011_trace_parents"),
    ]

    operations = [
        online.AddField(
            model_name="bulkfile",
            name="is_tidied",
            field=models.BooleanField(default=True, editable=False),
            default="false",
        ),
        migrations.AlterField(
            model_name="bulkfile",
            name="is_tidied",
            field=models.BooleanField(db_default=False, editable=False),
        ),
        online.AddIndex(
            model_name="bulkfile",
            index=models.Index(
                condition=models.Q(is_tidied=False), fields=["request"], name="bulk_file_untidied"
            ),
        ),
        online.RemoveIndex(model_name="bulkfile", name="bulk_file_stored"),
    ]
