"""Links of `/core`: path and query, parameters sorted by name."""

from collections.abc import Mapping
from urllib.parse import quote

from search.immediate.criteria import Window

BASE = "/core/customermgr/v3/customer"
CASES = "/core/casemgr/v3/case?customer={}"


def href(path: str, parameters: Mapping[str, str]) -> str:
    """A path with its query, percent-encoded; the `$` of names stays as it is."""
    pairs = [
        f"{quote(name, safe='$')}={quote(value, safe='$')}"
        for name, value in sorted(parameters.items())
    ]
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def link(rel: str, target: str) -> dict[str, str]:
    """An entry of `link`."""
    return {"rel": rel, "href": target}


def neighbours(
    parameters: Mapping[str, str], window: Window, *, has_next: bool
) -> list[dict[str, str]]:
    """The links to the page, or range, before this one and behind it."""
    links = []
    if window.offset > 0:
        size = min(window.size, window.offset) if window.is_range else window.size
        before = window._replace(offset=window.offset - size, size=size)
        links.append(link("prev", href(BASE, {**parameters, **position(before)})))
    if has_next:
        after = window._replace(offset=window.offset + window.size)
        links.append(link("next", href(BASE, {**parameters, **position(after)})))
    return links


def position(window: Window) -> dict[str, str]:
    """A window as the parameters that ask for it."""
    return {f"${name}": str(number) for name, number in shown(window).items()}


def shown(window: Window) -> dict[str, int]:
    """A window as `paginationInfo` shows it."""
    if window.is_range:
        return {"rangestart": window.offset + 1, "rangesize": window.size}
    return {"pagenum": window.offset // window.size + 1, "pagesize": window.size}
