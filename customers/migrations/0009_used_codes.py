"""A code is remembered after its use, with the tokens that it gave, to notice when it comes twice."""

import uuid

from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [("customers", "0008_password_ends_access")]

    operations = [
        online.AddField(
            "grant",
            "token_family",
            models.UUIDField(default=uuid.uuid4, editable=False),
            default="gen_random_uuid()",
        ),
        migrations.AddField("grant", "used_at", models.DateTimeField(editable=False, null=True)),
    ]
