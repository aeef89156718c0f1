"""The jobs that run, found among very many that wait."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("search", "0001_customer_search")]

    operations = [
        migrations.AddIndex(
            model_name="customersearch",
            index=models.Index(
                fields=["business_account"],
                name="customersearch_running",
                condition=models.Q(("status__in", ["PICKED", "STARTED"])),
            ),
        ),
    ]
