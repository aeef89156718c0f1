"""Who has to sign in with a code and has not set it up yet gets no further than to the set-up."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from config.db.statements import Slot, Statement
from customers.models import Authenticator, BusinessAccount, User

GUARDED = ("/admin/", "/oauth2/authorize")
# Where a person sets it up, signs in as somebody else, or out.
OPEN = ("admin:customers_user_account", "admin:login", "admin:logout", "admin:jsi18n")


# A page asks for these first, whatever it shows; Django takes longer to write such a query than the
# database to answer it.
USER_COLUMNS = [field.attname for field in User._meta.concrete_fields]


@Statement
def person(key: Slot) -> QuerySet[User, Any]:  # of all columns, and the two below
    """A person's row, whether its account wants two factors of it, and whether it has them."""
    roles = Group.objects.filter(user=OuterRef(OuterRef("pk"))).values("name")
    requiring = BusinessAccount.objects.filter(
        pk=OuterRef("business_account_id"), two_factor_roles__overlap=ArraySubquery(roles)
    )
    confirmed = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
    return User.objects.filter(pk=key).values_list(
        *USER_COLUMNS, Exists(requiring), Exists(confirmed)
    )


@Statement
def permissions(key: Slot) -> QuerySet[Permission, Any]:  # of two names
    """The app and the code name of what a person, or a group of it, may do."""
    granted = Permission.objects.filter(Q(user=key) | Q(group__user=key)).order_by()
    return granted.values_list("content_type__app_label", "codename")


class Backend(ModelBackend):
    """Django's, with a query each for the person of a session and for what it may do."""

    def get_user(self, user_id: str | UUID) -> User | None:
        """The person of a session, with `lacks_second_factor`; None for who is deactivated."""
        found = person.rows(UUID(str(user_id)))
        if not found:
            return None
        *columns, is_required_of_role, is_confirmed = found[0]
        user = User.from_db(DEFAULT_DB_ALIAS, USER_COLUMNS, columns)
        is_required_of_all = settings.SUPERUSERS_NEED_TWO_FACTORS and user.is_superuser
        user.lacks_second_factor = (is_required_of_role or is_required_of_all) and not is_confirmed
        return user if self.user_can_authenticate(user) else None

    def get_all_permissions(
        self, user_obj: User | AnonymousUser, obj: Model | None = None
    ) -> set[str]:
        """What a person may do; read once for each request."""
        if not isinstance(user_obj, User) or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        if not user_obj.is_active:
            return set()
        if user_obj.known_permissions is None:
            names = permissions.rows(user_obj.pk)
            user_obj.known_permissions = {f"{app}.{name}" for app, name in names}
        return user_obj.known_permissions


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
