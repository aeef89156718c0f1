"""What a browser may load and run on our pages: nothing from elsewhere, no script in a page."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"
OWN = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src blob:; "
    "base-uri 'none'; frame-ancestors 'none'{forms}"
)
INLINE_STYLES = " 'unsafe-inline'"
EXACT = OWN.format(scripts="", styles="", forms="; form-action 'self'")
DOCS = OWN.format(scripts="", styles="", forms="; form-action 'none'")
# The back office's skin is made with Alpine, which evaluates the attributes of its elements.
ADMIN = OWN.format(scripts=" 'unsafe-eval'", styles=INLINE_STYLES, forms="; form-action 'self'")
# A consent ends at the address of the app that asked for it.
OAUTH = OWN.format(scripts="", styles="", forms="")
BY_PATH = {"/admin/": ADMIN, "/docs": DOCS, "/oauth2/": OAUTH}


def policy_of(path: str) -> str:
    """The policy of a page."""
    return next((policy for base, policy in BY_PATH.items() if path.startswith(base)), EXACT)


class ContentPolicy:
    """Gives each HTML page its `Content-Security-Policy`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add it to what the page's view has made."""
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and response.status_code != HTTPStatus.NOT_MODIFIED:
            response[HEADER] = policy_of(request.path)
        return response
