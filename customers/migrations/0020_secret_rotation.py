"""The secret before a rotation, which stays good for an overlap; and words of the product."""

from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [("customers", "0019_reveals")]

    operations = [
        online.AddField(
            "oauthclient",
            "previous_secret",
            models.CharField(blank=True, default="", editable=False, max_length=255),
            default="''",
        ),
        migrations.AddField(
            "oauthclient",
            "previous_secret_until",
            models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterModelOptions(
            "serviceaccount", {"ordering": ["name", "id"], "verbose_name": "API key"}
        ),
    ]
