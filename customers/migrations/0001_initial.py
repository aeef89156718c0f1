import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import oauth2_provider.generators
import oauth2_provider.models
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations, models

import config.db.crypto
import customers.fields
import customers.normalize


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("customer_id", models.UUIDField()),
                ("id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("actor_type", models.CharField(max_length=15)),
                ("actor_id", models.CharField(blank=True, max_length=36)),
                ("via", models.CharField(max_length=20)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("reason", models.CharField(blank=True, max_length=255)),
                ("entity", models.CharField(max_length=20)),
                ("entity_id", models.UUIDField()),
                (
                    "operation",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("updated", "Updated"),
                            ("deleted", "Deleted"),
                        ],
                        max_length=7,
                    ),
                ),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=customers.normalize.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("INDIVIDUAL", "Individual"),
                            ("BUSINESS", "Business"),
                            ("GROUP", "Group"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ACTIVE", "Active"),
                            ("SUSPENDED", "Suspended"),
                            ("DELETED", "Deleted"),
                        ],
                        default="ACTIVE",
                        max_length=9,
                    ),
                ),
                ("external_id", models.CharField(blank=True, default="", max_length=120)),
                ("business_name", models.CharField(blank=True, default="", max_length=40)),
                (
                    "business_name_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=720),
                ),
                ("name", models.CharField(blank=True, default="", max_length=124)),
                (
                    "name_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=2232),
                ),
                ("search_text", models.TextField(blank=True, default="", editable=False)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("role", models.CharField(blank=True, default="", max_length=40)),
                ("pin", models.CharField(blank=True, default="", max_length=255)),
                ("industry", models.CharField(blank=True, default="", max_length=120)),
                ("market_segment", models.CharField(blank=True, default="", max_length=50)),
                ("entitlements", models.CharField(blank=True, default="", max_length=1024)),
                ("level", models.CharField(blank=True, default="", max_length=120)),
                ("how_referred", models.CharField(blank=True, default="", max_length=40)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(editable=False)),
                (
                    "created_by_type",
                    models.CharField(
                        choices=[
                            ("employee", "Employee"),
                            ("service-account", "Service Account"),
                            ("customer", "Customer"),
                            ("internal", "Internal"),
                        ],
                        default="internal",
                        editable=False,
                        max_length=15,
                    ),
                ),
                (
                    "created_by_id",
                    models.CharField(blank=True, default="", editable=False, max_length=36),
                ),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "updated_by_type",
                    models.CharField(
                        choices=[
                            ("employee", "Employee"),
                            ("service-account", "Service Account"),
                            ("customer", "Customer"),
                            ("internal", "Internal"),
                        ],
                        default="internal",
                        editable=False,
                        max_length=15,
                    ),
                ),
                (
                    "updated_by_id",
                    models.CharField(blank=True, default="", editable=False, max_length=36),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("reveal_sensitive", "Can see social ids and security answers"),
                    ("suspend_customer", "Can suspend and activate customers"),
                    ("view_agent_console", "View Agent Console"),
                ],
            },
        ),
        migrations.CreateModel(
            name="BusinessAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=customers.normalize.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True)),
                (
                    "default_region",
                    models.CharField(
                        default="US",
                        help_text="Two-letter country by which phone numbers without a country code are read.",
                        max_length=2,
                    ),
                ),
                (
                    "departmentalization",
                    models.BooleanField(
                        default=False,
                        help_text="Tick to confine employees to the customers of their departments.",
                    ),
                ),
                (
                    "max_running_jobs",
                    models.PositiveSmallIntegerField(
                        default=2,
                        help_text="Searches and bulk requests that may run at once; others wait.",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="customers.businessaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=customers.normalize.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        choices=[("customer", "Customer"), ("contactPerson", "Contact")],
                        default="customer",
                        max_length=13,
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "is_encrypted",
                    models.BooleanField(
                        default=False,
                        help_text="Tick for sensitive values: encrypted at rest and never searchable.",
                    ),
                ),
                (
                    "business_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attribute_definitions",
                        to="customers.businessaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=customers.normalize.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email", models.EmailField(max_length=320)),
                ("name", models.CharField(blank=True, max_length=120)),
                (
                    "customer_id",
                    models.UUIDField(
                        blank=True,
                        help_text="Set for a customer who signs in; such a user is no employee.",
                        null=True,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Tick to let this person into the back office.",
                        verbose_name="back office",
                    ),
                ),
                (
                    "date_joined",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
                (
                    "business_account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="users",
                        to="customers.businessaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["email"],
            },
        ),
        migrations.CreateModel(
            name="Enrollment",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="enrollment",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                (
                    "source_parent_customer_id",
                    models.CharField(blank=True, default="", max_length=120),
                ),
                ("parent_customer_id", models.UUIDField(blank=True, db_index=True, null=True)),
                ("organization_id", models.CharField(max_length=120)),
                ("postal_code", models.CharField(max_length=10)),
                ("country", models.CharField(max_length=3)),
                ("customer_creation_date", models.DateTimeField()),
                ("enrollment_start_date", models.DateTimeField()),
                ("enrollment_end_date", models.DateTimeField(blank=True, null=True)),
                (
                    "enrollment_opt_in_status",
                    models.CharField(
                        choices=[("ACTIVE", "Active"), ("INACTIVE", "Inactive")], max_length=8
                    ),
                ),
                (
                    "alert_opt_in_status",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=18),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "targeting_indicator",
                    models.CharField(
                        choices=[("TARGET", "Target"), ("DO_NOT_TARGET", "Do Not Target")],
                        max_length=13,
                    ),
                ),
                (
                    "redemption_eligibility",
                    models.CharField(
                        blank=True,
                        choices=[("ALL", "All"), ("NONE", "None")],
                        default="",
                        max_length=4,
                    ),
                ),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
            ],
        ),
        migrations.AddField(
            model_name="customer",
            name="business_account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="customers",
                to="customers.businessaccount",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="preferred_agent",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="ContactPoint",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField(default=customers.normalize.uuid7, editable=False)),
                ("contact_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("PHONE", "Phone"),
                            ("EMAIL", "Email"),
                            ("FACEBOOK", "Facebook"),
                            ("TWITTER", "Twitter"),
                            ("INSTAGRAM", "Instagram"),
                            ("APPLE", "Apple"),
                            ("YOUTUBE", "Youtube"),
                        ],
                        max_length=9,
                    ),
                ),
                ("value", models.CharField(max_length=320)),
                ("value_key", models.CharField(editable=False, max_length=640)),
                (
                    "phone_type",
                    models.CharField(
                        blank=True,
                        choices=[("WORK", "Work"), ("HOME", "Home"), ("MOBILE", "Mobile")],
                        default="",
                        max_length=6,
                    ),
                ),
                ("provider", models.CharField(blank=True, default="", max_length=40)),
                ("extension", models.CharField(blank=True, default="", max_length=10)),
                ("is_primary", models.BooleanField(default=False)),
                ("is_verified", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        db_constraint=False,
                        related_name="contact_points",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField(default=customers.normalize.uuid7, editable=False)),
                ("is_primary", models.BooleanField(default=False)),
                ("prefix", models.CharField(blank=True, default="", max_length=40)),
                ("first_name", models.CharField(blank=True, default="", max_length=40)),
                ("middle_name", models.CharField(blank=True, default="", max_length=40)),
                ("last_name", models.CharField(blank=True, default="", max_length=40)),
                ("suffix", models.CharField(blank=True, default="", max_length=40)),
                (
                    "first_name_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=720),
                ),
                (
                    "middle_name_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=720),
                ),
                (
                    "last_name_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=720),
                ),
                (
                    "sex",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("MALE", "Male"),
                            ("FEMALE", "Female"),
                            ("NONBINARY", "Nonbinary"),
                        ],
                        default="",
                        max_length=9,
                    ),
                ),
                ("gender", models.CharField(blank=True, default="", max_length=255)),
                ("pronoun", models.CharField(blank=True, default="", max_length=255)),
                ("security_question", models.CharField(blank=True, default="", max_length=255)),
                ("security_answer_sealed", config.db.crypto.SealedField(blank=True, null=True)),
                ("date_of_birth", models.DateField(blank=True, null=True)),
                ("birth_city", models.CharField(blank=True, default="", max_length=60)),
                ("birth_country", models.CharField(blank=True, default="", max_length=3)),
                ("social_id_sealed", config.db.crypto.SealedField(blank=True, null=True)),
                ("social_id_digest", models.BinaryField(blank=True, null=True)),
                ("social_id_last4", models.CharField(blank=True, default="", max_length=4)),
                ("social_id_country", models.CharField(blank=True, default="", max_length=3)),
                ("citizenship_country", models.CharField(blank=True, default="", max_length=3)),
                ("login_id", models.CharField(blank=True, default="", max_length=255)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contacts",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Card",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField(default=customers.normalize.uuid7, editable=False)),
                ("account_id", models.UUIDField()),
                ("last4", models.CharField(max_length=4)),
                ("iin", models.CharField(max_length=8)),
                (
                    "type",
                    models.CharField(
                        choices=[("CREDIT", "Credit"), ("DEBIT", "Debit"), ("PREPAID", "Prepaid")],
                        max_length=7,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("OPEN", "Open"), ("CLOSED", "Closed")], max_length=6
                    ),
                ),
                ("network_identifier", models.CharField(max_length=10)),
                ("open_date", models.DateTimeField()),
                ("close_date", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="cards",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AttributeValue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField(default=customers.normalize.uuid7, editable=False)),
                ("contact_id", models.UUIDField(blank=True, null=True)),
                ("value", models.CharField(blank=True, default="", max_length=1024)),
                ("value_sealed", config.db.crypto.SealedField(blank=True, null=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "definition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="values",
                        to="customers.attributedefinition",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attribute_values",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Address",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField(default=customers.normalize.uuid7, editable=False)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("MAILING", "Mailing"),
                            ("PHYSICAL", "Physical"),
                            ("SHIPPING", "Shipping"),
                        ],
                        max_length=8,
                    ),
                ),
                ("first_name", models.CharField(blank=True, default="", max_length=40)),
                ("middle_name", models.CharField(blank=True, default="", max_length=40)),
                ("last_name", models.CharField(blank=True, default="", max_length=40)),
                ("street_line_1", models.CharField(blank=True, default="", max_length=50)),
                ("street_line_2", models.CharField(blank=True, default="", max_length=50)),
                ("street_line_3", models.CharField(blank=True, default="", max_length=50)),
                ("street_line_4", models.CharField(blank=True, default="", max_length=50)),
                ("street_line_5", models.CharField(blank=True, default="", max_length=50)),
                (
                    "street_line_1_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=900),
                ),
                (
                    "street_line_2_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=900),
                ),
                (
                    "street_line_3_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=900),
                ),
                ("city", models.CharField(blank=True, default="", max_length=25)),
                (
                    "city_folded",
                    models.CharField(blank=True, default="", editable=False, max_length=450),
                ),
                ("state", models.CharField(blank=True, default="", max_length=3)),
                ("country", models.CharField(blank=True, default="", max_length=3)),
                ("zip_code", models.CharField(blank=True, default="", max_length=10)),
                ("is_primary", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="addresses",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "addresses",
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField(default=customers.normalize.uuid7, editable=False)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("email", "Email"),
                            ("chat", "Chat"),
                            ("calltrack", "Calltrack"),
                            ("social", "Social"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("inbound", "Inbound"), ("outbound", "Outbound")], max_length=8
                    ),
                ),
                ("is_read", models.BooleanField(default=False)),
                ("is_secure", models.BooleanField(default=False)),
                ("sent_date", models.DateTimeField()),
                ("subject", models.CharField(blank=True, default="", max_length=255)),
                ("created_at", models.DateTimeField(editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="activities",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "activities",
                "ordering": ["-sent_date", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField(default=customers.normalize.uuid7, editable=False)),
                ("source_account_id", models.CharField(max_length=120)),
                (
                    "source_customer_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), size=None
                    ),
                ),
                ("primary_source_customer_id", models.CharField(max_length=120)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "Open"),
                            ("CLOSED", "Closed"),
                            ("DISPUTE", "Dispute"),
                            ("FRAUD", "Fraud"),
                        ],
                        max_length=7,
                    ),
                ),
                ("type", models.CharField(max_length=5)),
                ("source_portfolio_id", models.CharField(max_length=120)),
                ("sent_under", models.CharField(max_length=120)),
                ("open_date", models.DateTimeField()),
                ("close_date", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "business_account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.businessaccount",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="accounts",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Department",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=customers.normalize.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "business_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="departments",
                        to="customers.businessaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="department",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="customers",
                to="customers.department",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="department",
            field=models.ForeignKey(
                blank=True,
                help_text="Home department.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="users",
                to="customers.department",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="foreign_departments",
            field=models.ManyToManyField(
                blank=True,
                help_text="Other departments whose customers this employee may see.",
                related_name="foreign_users",
                to="customers.department",
            ),
        ),
        migrations.CreateModel(
            name="OAuthClient",
            fields=[
                (
                    "client_id",
                    models.CharField(
                        db_index=True,
                        default=oauth2_provider.generators.generate_client_id,
                        max_length=255,
                        unique=True,
                        verbose_name="client ID",
                    ),
                ),
                (
                    "redirect_uris",
                    models.TextField(
                        blank=True,
                        help_text="Allowed URIs list, space separated",
                        verbose_name="redirect URIs",
                    ),
                ),
                (
                    "post_logout_redirect_uris",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed Post Logout URIs list, space separated",
                        verbose_name="post logout redirect URIs",
                    ),
                ),
                (
                    "client_type",
                    models.CharField(
                        choices=[("confidential", "Confidential"), ("public", "Public")],
                        max_length=32,
                        verbose_name="client type",
                    ),
                ),
                (
                    "authorization_grant_type",
                    models.CharField(
                        choices=[
                            ("authorization-code", "Authorization code"),
                            ("urn:ietf:params:oauth:grant-type:device_code", "Device Code"),
                            ("implicit", "Implicit"),
                            ("password", "Resource owner password-based"),
                            ("client-credentials", "Client credentials"),
                            ("openid-hybrid", "OpenID connect hybrid"),
                        ],
                        max_length=44,
                        verbose_name="authorization grant type",
                    ),
                ),
                (
                    "client_secret",
                    oauth2_provider.models.ClientSecretField(
                        blank=True,
                        db_index=True,
                        default=oauth2_provider.generators.generate_client_secret,
                        help_text="Client secret for authentication",
                        max_length=255,
                        verbose_name="client secret",
                    ),
                ),
                (
                    "hash_client_secret",
                    models.BooleanField(default=True, verbose_name="hash client secret"),
                ),
                ("name", models.CharField(blank=True, max_length=255, verbose_name="name")),
                (
                    "skip_authorization",
                    models.BooleanField(default=False, verbose_name="skip authorization"),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "algorithm",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No OIDC support"),
                            ("RS256", "RSA with SHA-2 256"),
                            ("HS256", "HMAC with SHA-2 256"),
                        ],
                        default="",
                        max_length=5,
                        verbose_name="algorithm",
                    ),
                ),
                (
                    "allowed_origins",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed origins list to enable CORS, space separated",
                        verbose_name="allowed origins",
                    ),
                ),
                (
                    "registration_source",
                    models.CharField(
                        choices=[
                            ("manual", "Manual"),
                            ("dcr", "Dynamic Client Registration"),
                            ("cimd", "Client ID Metadata Document"),
                        ],
                        default="manual",
                        help_text="How this application was registered (manual, DCR per RFC 7591, or CIMD)",
                        max_length=32,
                        verbose_name="registration source",
                    ),
                ),
                (
                    "cimd_expires_at",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="When the cached Client ID Metadata Document should be re-fetched",
                        null=True,
                        verbose_name="CIMD expires at",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=customers.normalize.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text="Untick to revoke this key."),
                ),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "OAuth client",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="IDToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "jti",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, unique=True, verbose_name="JWT Token ID"
                    ),
                ),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("redirect_uri", models.TextField(verbose_name="redirect URI")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "code_challenge",
                    models.CharField(
                        blank=True, default="", max_length=128, verbose_name="code challenge"
                    ),
                ),
                (
                    "code_challenge_method",
                    models.CharField(
                        blank=True,
                        choices=[("plain", "plain"), ("S256", "S256")],
                        default="",
                        max_length=10,
                        verbose_name="code challenge method",
                    ),
                ),
                (
                    "nonce",
                    models.CharField(blank=True, default="", max_length=255, verbose_name="nonce"),
                ),
                ("claims", models.TextField(blank=True, verbose_name="claims")),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(
                        blank=True, default=list, verbose_name="resource"
                    ),
                ),
                ("code", customers.fields.HashedField(max_length=64, unique=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("token", models.TextField(verbose_name="token")),
                (
                    "token_checksum",
                    oauth2_provider.models.TokenChecksumField(
                        db_index=True, max_length=64, unique=True, verbose_name="token checksum"
                    ),
                ),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(
                        blank=True, default=list, verbose_name="resource"
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "id_token",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_token",
                        to=settings.OAUTH2_PROVIDER_ID_TOKEN_MODEL,
                        verbose_name="ID token",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RefreshToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("token", models.TextField(verbose_name="token")),
                (
                    "token_checksum",
                    oauth2_provider.models.TokenChecksumField(
                        max_length=64, verbose_name="token checksum"
                    ),
                ),
                (
                    "token_family",
                    models.UUIDField(
                        blank=True, editable=False, null=True, verbose_name="token family"
                    ),
                ),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(
                        blank=True, default=list, verbose_name="resource"
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                ("revoked", models.DateTimeField(null=True, verbose_name="revoked")),
                (
                    "access_token",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="refresh_token",
                        to=settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
                        verbose_name="access token",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="source_refresh_token",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="refreshed_access_token",
                to=settings.OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL,
                verbose_name="source refresh token",
            ),
        ),
        migrations.CreateModel(
            name="ServiceAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=customers.normalize.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Untick to revoke: its keys and tokens stop working at once.",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "business_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="service_accounts",
                        to="customers.businessaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.AddField(
            model_name="oauthclient",
            name="service_account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="keys",
                to="customers.serviceaccount",
            ),
        ),
        migrations.AddConstraint(
            model_name="businessaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("parent__isnull", True),
                    models.Q(("parent", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="business_account_not_its_own_parent",
                violation_error_message="A business account cannot be its own parent.",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributedefinition",
            constraint=models.UniqueConstraint(
                fields=("business_account", "target", "name"),
                name="attribute_name_once_per_account",
                violation_error_message="This business account has an attribute of that name.",
            ),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(fields=["value_key", "kind"], name="contact_point_value"),
        ),
        migrations.AddIndex(
            model_name="contactpoint",
            index=models.Index(
                django.db.models.functions.text.Concat("value_key", "extension"),
                condition=models.Q(("kind", "PHONE"), models.Q(("extension", ""), _negated=True)),
                name="contact_point_extension",
            ),
        ),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_primary", True)),
                fields=("customer", "contact_id", "kind"),
                name="contact_point_one_primary_per_kind",
                violation_error_message="A contact has one primary number and one primary e-mail.",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                fields=["last_name_folded", "first_name_folded"], name="contact_last_first"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["first_name_folded"], name="contact_first"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    models.F("first_name_folded"), "gin_trgm_ops"
                ),
                django.contrib.postgres.indexes.OpClass(
                    models.F("middle_name_folded"), "gin_trgm_ops"
                ),
                django.contrib.postgres.indexes.OpClass(
                    models.F("last_name_folded"), "gin_trgm_ops"
                ),
                name="contact_name_trigrams",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("social_id_digest__isnull", False)),
                fields=["social_id_digest"],
                name="contact_social_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_primary", True)),
                fields=("customer",),
                name="contact_one_primary_per_customer",
                violation_error_message="A customer has exactly one primary contact.",
            ),
        ),
        migrations.AddIndex(
            model_name="attributevalue",
            index=models.Index(
                condition=models.Q(("value_sealed__isnull", True)),
                fields=["definition", "value"],
                name="attribute_value_lookup",
            ),
        ),
        migrations.AddConstraint(
            model_name="attributevalue",
            constraint=models.UniqueConstraint(
                fields=("customer", "definition", "contact_id"),
                name="attribute_value_once",
                nulls_distinct=False,
                violation_error_message="This attribute has a value already.",
            ),
        ),
        migrations.AddIndex(
            model_name="address",
            index=models.Index(fields=["zip_code", "country"], name="address_zip_code"),
        ),
        migrations.AddIndex(
            model_name="address",
            index=models.Index(fields=["city_folded", "state", "country"], name="address_city"),
        ),
        migrations.AddIndex(
            model_name="address",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    models.F("street_line_1_folded"), "gin_trgm_ops"
                ),
                django.contrib.postgres.indexes.OpClass(models.F("city_folded"), "gin_trgm_ops"),
                name="address_trigrams",
            ),
        ),
        migrations.AddConstraint(
            model_name="address",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_primary", True)),
                fields=("customer", "type"),
                name="address_one_primary_per_type",
                violation_error_message="Of each type of address one is primary.",
            ),
        ),
        migrations.AddConstraint(
            model_name="address",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["MAILING", "PHYSICAL", "SHIPPING"])),
                name="address_type_known",
            ),
        ),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(fields=["type", "sent_date"], name="activity_type_sent"),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(fields=["id"], name="account_holders"),
        ),
        migrations.AddConstraint(
            model_name="department",
            constraint=models.UniqueConstraint(
                fields=("business_account", "name"),
                name="department_name_once_per_account",
                violation_error_message="This business account has a department of that name.",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="customer_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                models.F("business_account"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="customer_list",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=["external_id"],
                name="customer_external_id",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(models.F("search_text"), "gin_trgm_ops"),
                name="customer_search_trigrams",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    models.F("business_name_folded"), "gin_trgm_ops"
                ),
                condition=models.Q(("business_name_folded", ""), _negated=True),
                name="customer_business_trigrams",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("business_name_folded", ""), _negated=True),
                fields=["business_name_folded"],
                name="customer_business_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["INDIVIDUAL", "BUSINESS", "GROUP"])),
                name="customer_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["ACTIVE", "SUSPENDED", "DELETED"])),
                name="customer_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                name="user_email_once",
                violation_error_message="Another user signs in with this e-mail address.",
            ),
        ),
        migrations.AddIndex(
            model_name="refreshtoken",
            index=models.Index(fields=["token_family"], name="customers_r_token_f_b98a42_idx"),
        ),
        migrations.AlterUniqueTogether(
            name="refreshtoken",
            unique_together={("token_checksum", "revoked")},
        ),
    ]
