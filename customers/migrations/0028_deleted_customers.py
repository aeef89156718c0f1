"""Indexes of deleted customers alone: the list of them passes by no others."""

from django.db import models
from django.db.models import F, Q

from config.db import online

DELETED = Q(status="DELETED")
INDEXES = [
    models.Index(
        F("created_at").desc(),
        F("id").desc(),
        F("business_account"),
        name="customer_deleted_newest",
        condition=DELETED,
    ),
    models.Index(
        F("updated_at").desc(),
        F("id").desc(),
        F("business_account"),
        name="customer_deleted_changed",
        condition=DELETED,
    ),
]


class Migration(online.Migration):
    dependencies = [("customers", "0027_activities_on_record")]

    operations = [online.AddIndex("customer", index) for index in INDEXES]
