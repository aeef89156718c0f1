"""What the API documentation tells before it lists calls, and its sections.

The lines of the guide's `bash` blocks run as they are, one block after the other; a test runs them.
"""

from typing import NamedTuple

from django.conf import settings

from config.api.actors import SCOPES


class Tag(NamedTuple):
    """A section; `paths` is a pattern for the beginning of the paths that belong to it."""

    name: str
    paths: str
    description: str


TAGS = [
    Tag(
        "Tokens",
        "/v1/api-keys|/v2/session",
        "An access token for an API key; every other call needs one.",
    ),
    Tag("Customers", "/v1/customers", "One customer account at a time, and what happened to it."),
    Tag(
        "Searches",
        "/v1/search",
        "Searches that may return everything: a worker runs them, and the answer is a file.",
    ),
    Tag(
        "Immediate search",
        "/core",
        "Customers at once, for agents and their programs: JSON or XML, in fifteen languages.",
    ),
    Tag(
        "Bulk loads",
        "/v2/data",
        "Customers with accounts and cards, many at a time: each request is answered at once, a "
        "worker does it, and its ledger has the outcome of each item.",
    ),
    Tag(
        "Business accounts",
        "/v1/business-accounts",
        "The tenants: companies that own customers, in a tree. A token sees its own account and "
        "all below it.",
    ),
]

GUIDE = settings.BASE_DIR / "templates/guide.md"


def told() -> str:
    """The guide in CommonMark, with this installation's limits."""
    return GUIDE.read_text() % {
        "token_seconds": f"{settings.ACCESS_TOKEN_SECONDS:,}",
        "body_bytes": f"{settings.MAX_BODY_BYTES:,}",
        "scopes": "\n".join(f"| `{scope}` | {words} |" for scope, words in SCOPES.items()),
    }
