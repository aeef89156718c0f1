"""Conversions of attributes as jobs, and an index in whose order they walk through the values."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models

# Where an attribute had been switched in place, a value may be there in both forms: the one in clear
# is the newer one then.
ONE_FORM = """
SELECT set_config('kith.recording', 'off', true);
UPDATE customers_attributevalue SET value_sealed = NULL WHERE value <> '' AND value_sealed IS NOT NULL;
SELECT set_config('kith.recording', 'on', true)"""


class Migration(migrations.Migration):
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
        migrations.RemoveConstraint(
            model_name="attributevalue",
            name="attribute_value_once",
        ),
        migrations.AddField(
            model_name="attributedefinition",
            name="conversion",
            field=models.CharField(
                blank=True,
                choices=[("ENCRYPTING", "Encrypting"), ("DECRYPTING", "Decrypting")],
                default="",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="attributevalue",
            name="definition",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="values",
                to="customers.attributedefinition",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributedefinition",
            constraint=models.CheckConstraint(
                condition=models.Q(("conversion", ""), ("is_encrypted", True), _connector="OR"),
                name="attribute_masked_while_converted",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributevalue",
            constraint=models.UniqueConstraint(
                fields=("definition", "customer", "contact_id"),
                name="attribute_value_once",
                nulls_distinct=False,
                violation_error_message="This attribute has a value already.",
            ),
        ),
        migrations.RunSQL(ONE_FORM, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="attributevalue",
            constraint=models.CheckConstraint(
                condition=models.Q(("value", ""), ("value_sealed", None), _connector="OR"),
                name="attribute_value_sealed_or_clear",
            ),
        ),
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
