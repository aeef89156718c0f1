"""Whose rows a page of the back office may see, where row-level security is on."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config.db.scope import Reason, confine, show_all
from customers.admin.scope import visible_accounts
from customers.models import User


class RowScope:
    """Confines a page to what its operator sees. Calls of the API are confined with their token.

    Who has not signed in sees no rows of business accounts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.ROW_SECURITY:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request within its scope, which ends with it."""
        if not isinstance(request.user, User):
            return self.get_response(request)
        accounts = visible_accounts(request)
        if accounts is None:
            show_all(Reason.SUPERUSER)
        else:
            confine(accounts)
        return self.get_response(request)
