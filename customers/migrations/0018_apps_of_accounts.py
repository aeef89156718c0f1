"""Apps in which the people of one business account sign in, for some scopes."""

import django.db.models.deletion
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [("customers", "0017_relationship")]

    operations = [
        migrations.AddField(
            "oauthclient",
            "business_account",
            models.ForeignKey(
                blank=True,
                help_text="Whose people may sign in to this app; empty for everybody.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="apps",
                to="customers.businessaccount",
            ),
        ),
        online.AddField(
            "oauthclient",
            "scopes",
            ArrayField(
                models.CharField(max_length=40),
                blank=True,
                default=list,
                help_text="What this app may ask people for; empty for everything.",
            ),
            default="'{}'",
        ),
    ]
