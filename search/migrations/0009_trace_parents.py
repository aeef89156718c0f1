from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("search", "0008_written_formats"),
    ]

    operations = [
        migrations.AddField(
            model_name="customersearch",
            name="trace_parent",
            field=models.CharField(blank=True, db_default="", default="", max_length=55),
        ),
    ]
