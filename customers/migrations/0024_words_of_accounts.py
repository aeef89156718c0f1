"""Labels and help of business accounts, people and keys in the words of the product."""

from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("customers", "0023_sign_ins"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="attributedefinition",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("convert_attributedefinition", "Can encrypt and decrypt custom attributes")
                ],
                "verbose_name": "custom attribute",
            },
        ),
        migrations.AlterField(
            model_name="businessaccount",
            name="default_region",
            field=models.CharField(
                default="US",
                help_text="Two-letter country by which phone numbers without a country code are read.",
                max_length=2,
                verbose_name="default phone region",
            ),
        ),
        migrations.AlterField(
            model_name="businessaccount",
            name="departmentalization",
            field=models.BooleanField(
                default=False, help_text="Employees see the customers of their departments only."
            ),
        ),
        migrations.AlterField(
            model_name="businessaccount",
            name="max_running_jobs",
            field=models.PositiveSmallIntegerField(
                default=2,
                help_text="How many may run at the same time; others wait.",
                verbose_name="searches and loads at once",
            ),
        ),
        migrations.AlterField(
            model_name="oauthclient",
            name="is_active",
            field=models.BooleanField(default=True, help_text="Whether it works."),
        ),
        migrations.AlterField(
            model_name="serviceaccount",
            name="is_active",
            field=models.BooleanField(default=True, help_text="Whether its keys and tokens work."),
        ),
        migrations.AlterField(
            model_name="user",
            name="is_staff",
            field=models.BooleanField(
                default=False,
                help_text="Whether this person has the back office.",
                verbose_name="back office",
            ),
        ),
    ]
