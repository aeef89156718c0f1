"""The second factor of a person: set up, checked at each sign-in, and taken away."""

import base64
import secrets

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F

from config.api.errors import Conflict, Forbidden, Invalid, Problem
from config.db.locks import held
from customers.models import Authenticator, RecoveryCode, User
from customers.services.employees import managed, role_of

KEY_BYTES = 20
RECOVERY_CODES = 10
# 80 bits, in four groups: nothing that could be guessed, so a plain hash of it is enough.
CODE_BYTES, GROUP = 10, 4
WRONG_CODE = "This code is wrong, too old, or was used already."


def has_second_factor(person: User | AnonymousUser) -> bool:
    """Whether a person signs in with a code."""
    return bool(Authenticator.objects.filter(user_id=person.pk, confirmed=True).exists())


def begin_setup(person: User) -> Authenticator:
    """A secret for an app, the same until it is confirmed. Raises `Conflict` if there is one.

    One that cannot be opened is replaced.
    """
    with transaction.atomic():
        held(User.objects.all(), person.pk).get()
        device: Authenticator | None = Authenticator.objects.filter(user=person).first()
        if device is None:
            device = Authenticator(user=person, name="app", confirmed=False)
            device.set_key(secrets.token_bytes(KEY_BYTES))
            device.save(force_insert=True)
        if device.confirmed:
            raise Conflict("Two-factor sign-in is set up already.", code="SET_UP")
        if not device.is_readable:
            device.set_key(secrets.token_bytes(KEY_BYTES))
            device.save(update_fields=["key_sealed"])
    return device


def confirm_setup(person: User, code: str) -> list[str]:
    """Turn it on by a first code: the recovery codes, known only now. All sessions end.

    Raises `Invalid` for a wrong code.
    """
    with transaction.atomic():
        device = Authenticator.objects.select_for_update().filter(user=person).first()
        is_good = device is not None and not device.confirmed and device.verify_token(tidy(code))
        codes = []
        if device is not None and is_good:
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            codes = replace_recovery_codes(person)
            end_sessions(person)
    if not is_good:
        raise Invalid([Problem("code", WRONG_CODE, "WRONG_CODE")])
    return codes


def verify_code(person: User, code: str) -> bool:
    """Whether a code of the app, or a recovery code, is good; it is good this once."""
    code = tidy(code)
    with transaction.atomic():
        if not code.isdigit():
            return bool(RecoveryCode.objects.filter(user=person, code=code).delete()[0])
        device = Authenticator.objects.select_for_update().filter(user=person).first()
        return device is not None and device.confirmed and device.verify_token(code)


def replace_recovery_codes(person: User) -> list[str]:
    """New recovery codes, known only now; those before are good for nothing."""
    codes = [make_code() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        person.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=person, code=tidy(c)) for c in codes)
    return codes


def remove_second_factor(person: User) -> None:
    """Let a person sign in with the password alone. Raises `Conflict` where that is not enough."""
    if person.is_superuser and settings.SUPERUSERS_NEED_TWO_FACTORS:
        raise Conflict("Superusers sign in with two factors here.", code="REQUIRED")
    account = person.business_account
    if account is not None and role_of(person) in account.two_factor_roles:
        raise Conflict("Your business account requires two-factor sign-in.", code="REQUIRED")
    with transaction.atomic():
        forget(person)


def reset_second_factor(*, by: User, person: User) -> None:
    """Take it from somebody who lost it; their sessions end. Owners only.

    Raises as `managed` does.
    """
    with managed(by, person) as row:
        if not may_reset(by):
            raise Forbidden("Only an Owner resets two-factor sign-in.", code="OWNERS_ONLY")
        forget(row)
        end_sessions(row)


def may_reset(by: User) -> bool:
    """Whether `by` may take second factors away."""
    return by.is_superuser or role_of(by) == "Owner"


def forget(person: User) -> None:
    """Delete app and codes."""
    Authenticator.objects.filter(user=person).delete()
    person.recovery_codes.all().delete()


def end_sessions(person: User) -> None:
    """End all sessions of a person; whose own one is to go on has to sign it anew."""
    User.objects.filter(pk=person.pk).update(access_version=F("access_version") + 1)
    person.refresh_from_db(fields=["access_version"])


def make_code() -> str:
    """A recovery code, in groups that people can read."""
    text = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower()
    return "-".join(text[start : start + GROUP] for start in range(0, len(text), GROUP))


def tidy(code: str) -> str:
    """A code without what people type for their eyes."""
    return "".join(code.split()).replace("-", "").lower()
