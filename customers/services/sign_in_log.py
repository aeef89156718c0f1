"""The list of sign-ins: written at every door, and kept for a while."""

from datetime import timedelta
from ipaddress import ip_address

from django.conf import settings
from django.core.cache import cache
from django.db.models import Value
from django.db.models.functions import Now
from django.http import HttpRequest
from rest_framework.request import Request

from config.api import attempts, throttling
from config.api.errors import TooManyRequests
from config.jobs.retention import delete_in_batches
from customers.models import OAuthClient, SignInAttempt, User

Door, Outcome = SignInAttempt.Door, SignInAttempt.Outcome
# Of one key and one outcome a row is written once in so many seconds: programs try on and on.
QUIET_SECONDS = 60


def note_person(request: HttpRequest, person: User | None, *, door: str, outcome: str) -> None:
    """Put a try of a person on record; of an address that nobody has, lock-outs alone."""
    if person is not None or outcome == Outcome.LOCKED_OUT:
        SignInAttempt.objects.create(
            person=person,
            business_account_id=person.business_account_id if person else None,
            door=door,
            outcome=outcome,
            **origin(request),
        )


def fail_person(
    request: HttpRequest, email: str, person: User | None, *, door: str, outcome: str
) -> None:
    """Count a failure and put it on record. Raises `TooManyRequests` when it is one too many."""
    note_person(request, person, door=door, outcome=outcome)
    try:
        attempts.note_failure(request, email)
    except TooManyRequests:
        note_person(request, person, door=door, outcome=Outcome.LOCKED_OUT)
        raise


def fail_key(request: HttpRequest | Request, key: str) -> None:
    """Likewise, for the wrong secret of a key or an OAuth client."""
    try:
        attempts.note_failure(request, key)
    except TooManyRequests:
        note_key(request, key, Outcome.LOCKED_OUT)
        raise
    note_key(request, key, Outcome.WRONG_SECRET)


def note_key(request: HttpRequest | Request, key: str, outcome: str) -> None:
    """Put a wrong secret on record, if there is such a key."""
    if not key.isascii() or not key.isprintable():
        return
    client = OAuthClient.objects.filter(client_id=key).select_related("service_account").first()
    if client is None:
        return
    name = cache.make_key(f"noted:{client.pk}:{outcome}")
    if throttling.ask(lambda redis: redis.set(name, 1, nx=True, ex=QUIET_SECONDS)):
        owner = client.service_account or client
        SignInAttempt.objects.create(
            client=client,
            business_account_id=owner.business_account_id,
            door=Door.KEY,
            outcome=outcome,
            **origin(request),
        )


def origin(request: HttpRequest | Request) -> dict[str, str | None]:
    """Where a request comes from."""
    try:
        address: str | None = str(ip_address(throttling.address_of(request)))
    except ValueError:
        address = None
    browser = request.META.get("HTTP_USER_AGENT", "")
    return {"address": address, "browser": "".join(filter(str.isprintable, browser))[:200]}


def delete_old_sign_ins() -> int:
    """Delete what is older than `settings.SIGN_IN_RETENTION_DAYS`; how many."""
    age = Value(timedelta(days=settings.SIGN_IN_RETENTION_DAYS))
    return delete_in_batches(SignInAttempt.objects.filter(at__lte=Now() - age).order_by("at"))
