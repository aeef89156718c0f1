"""Conversions of attributes as jobs, and an index in whose order they walk through the values."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

from config.db import online

# Where an attribute had been switched in place, a value may be there in both forms: the one in clear
# is the newer one then.
ONE_FORM = """
SELECT set_config('kith.recording', 'off', true);
UPDATE customers_attributevalue SET value_sealed = NULL WHERE value <> '' AND value_sealed IS NOT NULL;
SELECT set_config('kith.recording', 'on', true)"""

# The new order of the columns is built beside the old one, then takes its place at once.
ONCE = "customers_attributevalue ({}) NULLS NOT DISTINCT"
BESIDE = "attribute_value_once_new"
BUILD = f"CREATE UNIQUE INDEX CONCURRENTLY {BESIDE} ON {ONCE}"
REPLACE = (
    "ALTER TABLE customers_attributevalue DROP CONSTRAINT attribute_value_once,"
    f" ADD CONSTRAINT attribute_value_once UNIQUE USING INDEX {BESIDE}"
)
OLD, NEW = "customer_id, definition_id, contact_id", "definition_id, customer_id, contact_id"
# As Django called it.
OF_DEFINITIONS = "customers_attributevalue_definition_id_ba5b0d6b"
BUILD_OF_DEFINITIONS = (
    f"CREATE INDEX CONCURRENTLY {OF_DEFINITIONS} ON customers_attributevalue (definition_id)"
)


class Migration(online.Migration):
    dependencies = [
        ("customers", "0010_email_domains_in_ascii"),
    ]

    operations = [
        migrations.CreateModel(
            name="AttributeConversion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("SUBMITTED", "Submitted"),
                            ("PICKED", "Picked"),
                            ("STARTED", "Started"),
                            ("FINISHED", "Finished"),
                            ("FAILED", "Failed"),
                            ("ABORTED", "Aborted"),
                        ],
                        default="SUBMITTED",
                        max_length=9,
                    ),
                ),
                ("actor_type", models.CharField(max_length=15)),
                ("actor_id", models.CharField(blank=True, max_length=36)),
                ("client_id", models.CharField(blank=True, max_length=100)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                (
                    "submitted_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("queued_at", models.DateTimeField(blank=True, null=True)),
                ("picked_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("claim_id", models.UUIDField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("worker", models.CharField(blank=True, max_length=120)),
                ("error_code", models.CharField(blank=True, max_length=40)),
                ("error_message", models.CharField(blank=True, max_length=500)),
                ("to_encrypted", models.BooleanField()),
                ("converted", models.PositiveBigIntegerField(default=0)),
                ("masked", models.PositiveBigIntegerField(default=0)),
                ("unreadable", models.PositiveBigIntegerField(default=0)),
                ("masked_until", models.UUIDField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "attribute conversion",
                "ordering": ["-submitted_at", "-id"],
                "abstract": False,
            },
        ),
        migrations.AlterModelOptions(
            name="attributedefinition",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("convert_attributedefinition", "Can encrypt and decrypt custom attributes")
                ],
            },
        ),
        online.AddField(
            "attributedefinition",
            "conversion",
            models.CharField(
                blank=True,
                choices=[("ENCRYPTING", "Encrypting"), ("DECRYPTING", "Decrypting")],
                default="",
                editable=False,
                max_length=10,
            ),
            default="''",
        ),
        migrations.AddConstraint(
            model_name="attributedefinition",
            constraint=models.CheckConstraint(
                condition=models.Q(("conversion", ""), ("is_encrypted", True), _connector="OR"),
                name="attribute_masked_while_converted",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, REPLACE),
        online.BuildIndex(BESIDE, BUILD.format(NEW), BUILD.format(OLD)),
        migrations.RunSQL(REPLACE, migrations.RunSQL.noop),
        # The constraint begins with this column now. Django would check the foreign key anew.
        online.BuildIndex(OF_DEFINITIONS, "", BUILD_OF_DEFINITIONS),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("attributevalue", "attribute_value_once"),
                migrations.AddConstraint(
                    "attributevalue",
                    models.UniqueConstraint(
                        fields=("definition", "customer", "contact_id"),
                        name="attribute_value_once",
                        nulls_distinct=False,
                        violation_error_message="This attribute has a value already.",
                    ),
                ),
                migrations.AlterField(
                    "attributevalue",
                    "definition",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="values",
                        to="customers.attributedefinition",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(ONE_FORM, migrations.RunSQL.noop),
        AddConstraintNotValid(
            "attributevalue",
            models.CheckConstraint(
                condition=models.Q(("value", ""), ("value_sealed", None), _connector="OR"),
                name="attribute_value_sealed_or_clear",
            ),
        ),
        ValidateConstraint("attributevalue", "attribute_value_sealed_or_clear"),
        migrations.AddField(
            model_name="attributeconversion",
            name="business_account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.businessaccount",
            ),
        ),
        migrations.AddField(
            model_name="attributeconversion",
            name="definition",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="conversions",
                to="customers.attributedefinition",
            ),
        ),
        migrations.AddIndex(
            model_name="attributeconversion",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["finished_at"],
                name="attributeconversion_ended",
            ),
        ),
        migrations.AddIndex(
            model_name="attributeconversion",
            index=models.Index(
                fields=["business_account", "-submitted_at", "-id"],
                name="attributeconversion_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="attributeconversion",
            index=models.Index(
                condition=models.Q(("status__in", ["PICKED", "STARTED"])),
                fields=["business_account"],
                name="attributeconversion_running",
            ),
        ),
        migrations.AddIndex(
            model_name="attributeconversion",
            index=models.Index(
                condition=models.Q(("queued_at__isnull", False), ("status", "SUBMITTED")),
                fields=["business_account"],
                name="attributeconversion_queued",
            ),
        ),
        migrations.AddIndex(
            model_name="attributeconversion",
            index=models.Index(
                condition=models.Q(("status__in", ["SUBMITTED", "PICKED", "STARTED"])),
                fields=["business_account", "status", "submitted_at", "id"],
                name="attributeconversion_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributeconversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "SUBMITTED"),
                    ("status", "ABORTED"),
                    models.Q(
                        ("claim_id__isnull", False),
                        ("lease_until__isnull", False),
                        ("picked_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="attributeconversion_claimed_before_it_runs",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributeconversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("finished_at__isnull", False),
                    ("status__in", ["SUBMITTED", "PICKED", "STARTED"]),
                    _connector="OR",
                ),
                name="attributeconversion_ended_at_some_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributeconversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["SUBMITTED", "PICKED", "STARTED"])),
                fields=("definition",),
                name="attribute_conversion_one_at_a_time",
            ),
        ),
    ]
