"""Contacts are found by whole names with the index of trigrams too; two others go, which loads pay.

For a first name alone PostgreSQL took it anyway, as soon as some thousands have the name.
"""

from config.db import online


class Migration(online.Migration):
    dependencies = [("customers", "0035_address_keys")]

    operations = [
        online.RemoveIndex("contact", "contact_first"),
        online.RemoveIndex("contact", "contact_last_first"),
    ]
