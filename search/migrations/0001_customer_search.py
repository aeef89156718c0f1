"""Queued searches."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerSearch",
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
                ("criteria", models.JSONField()),
                (
                    "result_format",
                    models.CharField(
                        choices=[
                            ("CSV", "Csv"),
                            ("CSV_EXCEL", "Csv Excel"),
                            ("JSON", "Json"),
                            ("NDJSON", "Ndjson"),
                        ],
                        default="CSV",
                        max_length=9,
                    ),
                ),
                (
                    "accounts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("snapshot_at", models.DateTimeField(blank=True, null=True)),
                ("estimated_rows", models.BigIntegerField(blank=True, null=True)),
                ("rows", models.BigIntegerField(default=0)),
                ("bytes", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="SHA-256")),
                ("storage_name", models.CharField(blank=True, max_length=200)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
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
                "verbose_name": "search",
                "verbose_name_plural": "searches",
                "ordering": ["-submitted_at", "-id"],
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["business_account", "-submitted_at", "-id"],
                        name="customersearch_newest",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["SUBMITTED", "PICKED", "STARTED"])),
                        fields=["business_account", "status", "submitted_at", "id"],
                        name="customersearch_open",
                    ),
                    models.Index(
                        condition=models.Q(("storage_name", ""), _negated=True),
                        fields=["expires_at"],
                        name="search_with_a_file",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
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
                        name="customersearch_claimed_before_it_runs",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at__isnull", False),
                            ("status__in", ["SUBMITTED", "PICKED", "STARTED"]),
                            _connector="OR",
                        ),
                        name="customersearch_ended_at_some_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "FINISHED"), _negated=True),
                            models.Q(
                                models.Q(("sha256", ""), _negated=True),
                                ("expires_at__isnull", False),
                                ("snapshot_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="search_finished_with_a_result",
                    ),
                ],
            },
        ),
    ]
