"""OAuth 2 at `/oauth2/`: the toolkit's endpoints, with our rules about who may know what.

Errors have the bodies of RFC 6749 and 7662, not those of `/v1`.
"""

from collections.abc import Callable
from functools import partial
from typing import cast

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic.base import View
from oauth2_provider import views as toolkit
from oauth2_provider.exceptions import OAuthToolkitError
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import Request as OAuthRequest
from oauthlib.oauth2.rfc6749 import errors

from config.api.actors import Actor, ActorType
from config.api.errors import TooManyRequests
from customers.authentication import actor_of, bearer_token, checksum
from customers.models import AccessToken, BusinessAccount, OAuthClient, User
from customers.oauth import person_scopes
from customers.services.sign_in_log import fail_key
from customers.views.tokens import basic_credentials


@method_decorator(never_cache, name="dispatch")
class Authorization(toolkit.AuthorizationView):
    """Asks a person who has signed in whether an app may act for them."""

    template_name = "oauth/authorize.html"
    login_url = reverse_lazy("oauth2_provider:login")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """A request that the toolkit stumbles over is the client's fault, and gets a page."""
        response: HttpResponseBase
        try:
            response = super().dispatch(request, *args, **kwargs)
        except (OAuthClient.DoesNotExist, ValueError):
            error = errors.InvalidRequestError(description="The request cannot be understood.")
            response = self.render_to_response({"error": error}, status=400)
        return response

    def validate_authorization_request(
        self, request: HttpRequest
    ) -> tuple[list[str], dict[str, object]]:
        """Scopes and credentials; of the scopes those that this person may give."""
        scopes, credentials = super().validate_authorization_request(request)
        app = OAuthClient.objects.get(client_id=credentials["client_id"])
        scopes = person_scopes(cast("User", request.user), scopes, app)
        if not scopes:
            raise OAuthToolkitError(
                error=errors.InvalidScopeError(
                    description="You may not give any of these scopes.", state=credentials["state"]
                ),
                redirect_uri=credentials["redirect_uri"],
            )
        return scopes, credentials


class ClientEndpoint(View):
    """What programs post forms to. Limits who guesses secrets; answers what it cannot read."""

    http_method_names = ["post"]

    @method_decorator(csrf_exempt)
    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer; errors are JSON objects of `error` alone or with `error_description`."""
        try:
            if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
                message = "A form comes without Content-Encoding here."
                return oauth_error(
                    "invalid_request", 415, message, **{"Accept-Encoding": "identity"}
                )
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code == 401 and self.is_without_credentials(request):
                challenge = response.get("WWW-Authenticate", 'Basic realm="Kith"')
                message = "No credentials were sent: no Authorization header, and no client_id."
                return oauth_error(
                    "invalid_client", 401, message, **{"WWW-Authenticate": challenge}
                )
            if response.status_code == 401:
                fail_key(request, claimed_client(request))
        except TooManyRequests as error:
            return oauth_error("temporarily_unavailable", error.status, **error.headers)
        except ValueError:
            # The toolkit's way to say that a query string or a header is beyond reading.
            return oauth_error("invalid_request", 400)
        return response

    @staticmethod
    def is_without_credentials(request: HttpRequest) -> bool:
        """Whether a request says nothing of who sends it."""
        header = request.META.get("HTTP_AUTHORIZATION", "").strip()
        return not header and not request.POST.get("client_id")


def claimed_client(request: HttpRequest) -> str:
    """The client that a form or a header names, whether there is one or not."""
    key, _ = basic_credentials(request)
    return key or request.POST.get("client_id", "")


class Token(ClientEndpoint, toolkit.TokenView):
    """Gives tokens for a key's secret, a code, or a refresh token (RFC 6749)."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """The device grant, which the toolkit would also answer here, is off."""
        response: HttpResponse = self.authorization_flow_token_response(request)
        return response


class Revocation(ClientEndpoint, toolkit.RevokeTokenView):
    """Ends a token of the client's own (RFC 7009); 200 whether there was one or not."""


class Introspection(ClientEndpoint, OAuthLibMixin):
    """Tells whether an access token is good, and for what (RFC 7662).

    The caller shows an API key with its secret, or an access token of its own. It learns about
    tokens of its business account and of the accounts below; any other is `{"active": false}`,
    like one that never was.
    """

    def post(self, request: HttpRequest) -> HttpResponse:
        """`token` in a form; the other parameters of the RFC are ignored."""
        may_know = self.knowledge_of_caller(request)
        if may_know is None:
            challenge = 'Basic realm="Kith", Bearer realm="Kith"'
            return oauth_error("invalid_client", 401, **{"WWW-Authenticate": challenge})
        if "token" not in request.POST:
            return oauth_error("invalid_request", 400)
        response = JsonResponse(described(request.POST["token"], may_know))
        response["Cache-Control"] = "no-store"
        return response

    def knowledge_of_caller(self, request: HttpRequest) -> Callable[[Actor], bool] | None:
        """Whose tokens the caller may know about; None for a stranger."""
        if token := bearer_token(request):
            actor = actor_of(token)
            return partial(knows_about, actor) if actor else None
        core = self.get_oauthlib_core()
        asking = OAuthRequest(*core._extract_params(request))  # noqa: SLF001 -- as the toolkit does
        known = core.server.request_validator.authenticate_client(asking)
        # An app without a service account proves nothing: anybody knows its name.
        if not known or asking.client.service_account is None:
            return None
        account = asking.client.service_account.business_account_id
        tree = frozenset(BusinessAccount.objects.tree_of(account).values_list("pk", flat=True))
        return lambda other: other.business_account_id in tree


def knows_about(actor: Actor, other: Actor) -> bool:
    """Whether an actor may learn about the tokens of another: a customer about its own only."""
    if actor.type == ActorType.CUSTOMER:
        return (other.type, other.id) == (actor.type, actor.id)
    return other.business_account_id in actor.tree


def described(token: str, may_know: Callable[[Actor], bool]) -> dict[str, object]:
    """What RFC 7662 says about an access token, to a caller who `may_know` about some actors."""
    actor = actor_of(token)
    if actor is None or not may_know(actor):
        return {"active": False}
    found = AccessToken.objects.filter(token_checksum=checksum(token))
    expires = found.values_list("expires", flat=True).first()
    if expires is None:
        return {"active": False}
    return {
        "active": True,
        "scope": " ".join(sorted(actor.scopes)),
        "client_id": actor.client_id,
        "token_type": "Bearer",
        "exp": int(expires.timestamp()),
        "sub": actor.id,
    }


def oauth_error(error: str, status: int, description: str = "", **headers: str) -> JsonResponse:
    """An error body of RFC 6749."""
    body = {"error": error} | ({"error_description": description} if description else {})
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"} | headers)
