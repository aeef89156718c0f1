"""Queued bulk requests."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models

import config.db.crypto


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0002_change_record"),
    ]

    operations = [
        # The order in which requests are accepted.
        migrations.RunSQL("CREATE SEQUENCE ingest_accepted", "DROP SEQUENCE ingest_accepted"),
        migrations.CreateModel(
            name="BulkRequest",
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
                ("public_id", models.UUIDField(verbose_name="request id")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("CREATE_CUSTOMERS", "Create Customers"),
                            ("UPDATE_CUSTOMERS", "Update Customers"),
                            ("UPDATE_ACCOUNTS", "Update Accounts"),
                            ("UPDATE_CARDS", "Update Cards"),
                            ("LOAD_FILE", "Load File"),
                        ],
                        max_length=16,
                    ),
                ),
                ("source_customer_id", models.CharField(blank=True, default="", max_length=120)),
                ("source_account_id", models.CharField(blank=True, default="", max_length=120)),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=models.Func(models.Value("ingest_accepted"), function="nextval"),
                        editable=False,
                    ),
                ),
                (
                    "touched",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, null=True, size=None
                    ),
                ),
                ("fingerprint", models.BinaryField()),
                ("retry_of", models.UUIDField(blank=True, null=True)),
                ("items", models.PositiveIntegerField(default=0)),
                ("created", models.PositiveIntegerField(default=0)),
                ("updated", models.PositiveIntegerField(default=0)),
                ("unchanged", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                (
                    "business_account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.businessaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "bulk request",
                "ordering": ["-submitted_at", "-id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BulkContent",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="content",
                        serialize=False,
                        to="ingest.bulkrequest",
                    ),
                ),
                ("body_sealed", config.db.crypto.SealedField()),
                ("refused", models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name="BulkFile",
            fields=[
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="file",
                        serialize=False,
                        to="ingest.bulkrequest",
                    ),
                ),
                ("storage_name", models.CharField(blank=True, max_length=200)),
                ("result_name", models.CharField(blank=True, max_length=200)),
                ("received", models.BigIntegerField()),
                ("lines", models.BigIntegerField()),
                ("problem", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="BulkItem",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "request_id",
                        "index",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("index", models.PositiveIntegerField()),
                ("source_customer_id", models.CharField(blank=True, max_length=120)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("CREATED", "Created"),
                            ("UPDATED", "Updated"),
                            ("UNCHANGED", "Unchanged"),
                            ("FAILED", "Failed"),
                        ],
                        max_length=9,
                    ),
                ),
                ("customer_id", models.UUIDField(null=True)),
                ("errors", models.JSONField(default=list)),
                ("notices", models.JSONField(default=list)),
                (
                    "request",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ledger",
                        to="ingest.bulkrequest",
                    ),
                ),
            ],
            options={
                "ordering": ["index"],
            },
        ),
        migrations.CreateModel(
            name="BulkPart",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "request_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("lines", models.PositiveIntegerField()),
                ("created", models.PositiveIntegerField()),
                ("updated", models.PositiveIntegerField()),
                ("unchanged", models.PositiveIntegerField()),
                ("failed", models.PositiveIntegerField()),
                ("results", models.BinaryField()),
                (
                    "request",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="ingest.bulkrequest",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                fields=["business_account", "-submitted_at", "-id"], name="bulkrequest_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                condition=models.Q(("status__in", ["SUBMITTED", "PICKED", "STARTED"])),
                fields=["business_account", "status", "submitted_at", "id"],
                name="bulkrequest_open",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                condition=models.Q(("status__in", ["SUBMITTED", "PICKED", "STARTED"])),
                fields=["business_account", "number"],
                name="bulk_request_order",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                condition=models.Q(("queued_at__isnull", False), ("status", "SUBMITTED")),
                fields=["business_account"],
                name="bulk_request_queued",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkrequest",
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
                name="bulkrequest_claimed_before_it_runs",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("finished_at__isnull", False),
                    ("status__in", ["SUBMITTED", "PICKED", "STARTED"]),
                    _connector="OR",
                ),
                name="bulkrequest_ended_at_some_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkrequest",
            constraint=models.UniqueConstraint(
                fields=("business_account", "client_id", "public_id"),
                name="bulk_request_id_once_per_client",
            ),
        ),
        # These cannot be compressed any further.
        migrations.RunSQL(
            "ALTER TABLE ingest_bulkcontent ALTER COLUMN body_sealed SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            "ALTER TABLE ingest_bulkpart ALTER COLUMN results SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
