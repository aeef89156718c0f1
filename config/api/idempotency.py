"""`Idempotency-Key`: a POST that is sent twice happens once, and is answered twice the same.

Lock, work, answer and its record are one transaction. Killed at any point, nothing has happened,
and no row says "running" for ever: what runs is what holds the lock.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Value
from django.db.models.functions import Now
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from config.api.actors import Actor
from config.api.card_numbers import CARD_NUMBER, holds_card_number
from config.api.errors import ApiError, Conflict, Problem, Unprocessable
from config.db.crypto import SealError, associated_data, seal, unseal
from config.models import IdempotencyKey

KEPT = timedelta(hours=24)
PRINTABLE = re.compile(r"[\x20-\x7e]{6,255}")
BATCH = 1000


def is_asked(request: Request) -> bool:
    """Whether an actor sent an `Idempotency-Key`."""
    return "HTTP_IDEMPOTENCY_KEY" in request.META and isinstance(request.auth, Actor)


def answer_once(
    request: Request, actor: Actor, run: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """The first answer again, or else that of `run`, which is kept unless it is an error.

    A request that failed has done nothing: corrected, it may come again under its key.

    `run` gives a rendered response and raises nothing. Raises `ApiError` 400 for a bad key,
    `Unprocessable` for a key that was used for another request, `Conflict` while the first runs.
    """
    name, fingerprint = _name(request, actor), _fingerprint(request)
    with transaction.atomic():
        _lock(name)
        kept = IdempotencyKey.objects.annotate(now=Now()).filter(pk=name).first()
        if kept is not None:
            if kept.created_at > kept.now - KEPT:
                return _replay(kept, fingerprint)
            kept.delete()
        response = run()
        if response.status_code >= 400:
            transaction.set_rollback(True)
        elif isinstance(response, HttpResponse):
            _keep(name, fingerprint, response)
    return response


def _name(request: Request, actor: Actor) -> UUID:
    key = request.META["HTTP_IDEMPOTENCY_KEY"]
    wrong = None
    if not PRINTABLE.fullmatch(key):
        wrong = ("This must be 6 to 255 printable ASCII characters.", "INVALID")
    elif holds_card_number(key):
        wrong = CARD_NUMBER
    if wrong:
        raise ApiError(
            "The idempotency key cannot be used.",
            code="INVALID_IDEMPOTENCY_KEY",
            problems=[Problem("Idempotency-Key", *wrong)],
        )
    return UUID(bytes=_hash(actor.client_id, actor.id, key)[:16])


def _fingerprint(request: Request) -> bytes:
    digest = hashlib.sha256(request.body).hexdigest()
    return _hash(str(request.method), request.get_full_path(), digest)


def _hash(*parts: str) -> bytes:
    """A keyed hash, so that nobody who reads the table can try out what was sent."""
    return hmac.digest(settings.BLIND_INDEX_KEY, "\n".join(parts).encode(), "sha256")


def _lock(name: UUID) -> None:
    number = int.from_bytes(name.bytes[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (locked,) = cursor.fetchone()
    if not locked:
        raise Conflict(
            "The first request with this idempotency key is still running.",
            code="IDEMPOTENCY_KEY_IN_USE",
            headers={"Retry-After": "1"},
        )


def _replay(kept: IdempotencyKey, fingerprint: bytes) -> HttpResponse:
    if not hmac.compare_digest(bytes(kept.fingerprint), fingerprint):
        raise Unprocessable(
            "This idempotency key was used for another request.", code="IDEMPOTENCY_KEY_REUSED"
        )
    try:
        body = unseal(kept.body_sealed, associated_data(IdempotencyKey, "body_sealed", kept.pk))
    except SealError:
        # Its key was taken away. Doing the work twice would be worse than not repeating the answer.
        raise Conflict(
            "The request was done, but its answer cannot be repeated.",
            code="IDEMPOTENT_ANSWER_LOST",
        ) from None
    response = HttpResponse(body, status=kept.status, headers=kept.headers)
    if "Content-Type" not in kept.headers:
        del response["Content-Type"]
    response["Idempotent-Replayed"] = "true"
    return response


def _keep(name: UUID, fingerprint: bytes, response: HttpResponse) -> None:
    body = response.content.decode()
    IdempotencyKey.objects.create(
        pk=name,
        fingerprint=fingerprint,
        status=response.status_code,
        headers={
            header: value
            for header, value in response.items()
            if not header.startswith("RateLimit")
        },
        body_sealed=seal(body, associated_data(IdempotencyKey, "body_sealed", name)),
    )


def delete_expired() -> int:
    """Delete keys older than `KEPT`, in batches that hold no lock for long; how many."""
    total = 0
    while True:
        expired = IdempotencyKey.objects.filter(created_at__lte=Now() - Value(KEPT))
        count, _ = IdempotencyKey.objects.filter(pk__in=expired.values("pk")[:BATCH]).delete()
        total += count
        if count < BATCH:
            return total
