"""The few searches with a message, found among very many that wait."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0002_running_jobs")]

    operations = [
        migrations.AddIndex(
            model_name="customersearch",
            index=models.Index(
                fields=["business_account"],
                name="customersearch_queued",
                condition=models.Q(("queued_at__isnull", False), ("status", "SUBMITTED")),
            ),
        ),
    ]
