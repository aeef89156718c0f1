"""The back office shows times in the zone of the operator's browser, which tells it in a cookie."""

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

# Set by `kith/time-zone.js`.
COOKIE = "kith_time_zone"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")


class BrowserTimeZone:
    """Makes a request to the back office see times as its sender's clock shows them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request in the zone of its cookie; in UTC where there is none."""
        if not request.path.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(zone_of(request)):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> ZoneInfo | None:
    """The zone that the browser told; None for none, and for one that is not known here."""
    name = request.COOKIES.get(COOKIE, "")
    if not NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def in_words(_request: HttpRequest) -> str:
    """Which zone the times of a page are in."""
    return f"Times in {timezone.get_current_timezone_name()}"
