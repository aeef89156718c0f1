"""A code is remembered after its use, with the tokens that it gave, to notice when it comes twice."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_password_ends_access")]

    operations = [
        migrations.AddField(
            "grant", "token_family", models.UUIDField(default=uuid.uuid4, editable=False)
        ),
        migrations.AddField("grant", "used_at", models.DateTimeField(editable=False, null=True)),
    ]
