"""Activities can be corrected and removed, so they stand in the change log as well."""

from importlib import import_module

from django.db import models

from config.db import online

record = import_module("customers.migrations.0002_change_record")
ACTIVITY = record.Tracked(
    "activity",
    "customers_activity",
    texts="type mode subject",
    values="is_read is_secure sent_date",
)


class Migration(online.Migration):
    dependencies = [("customers", "0026_sealed_changes")]

    operations = [
        *online.checked_field(
            "activity",
            "version",
            models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        record.tracking(ACTIVITY),
    ]
