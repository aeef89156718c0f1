"""What a person signs in with besides the password: an authenticator app, and recovery codes.

django-otp has the algorithm, the throttling and the protection against a code that comes twice; the
rows are our own, because its tables keep keys and codes in clear.
"""

import base64
from time import time
from urllib.parse import quote, urlencode

from django.db import models
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from config.db.crypto import (
    SealedField,
    associated_data,
    seal_bytes,
    unseal_bytes,
    unseal_bytes_if_possible,
)
from customers.fields import HashedField
from customers.models.people import User
from customers.normalize import uuid7

ISSUER = "Kith"
# How many steps of 30 seconds a clock may be off.
TOLERANCE = 1


class Authenticator(ThrottlingMixin, Device):
    """A person's authenticator app (RFC 6238); it counts once a first code has confirmed it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(User, models.CASCADE, related_name="authenticator")
    key_sealed = SealedField()
    drift = models.SmallIntegerField(default=0)
    # The step of the last good code; only codes of later ones are good.
    last_t = models.BigIntegerField(default=-1)

    def set_key(self, key: bytes) -> None:
        """Give it a secret, sealed for this row."""
        self.key_sealed = seal_bytes(key, self._bound_to())

    @property
    def key(self) -> bytes:
        """The secret. Raises `SealError` without the right encryption key."""
        return unseal_bytes(self.key_sealed, self._bound_to())

    @property
    def is_readable(self) -> bool:
        """Whether the secret can be opened; an error in the log if not."""
        return unseal_bytes_if_possible(self.key_sealed, self._bound_to()) is not None

    @property
    def words(self) -> str:
        """The secret in base32, as people type it into an app."""
        return base64.b32encode(self.key).decode().rstrip("=")

    @property
    def address(self) -> str:
        """What the QR code says to an app."""
        label = quote(f"{ISSUER}:{self.user.email}")
        return f"otpauth://totp/{label}?{urlencode({'secret': self.words, 'issuer': ISSUER})}"

    def get_throttle_factor(self) -> int:
        """Seconds to wait after a first wrong code; doubled with each further one."""
        return 1

    def verify_token(self, token: str) -> bool:
        """Whether a code is good now, and no longer afterwards; for a row that is locked.

        None is good for a secret that cannot be opened.
        """
        if not self.verify_is_allowed()[0] or not self.is_readable:
            return False
        totp = TOTP(self.key, drift=self.drift)
        totp.time = time()
        is_good = token.isascii() and token.isdigit() and len(token) == totp.digits
        if not is_good or not totp.verify(int(token), TOLERANCE, self.last_t + 1):
            self.throttle_increment()
            return False
        self.last_t, self.drift = totp.t(), totp.drift
        self.throttle_reset(commit=False)
        self.save()
        return True

    def _bound_to(self) -> str:
        return associated_data(type(self), "key_sealed", self.pk)


class RecoveryCode(models.Model):
    """A code for the day on which the app is lost; its row is deleted with its use."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    code = HashedField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "code"], name="recovery_code_once_per_person")
        ]

    def __str__(self) -> str:
        return f"a recovery code of {self.user}"
