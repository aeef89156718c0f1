"""Links by which a person chooses a password: sent by mail, or made by an Owner and handed over.

A link is good once, for `settings.PASSWORD_RESET_TIMEOUT` seconds, and ends with the next sign-in,
a new password, or the person's deactivation.
"""

import logging
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from config.api.errors import Invalid, NotFound
from config.db.locks import held
from customers.models import User
from customers.services.employees import managed
from customers.services.people import set_password

logger = logging.getLogger(__name__)


class LinkTokens(PasswordResetTokenGenerator):
    """Django's tokens, which also end with the person's `access_version`."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.access_version}"


tokens = LinkTokens()


def can_mail() -> bool:
    """Whether this installation sends mail (`EMAIL_URL`)."""
    return bool(settings.EMAIL_URL)


def link_for(person: User) -> str:
    """A link by which a person chooses a password; whoever has it can."""
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    path = reverse("account:choose-password", args=[uid, tokens.make_token(person)])
    return f"{settings.PUBLIC_URL}{path}"


def make_link(*, by: User, person: User) -> str:
    """A link to hand over. Raises as `managed` does, and `NotFound` for who is deactivated."""
    with managed(by, person) as row:
        if not row.is_active:
            raise NotFound("This person is deactivated; reactivate them first.")
        return link_for(row)


def mail_link(person: User, *, is_invitation: bool = False) -> None:
    """Send a link to a person. Raises `OSError` or `SMTPException` where mail does not go out."""
    context = {
        "link": link_for(person),
        "person": person,
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "is_invitation": is_invitation,
    }
    subject = "You can use Kith now" if is_invitation else "Choose a new password for Kith"
    body = render_to_string("account/mail.txt", context)
    send_mail(subject, body, None, [person.email])


def mail_forgotten(person_id: UUID) -> bool:
    """Send a link to whoever forgot a password; nothing for who cannot sign in with one."""
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is None or not person.has_usable_password() or not can_mail():
        return False
    mail_link(person)
    return True


def choose_password(*, person_id: UUID, token: str, password: str) -> User:
    """Give a person the password of its choice, by a link that is good for nothing afterwards.

    Raises `NotFound` for a link that is not good, and `Invalid` for a password that is too weak.
    """
    with transaction.atomic():
        person = held(User.objects.filter(is_active=True), person_id).first()
        if person is None or not tokens.check_token(person, token):
            raise NotFound("This link is not good any more.")
        if problems := set_password(person, password):
            raise Invalid(problems)
        person.save(update_fields=["password"])
    return person
