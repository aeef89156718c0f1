"""The change log is read in the order of (`at`, `id`), so its key has that order.

The new key is built beside the old one while writes go on, then takes its place at once.
"""

from django.db import migrations, models


def swap(old: str, new: str) -> list[migrations.RunSQL]:
    """Statements that replace the primary key by one on other columns."""
    build = "CREATE UNIQUE INDEX CONCURRENTLY customers_change_new_key ON customers_change ({})"
    forget = "DROP INDEX CONCURRENTLY IF EXISTS customers_change_new_key"
    replace = (
        "ALTER TABLE customers_change DROP CONSTRAINT customers_change_pkey,"
        " ADD CONSTRAINT customers_change_pkey PRIMARY KEY USING INDEX customers_change_new_key"
    )
    return [
        migrations.RunSQL(forget, replace),
        migrations.RunSQL(build.format(new), build.format(old)),
        migrations.RunSQL(replace, forget),
    ]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0005_attribute_value_equality")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=swap("customer_id, id", "customer_id, at, id"),
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
