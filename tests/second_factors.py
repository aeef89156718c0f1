"""People with authenticator apps."""

from time import time

from django_otp.oath import TOTP

from customers.models import Authenticator, User
from customers.services.second_factor import begin_setup, confirm_setup


def code_of(person: User, at: float | None = None) -> str:
    """What the app of a person shows now, or at a Unix time."""
    totp = TOTP(Authenticator.objects.get(user=person).key)
    totp.time = time() if at is None else at
    return f"{totp.token():06}"


def equip(person: User) -> list[str]:
    """Set a second factor up; the recovery codes. The next good code is that of the next step."""
    begin_setup(person)
    codes = confirm_setup(person, code_of(person, time() - 30))
    person.refresh_from_db()
    return codes
