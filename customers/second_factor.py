"""Who has to sign in with a code and has not set it up yet gets no further than to the set-up."""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from customers.models import Authenticator, BusinessAccount, User

GUARDED = ("/admin/", "/oauth2/authorize")
# Where a person sets it up, signs in as somebody else, or out.
OPEN = ("admin:customers_user_account", "admin:login", "admin:logout", "admin:jsi18n")


class Backend(ModelBackend):
    """Django's, which learns in the same query whether the person lacks a second factor."""

    def get_user(self, user_id: str | UUID) -> User | None:
        """The person of a session, with `lacks_second_factor`; None for who is deactivated."""
        roles = Group.objects.filter(user=OuterRef(OuterRef("pk"))).values("name")
        requiring = BusinessAccount.objects.filter(
            pk=OuterRef("business_account_id"), two_factor_roles__overlap=ArraySubquery(roles)
        )
        confirmed = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
        # By name the types of `annotate` would not take it, for the class declares it.
        is_required = Q(Exists(requiring))
        if settings.SUPERUSERS_NEED_TWO_FACTORS:
            is_required |= Q(is_superuser=True)
        known = {"lacks_second_factor": is_required & ~Exists(confirmed)}
        person = User.objects.annotate(**known).filter(pk=user_id).first()
        return person if person is not None and self.user_can_authenticate(person) else None


class Gate:
    """Leads people who have to set up a second factor to where that is done."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let everybody pass but those."""
        is_guarded = request.path.startswith(GUARDED) and not request.path.startswith(open_paths())
        if is_guarded and isinstance(request.user, User) and request.user.lacks_second_factor:
            return HttpResponseRedirect(setup_address(request.get_full_path()))
        return self.get_response(request)


def open_paths() -> tuple[str, ...]:
    """The addresses that are open to everybody who is signed in."""
    return tuple(reverse(name) for name in OPEN)


def setup_address(way_on: str) -> str:
    """Where a second factor is set up, and from there the way on."""
    return f"{reverse('admin:customers_user_two_factor')}?{urlencode({'next': way_on})}"
