"""Rows that belong to no one app."""

from django.db import models
from django.db.models.functions import Now

from config.db.crypto import SealedField


class IdempotencyKey(models.Model):
    """The first answer to a POST that came with an `Idempotency-Key`, kept for 24 hours.

    `id` is made of client, actor and key; `fingerprint` is a keyed hash of the request, 32 bytes.
    Neither gives away what the client sent.
    """

    id = models.UUIDField(primary_key=True)
    fingerprint = models.BinaryField()
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body_sealed = SealedField()
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return str(self.pk)


class InstallationFact(models.Model):
    """What a database says of the installation that it belongs to (`config.installation`)."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name
