"""The URL table as rows: every path that Kith answers, with its view and its variables."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver
from django.views import View
from inflection import camelize

from config.api.dialects import base_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
BACK_OFFICE = re.compile(r"admin/(\w+)/(\w+)/")


@dataclass(frozen=True)
class Route:
    """A path of the URL table, such as ``v1/customers/<id:customer_id>``, and its view.

    `view` is the class of the view, None where it is a function.
    """

    pattern: str
    view: type[View] | None

    @property
    def variables(self) -> list[str]:
        """The names of the path's variables, in their order."""
        return VARIABLE.findall(self.pattern)

    @property
    def methods(self) -> list[str]:
        """The methods that the view's class has; none are known of a function."""
        return [method for method in METHODS if hasattr(self.view, method.lower())]

    @property
    def path(self) -> str:
        """As the OpenAPI document spells it."""
        return "/" + VARIABLE.sub(lambda match: f"{{{camelize(match[1], False)}}}", self.pattern)

    def key(self, variable: str, ids: Mapping[str, object]) -> str:
        """By which name `ids` has a variable, whose name alone may mean different things.

        ``x of y`` is an `x` in paths that end with the word `y`, and in the back office ``x of
        app.model`` one in pages of that model, ``x of app.model/y`` in those that end with `y`.
        Raises `KeyError` with the names that would do when `ids` has none of them.
        """
        *_, last = [part for part in self.pattern.strip("/").split("/") if "<" not in part]
        names = [f"{variable} of {last}", variable]
        if page := BACK_OFFICE.match(self.pattern):
            model = f"{page[1]}.{page[2]}"
            names = [f"{variable} of {model}/{last}", f"{variable} of {model}"]
        for name in names:
            if name in ids:
                return name
        raise KeyError(*names)

    def url(self, ids: Mapping[str, object]) -> str:
        """The path with these values of its variables. Raises `KeyError` as `key` does."""
        is_regex = "^" in self.pattern or "(?P" in self.pattern
        path = simplify_regex(self.pattern) if is_regex else f"/{self.pattern}"
        return VARIABLE.sub(lambda match: str(ids[self.key(match[1], ids)]), path)


def routes() -> list[Route]:
    """The whole URL table."""
    return list(_walk(get_resolver().url_patterns, ""))


def api_routes() -> list[Route]:
    """The part of it that lies under an API base."""
    return [route for route in routes() if base_of("/" + route.pattern)]


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[Route]:
    for each in patterns:
        pattern = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, pattern)
        else:
            yield Route(pattern, getattr(each.callback, "view_class", None))
