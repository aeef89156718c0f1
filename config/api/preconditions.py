"""`If-Match` and `If-None-Match` (RFC 9110): what a client knows of the thing that it asks for."""

from collections.abc import Collection

from django.utils.http import parse_etags

from config.api.errors import PreconditionFailed


def is_known(etag: str, header: str) -> bool:
    """Whether an `If-None-Match` header names this `etag`; proxies that compress weaken it."""
    known = {tag.removeprefix("W/") for tag in parse_etags(header)}
    return not known.isdisjoint({f'"{etag}"', "*"})


def check_write(etags: Collection[str], *, if_match: str | None, if_none_match: str | None) -> None:
    """Whether a write may go ahead on a thing that has one of these `etags`, by its headers.

    Raises `PreconditionFailed`, which says what stood in the way.
    """
    if if_none_match is not None and any(is_known(etag, if_none_match) for etag in etags):
        raise PreconditionFailed(
            "If-None-Match: * asks that there be none yet, and there is one."
            if if_none_match.strip() == "*"
            else "This has the version that If-None-Match names."
        )
    if if_match is None:
        return
    given = set(parse_etags(if_match))
    if given.isdisjoint({"*", *(f'"{etag}"' for etag in etags)}):
        weak = sorted(tag for tag in given if tag.startswith("W/"))
        raise PreconditionFailed(
            f"If-Match names {weak[0]}, a weak tag, and weak tags never match: send "
            f"{weak[0].removeprefix('W/')}. A proxy that compresses answers makes their tags weak."
            if weak
            else "This has changed since the version that If-Match names."
        )
