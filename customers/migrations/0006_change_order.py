"""The change log is read in the order of (`at`, `id`), so its key has that order.

The new key is built beside the old one while writes go on, then takes its place at once.
"""

from django.db import migrations, models

from config.db import online

BESIDE = "customers_change_new_key"
BUILD = f"CREATE UNIQUE INDEX CONCURRENTLY {BESIDE} ON customers_change"
REPLACE = (
    "ALTER TABLE customers_change DROP CONSTRAINT customers_change_pkey,"
    f" ADD CONSTRAINT customers_change_pkey PRIMARY KEY USING INDEX {BESIDE}"
)


class Migration(online.Migration):
    dependencies = [("customers", "0005_attribute_value_equality")]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, REPLACE),
        online.BuildIndex(BESIDE, f"{BUILD} (customer_id, at, id)", f"{BUILD} (customer_id, id)"),
        migrations.RunSQL(REPLACE, migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterModelOptions("change", {"ordering": ["-at", "-id"]}),
                migrations.AlterField(
                    "change",
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "at",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
    ]
