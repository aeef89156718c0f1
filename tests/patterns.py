"""Every regular expression of the product, and texts that are as hard for one as they get."""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import product
from re import _parser as parser  # type: ignore[attr-defined] # how Python reads them itself
from time import thread_time
from typing import Any

from django.apps import apps
from django.core.validators import RegexValidator
from django.urls import URLPattern, URLResolver, get_resolver
from phonenumbers import SUPPORTED_REGIONS, PhoneMetadata

from config.launcher.guard import CHECKOUT
from config.openapi import story
from config.supply import bundled
from config.supply.components import BUNDLED
from customers import normalize
from customers.admin import browsers
from tests.documented import document

PACKAGES = ("config", "customers", "search", "ingest")
WAYS = {"match": "match", "fullmatch": "fullmatch", "compile": ""}
WAYS |= dict.fromkeys(("search", "sub", "subn", "split", "findall", "finditer"), "sub")
# Of Django's admin, and never reached: a route of ours with all that begins so comes before.
SHADOWED = {r"^r/(?P<content_type_id>.+)/(?P<object_id>.+)/\Z"}
EVERY_WAY = ("match", "fullmatch", "sub")
# Of repetitions that are looked at, and of texts that are repeated.
LEAST, MOST = 2, 24
# Characters; what grows with their square takes some ten milliseconds.
LENGTH = 4096


def made_by(name: str) -> Iterable[str]:
    """The patterns that a module makes of other values. Raises `KeyError` for other modules."""
    makers: dict[str, Callable[[], Iterable[str]]] = {
        "config/openapi/schema.py": lambda: (tag.paths for tag in story.TAGS),
        "config/supply/bundled.py": lambda: {
            bundled.TOLD,
            *(each.version for each in BUNDLED if each.version not in {"", "--"}),
        },
        "customers/admin/browsers.py": browsers.BROWSERS.values,
        "customers/admin/customer_draft.py": lambda: [re.escape("a[0].b") + r"\[(\d{1,4})\]\."],
        "customers/normalize.py": lambda: [normalize._po_box().pattern],
        "customers/phones.py": dialling_prefixes,
        "search/columns.py": lambda: [r"\bp\."],
    }
    return makers[name]()


def dialling_prefixes() -> set[str]:
    """What the phone library knows to stand before the numbers of countries."""
    found = (PhoneMetadata.metadata_for_region(region, None) for region in SUPPORTED_REGIONS)
    return {each.national_prefix_for_parsing for each in found} - {None}


@dataclass(frozen=True)
class Pattern:
    """A regular expression, where it stands, and how it is used: `match`, `fullmatch`, `sub`."""

    text: str
    flags: int
    where: str
    ways: tuple[str, ...]

    def seconds(self, way: str, text: str) -> float:
        """How long it takes to look for it in a text; the least of three times, if it matters."""
        compiled = re.compile(self.text, self.flags)
        used = {"sub": lambda: compiled.sub("", text)}.get(way) or (
            lambda: getattr(compiled, way)(text)
        )
        found = []
        for _ in range(3):
            started = thread_time()
            used()
            found.append(thread_time() - started)
            if found[-1] < SLOW:
                break
        return min(found)


# Less is not looked at: it is what a computer's clock and its other work make of any pattern.
SLOW = 0.002


def all_patterns() -> Iterator[Pattern]:
    """All of them."""
    yield from of_source()
    for model in apps.get_models():
        for field in model._meta.get_fields():
            for each in getattr(field, "validators", ()):
                if isinstance(each, RegexValidator):
                    text, flags = each.regex.pattern, each.regex.flags
                    yield Pattern(
                        text, flags & ~re.UNICODE, f"{model.__name__}.{field.name}", ("sub",)
                    )
    for text in sorted(of_routes(get_resolver().url_patterns) - SHADOWED):
        yield Pattern(text, 0, "a route", ("match",))
    for text in sorted(set(of_document(document()))):
        yield Pattern(text, 0, "the OpenAPI document", ("sub",))


def of_source() -> Iterator[Pattern]:
    """Those of `re` in the product's modules."""
    calls: list[tuple[str, ast.Call, ast.AST]] = []
    used: dict[tuple[str, str], set[str]] = defaultdict(set)
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                tree = ast.parse(path.read_text())
                name = path.relative_to(CHECKOUT).as_posix()
                calls += [(name, *each) for each in calls_of_re(tree)]
                for node in ast.walk(tree):
                    if isinstance(node, ast.Attribute) and node.attr in WAYS:
                        used[name, owner(node.value)].add(WAYS[node.attr])
    for name, call, parent in calls:
        way = WAYS[call.func.attr]  # type: ignore[attr-defined] # as `calls_of_re` finds them
        target = owner(parent.targets[0]) if isinstance(parent, ast.Assign) else ""
        known = {way} if way else used[name, target] - {""}
        ways = tuple(sorted(known)) or EVERY_WAY
        where = f"{name}:{call.lineno}"
        try:
            text, flags = evaluated(name, call)
        except NameError:
            for each in made_by(name):
                yield Pattern(each, 0, where, ways)
        else:
            yield Pattern(text, flags, where, ways)


def calls_of_re(tree: ast.AST) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Calls of functions of `re` that take a pattern, and what each stands in."""
    for parent in ast.walk(tree):
        for node in ast.iter_child_nodes(parent):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and owner(node.func.value) == "re"
                and node.func.attr in WAYS
            ):
                yield node, parent


def owner(node: ast.AST) -> str:
    """The last name of an expression such as ``text.PATTERN``."""
    return getattr(node, "id", "") or getattr(node, "attr", "")


def evaluated(name: str, call: ast.Call) -> tuple[str, int]:
    """Pattern and flags of a call. Raises `NameError` where they are made of local names."""
    module = import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    given = [call.args[0], *(each.value for each in call.keywords if each.arg == "flags")]
    if call.func.attr == "compile":  # type: ignore[attr-defined] # as `calls_of_re` finds them
        given += call.args[1:2]
    code = (compile(ast.Expression(each), name, "eval") for each in given)
    text, *flags = (eval(each, vars(module)) for each in code)
    return text, int(flags[0]) if flags else 0


def of_routes(patterns: Iterable[URLPattern | URLResolver]) -> set[str]:
    """Those of the URL table."""
    found = set()
    for each in patterns:
        found.add(each.pattern.regex.pattern)
        if isinstance(each, URLResolver):
            found |= of_routes(each.url_patterns)
    return found


def of_document(node: Any) -> Iterator[str]:
    """Those that clients are told of, for texts of any length.

    With a limit of length they are for short ones; and those of `/v2` are read by Pydantic, whose
    engine tries nothing twice.
    """
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str) and "maxLength" not in node:
            yield node["pattern"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from of_document(each)


# --- Texts ----------------------------------------------------------------------------------------


@cache
def texts_for(text: str, flags: int) -> list[tuple[str, str, str]]:
    """Beginnings, what is repeated, and ends of texts that may make a pattern try everything."""
    tree = parser.parse(text, flags)
    repeated = sorted({sample(body) for body in bodies(tree)} - {""}, key=len)
    if not repeated:
        return []
    repeated += runs(tree)
    letters = sorted({*leaves(tree)} - {""})
    pairs = ("".join(pair) for pair in product(letters[:4], repeat=2))
    pumps = list(dict.fromkeys([*repeated, *letters, *pairs]))[:MOST]
    beginnings = sorted({"", *prefixes(tree)}, key=len)[:4]
    return list(product(beginnings, pumps, ("", "\n\x00")))


def leaves(tree: Any) -> Iterator[str]:
    """A character for each literal and each set of a pattern."""
    for operation, argument in tree:
        if is_leaf(operation):
            yield one_of(operation, argument)
        for part in parts(operation, argument):
            yield from leaves(part)


def bodies(tree: Any) -> Iterator[Any]:
    """What is repeated without a small limit."""
    for operation, argument in tree:
        if "REPEAT" in str(operation) and argument[1] > LEAST:
            yield argument[2]
        for part in parts(operation, argument):
            yield from bodies(part)


def runs(tree: Any) -> list[str]:
    """What stands between two repetitions: a text may have many of it."""
    found = [""]
    for operation, argument in tree:
        if is_leaf(operation):
            found[-1] += one_of(operation, argument)
        else:
            found.append("")
            for part in parts(operation, argument):
                found += runs(part)
    return [each for each in found if len(each) > 1]


def prefixes(tree: Any) -> Iterator[str]:
    """A text for what stands before each repetition."""
    made = ""
    for operation, argument in tree:
        if "REPEAT" in str(operation):
            yield made
        for part in parts(operation, argument):
            yield from (made + each for each in prefixes(part))
        made += sample([(operation, argument)])


def parts(operation: Any, argument: Any) -> list[Any]:
    """The patterns within one."""
    match str(operation):
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [argument[2]]
        case "SUBPATTERN":
            return [argument[3]]
        case "ATOMIC_GROUP":
            return [argument]
        case "BRANCH":
            return list(argument[1])
        case "ASSERT" | "ASSERT_NOT":
            return [argument[1]]
    return []


def is_leaf(operation: Any) -> bool:
    """Whether it stands for one character."""
    return str(operation) in {"LITERAL", "NOT_LITERAL", "IN", "ANY"}


def sample(tree: Any) -> str:
    """A text that a pattern matches, or nearly."""
    made = ""
    for operation, argument in tree:
        inner = parts(operation, argument)
        if is_leaf(operation):
            made += one_of(operation, argument)
        elif "REPEAT" in str(operation):
            made += sample(inner[0]) * max(argument[0], 1)
        elif str(operation) in {"SUBPATTERN", "ATOMIC_GROUP", "BRANCH"}:
            made += sample(inner[0])
    return made


def one_of(operation: Any, argument: Any) -> str:
    """A character that it matches."""
    pattern = parser.SubPattern(parser.State())
    pattern.append((operation, argument))
    compiled = re._compiler.compile(pattern)  # type: ignore[attr-defined]
    for candidate in CANDIDATES:
        if compiled.fullmatch(candidate):
            return candidate
    return chr(argument) if str(operation) == "LITERAL" else ""


CANDIDATES = [
    *"a0 A-.@/,;:<>()[]+\"'_ \t\n",
    *map(chr, range(33, 127)),
    "\u00e9",
    "\u200b",
    "\uffff",
]


def growth(pattern: Pattern, way: str, parts_of_text: tuple[str, str, str]) -> str:
    """Why a pattern takes more than twice the time for twice the text; empty when it does not."""
    beginning, pump, end = parts_of_text
    # At first in small steps: what doubles with each character would never end.
    for length in (12, 18, 24, 128, 512):
        if pattern.seconds(way, beginning + pump * length + end) > 5 * SLOW:
            return f"takes {5 * SLOW:g} s for {length} times {pump!r}"
    # Looked at again where it seems to grow: a computer has other things to do, too.
    for _ in range(3):
        half, whole = (
            pattern.seconds(way, beginning + pump * (length // len(pump)) + end)
            for length in (LENGTH // 2, LENGTH)
        )
        if whole < SLOW or whole < 3 * half:
            return ""
    return f"takes {whole:.4f} s for {LENGTH}, and {half:.4f} s for half of it"
