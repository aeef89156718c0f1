"""Lets PostgreSQL tell frequent words from rare ones.

It estimates how many customers a word finds by looking for it in the sampled values. With the usual
hundred, a word that one in forty has is often in none of them; the list is then sorted after all of
these customers are found, where a walk along its order finds the first ones at once.
"""

from django.db import migrations

from config.db import online

SAMPLED = 500


class Migration(online.Migration):
    dependencies = [("customers", "0028_deleted_customers")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE customers_customer ALTER COLUMN search_text SET STATISTICS {SAMPLED}",
            "ALTER TABLE customers_customer ALTER COLUMN search_text SET STATISTICS -1",
        ),
    ]
