"""The permission to run searches in the back office, which every role has through the API, too."""

from django.db import migrations

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("search", "0004_ended_jobs"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="customersearch",
            options={
                "ordering": ["-submitted_at", "-id"],
                "permissions": [
                    ("run_customersearch", "Can run searches and download their files")
                ],
                "verbose_name": "search",
                "verbose_name_plural": "searches",
            },
        ),
    ]
