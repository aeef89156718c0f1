"""What departmentalization confines, in words."""

from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [("customers", "0029_search_statistics")]

    operations = [
        migrations.AlterField(
            "businessaccount",
            "departmentalization",
            models.BooleanField(
                default=False,
                help_text="The immediate search of the API finds, for an employee with a home "
                "department, the customers of the own departments only. The back office is not "
                "confined.",
            ),
        ),
    ]
