"""The secret before a rotation, which stays good for an overlap; and words of the product."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0019_reveals")]

    operations = [
        migrations.AddField(
            "oauthclient",
            "previous_secret",
            models.CharField(blank=True, default="", editable=False, max_length=255),
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
