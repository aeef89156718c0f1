"""The addresses that forms are sent to, from the URL table."""

from config.api.dialects import base_of
from config.api.routes import routes


class Anything(dict[str, str]):
    """The same for every variable of a path."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, _name: str) -> str:
        return "1"


def forms() -> set[str]:
    """The addresses of all pages that may take a form, with the rows of nobody."""
    return {
        route.url(Anything())
        for route in routes()
        if not base_of("/" + route.pattern) and (route.view is None or "POST" in route.methods)
    }
