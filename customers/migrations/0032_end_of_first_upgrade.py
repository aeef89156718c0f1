"""The end of an upgrade from 0.1.0, whose programs may have gone on until now.

From here on they can do nothing with customers, so that what they wrote meanwhile can be brought up
to date for good; then goes what was kept for them.
"""

from importlib import import_module

from django.apps.registry import Apps
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Left

from config.db import online

ALTER = "ALTER TABLE customers_customer"
HAS_COLUMN = """
    SELECT FROM pg_attribute WHERE attrelid = 'customers_customer'::regclass
        AND attname = '{}' AND NOT attisdropped"""
# They read and write all columns by name.
SHUT_OUT = f"""
    DO $$ BEGIN
        IF EXISTS ({HAS_COLUMN.format("pin")}) THEN
            ALTER TABLE customers_customer RENAME COLUMN pin TO pin_in_clear;
        END IF;
    END $$"""
# Statistics of new columns and expressions.
ANALYZE = """
    ANALYZE customers_customer, customers_contactpoint, customers_address,
        customers_attributevalue, customers_change"""

DEFAULTS = {
    "customers_customer": ["sort_first_name", "sort_last_name", "is_named", "name_key"],
    "customers_attributedefinition": ["conversion"],
    "customers_businessaccount": ["levels", "industries", "two_factor_roles"],
    "customers_grant": ["token_family"],
    "customers_oauthclient": ["scopes", "previous_secret"],
    "customers_user": ["access_version"],
    "ingest_bulkfile": ["name"],
    "ingest_bulkrequest": ["is_dry_run"],
    "search_customersearch": ["columns", "compression", "external_ids"],
}


def bring_up_to_date(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """What is derived, of the customers that were written meanwhile, and their pins."""
    with editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({HAS_COLUMN.format('pin_in_clear')})")
        if cursor.fetchone() != (True,):
            return
    for name, function in (
        ("0010_email_domains_in_ascii", "renew_keys"),
        ("0014_fill_sort_keys", "fill"),
        ("0016_name_key", "fill"),
    ):
        getattr(import_module(f"customers.migrations.{name}"), function)(apps, editor)
    relationship = import_module("customers.migrations.0017_relationship")
    relationship.seal_all(editor.connection, "pin_in_clear")
    with editor.connection.cursor() as cursor:
        cursor.execute(ANALYZE)


class Migration(online.Migration):
    dependencies = [
        ("customers", "0031_trace_parents"),
        ("ingest", "0011_trace_parents"),
        ("search", "0009_trace_parents"),
    ]

    operations = [
        migrations.RunSQL(SHUT_OUT, migrations.RunSQL.noop),
        online.RunBatches(bring_up_to_date, online.RunBatches.noop),
        migrations.RunSQL(
            f"{ALTER} DROP COLUMN IF EXISTS pin_in_clear",
            f"{ALTER} ADD COLUMN IF NOT EXISTS pin varchar(255) NOT NULL DEFAULT ''",
        ),
        # Where PostgreSQL made it so far, from names that are never NULL.
        migrations.RunSQL(
            f"{ALTER} ALTER COLUMN name_key DROP EXPRESSION IF EXISTS,"
            " ADD CONSTRAINT name_key_there CHECK (name_key IS NOT NULL) NOT VALID",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(f"{ALTER} VALIDATE CONSTRAINT name_key_there", migrations.RunSQL.noop),
        migrations.RunSQL(
            # The valid check spares PostgreSQL to read the locked table.
            [
                f"{ALTER} ALTER COLUMN name_key SET NOT NULL",
                f"{ALTER} DROP CONSTRAINT name_key_there",
            ],
            migrations.RunSQL.noop,
        ),
        *online.drop_defaults(DEFAULTS),
        AddConstraintNotValid(
            "customer",
            models.CheckConstraint(
                condition=models.Q(name_key=Left("name_folded", 600)),
                name="customer_name_key_of_name",
            ),
        ),
        ValidateConstraint("customer", "customer_name_key_of_name"),
    ]
