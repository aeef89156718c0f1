from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("ingest", "0010_request_trace"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkrequest",
            name="trace_parent",
            field=models.CharField(blank=True, db_default="", default="", max_length=55),
        ),
    ]
