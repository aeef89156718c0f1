"""Who signed in, or tried to."""

from django.db import models

from customers.models.business import BusinessAccount
from customers.models.people import OAuthClient, User
from customers.normalize import uuid7
from customers.words import moment


class SignInAttempt(models.Model):
    """One try of a person at a sign-in page, or of a program with a wrong secret.

    What was typed is not kept: people mistype their passwords into the field for the address.
    """

    class Door(models.TextChoices):
        """Where it was."""

        BACK_OFFICE = "BACK_OFFICE", "Back office"
        APP = "APP", "App"
        KEY = "KEY", "API key"

    class Outcome(models.TextChoices):
        """How it ended."""

        SIGNED_IN = "SIGNED_IN", "Signed in"
        WRONG_PASSWORD = "WRONG_PASSWORD", "Wrong password"
        WRONG_CODE = "WRONG_CODE", "Wrong code"
        WRONG_SECRET = "WRONG_SECRET", "Wrong secret"
        LOCKED_OUT = "LOCKED_OUT", "Locked out"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField("time", auto_now_add=True)
    # Of whom the address or the key is; nobody's if it is unknown.
    person = models.ForeignKey(
        User, models.CASCADE, related_name="sign_ins", null=True, verbose_name="who"
    )
    client = models.ForeignKey(OAuthClient, models.CASCADE, related_name="+", null=True)
    business_account = models.ForeignKey(
        BusinessAccount, models.CASCADE, related_name="+", null=True
    )
    door = models.CharField(max_length=20, choices=Door)
    outcome = models.CharField(max_length=20, choices=Outcome)
    address = models.GenericIPAddressField("from", null=True)
    browser = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "sign-in"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["at"], name="sign_in_by_time"),
            models.Index(fields=["business_account", "-at"], name="sign_in_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.who} at {moment(self.at)}"

    @property
    def who(self) -> str:
        """The person or the key, in words."""
        return str(self.person or self.client or "Unknown")
