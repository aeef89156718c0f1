"""An index for every order of the list of customers, built while writes go on."""

from django.db import models
from django.db.models import Q

from config.db import online

INDEXES = [
    models.Index(
        fields=["business_account", "type", "status", "is_named", "id"], name="customer_sort_ids"
    ),
    models.Index(fields=["business_account", "updated_at", "id"], name="customer_sort_updated"),
    models.Index(
        fields=["business_account", "sort_first_name", "id"],
        name="customer_sort_first",
        condition=Q(is_named=True),
    ),
    models.Index(
        fields=["business_account", "sort_last_name", "id"],
        name="customer_sort_last",
        condition=Q(is_named=True),
    ),
    models.Index(
        fields=["business_account", "business_name_folded", "id"],
        name="customer_sort_business",
        condition=~Q(business_name_folded="") | ~Q(type="INDIVIDUAL"),
    ),
]


class Migration(online.Migration):
    dependencies = [("customers", "0014_fill_sort_keys")]

    operations = [online.AddIndex("customer", index) for index in INDEXES]
