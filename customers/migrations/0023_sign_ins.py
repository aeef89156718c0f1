"""Who signed in, or tried to."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import customers.normalize
from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("customers", "0022_second_factor"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignInAttempt",
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
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="time")),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("BACK_OFFICE", "Back office"),
                            ("APP", "App"),
                            ("KEY", "API key"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("SIGNED_IN", "Signed in"),
                            ("WRONG_PASSWORD", "Wrong password"),
                            ("WRONG_CODE", "Wrong code"),
                            ("WRONG_SECRET", "Wrong secret"),
                            ("LOCKED_OUT", "Locked out"),
                        ],
                        max_length=20,
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True, verbose_name="from")),
                ("browser", models.CharField(blank=True, max_length=200)),
                (
                    "business_account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.businessaccount",
                    ),
                ),
                (
                    "client",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
            ],
            options={
                "verbose_name": "sign-in",
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(fields=["at"], name="sign_in_by_time"),
                    models.Index(fields=["business_account", "-at"], name="sign_in_by_account"),
                ],
            },
        ),
    ]
