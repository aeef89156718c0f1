"""What failed in a load, page by page: the place, the words, and the value, masked if sensitive."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from config.api.errors import ApiError
from config.api.json import Json, from_json
from customers.models import AttributeDefinition
from ingest import failed_lines, payload
from ingest.admin.columns import shown_as
from ingest.models import BulkItem, BulkRequest
from ingest.results import results_of
from ingest.sheets.columns import ATTRIBUTE, Sheet
from ingest.sheets.writing import column_shown
from ingest.undo.since import thing_of

PAGE = 25
# Beyond these, whoever corrects them takes the file of failed lines.
MOST_PAGES = 200
MASK = "••••••"
SENSITIVE = frozenset({"socialId", "securityAnswer", "pin", "iin", "last4"})
VALUE_LENGTH = 60


@dataclass
class Failed:
    """A line that failed; `errors` are triples of place, value and words."""

    line: int
    who: str
    errors: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class FailedPage:
    """A page of them."""

    number: int
    pages: int
    lines: list[Failed]


def page_of(load: BulkRequest, number: int) -> FailedPage:
    """A page of a load's failed lines; none of them when what was sent is not there."""
    pages = min(MOST_PAGES, max(1, -(-load.failed // PAGE)))
    number = min(max(1, number), pages)
    first = (number - 1) * PAGE
    if load.action == BulkRequest.Action.UNDO:
        return FailedPage(number, pages, list(islice(of_undo(load), first, first + PAGE)))
    lines = of_file(load) if load.action == BulkRequest.Action.LOAD_FILE else of_items(load, first)
    if load.action == BulkRequest.Action.LOAD_FILE:
        lines = (line for place, line in enumerate(lines) if place >= first)
    return FailedPage(number, pages, [line for line, _ in zip(lines, range(PAGE), strict=False)])


def of_undo(load: BulkRequest) -> Iterator[Failed]:
    """The items that an undo left as they were; none once its results were deleted."""
    try:
        blocks = results_of(request=load, outcome=BulkItem.Outcome.FAILED)
    except ApiError:
        return
    for block in blocks:
        for line in block.splitlines():
            told = from_json(line)
            found = Failed(told["line"], str(told["sourceCustomerId"] or ""))
            for error in told["errors"]:
                thing = thing_of(error["pointer"].removeprefix("/"))
                found.errors.append((thing[:1].upper() + thing[1:], "", error["message"]))
            yield found


def of_file(load: BulkRequest) -> Iterator[Failed]:
    """The failed lines of a file."""
    sheet, shown = load.file.table, shown_attributes(load)
    for block in failed_lines.of_file(load.pk):
        for line in block.splitlines():
            told = from_json(line)
            yield failed_line(told, sheet, shown)


def failed_line(told: Json, sheet: Sheet | None, shown: frozenset[str]) -> Failed:
    """A failed line as it is kept (`ingest.failed_lines`)."""
    cells = told.get(failed_lines.CELLS)
    if sheet is None or cells is None:
        body, who = told, told.get("sourceCustomerId")
    else:
        columns = zip(sheet.columns, cells, strict=False)
        body = {column.shown: cell for column, cell in columns}
        who = body.get("externalId")
    found = Failed(told["line"], str(who or ""))
    for error in told["errors"]:
        pointer = error["pointer"]
        value = masked(pointer, value_at(body, pointer), shown) if pointer else ""
        place = shown_as(column_shown(pointer, sheet), sheet)
        found.errors.append((place, value, error["message"]))
    return found


def of_items(load: BulkRequest, first: int) -> Iterator[Failed]:
    """The failed items of a request that is no file."""
    rows = load.ledger.filter(outcome=BulkItem.Outcome.FAILED).order_by("index")
    kept = payload.kept_of(load.pk)
    entries = kept.entries if kept is not None else []
    shown = shown_attributes(load)
    for row in rows[first : first + PAGE]:
        found = Failed(row.index + 1, row.source_customer_id)
        entry = entries[row.index] if row.index < len(entries) else {}
        for error in row.errors:
            # Behind the name of the list and the place in it.
            pointer = "".join(f"/{step}" for step in error["pointer"].split("/")[3:])
            value = masked(pointer, value_at(entry, pointer), shown)
            place = shown_as(column_shown(pointer, None), None)
            found.errors.append((place, value, error["message"]))
        yield found


def value_at(body: object, pointer: str) -> str:
    """The value at a JSON Pointer, in short; nothing for what is not there."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            match body:
                case list():
                    body = body[int(name)]
                case dict():
                    body = body[name]
                case _:
                    return ""
        except (LookupError, ValueError):
            return ""
    if isinstance(body, dict | list) or body is None:
        return ""
    text = str(body)
    return text if len(text) <= VALUE_LENGTH else f"{text[:VALUE_LENGTH]}…"


def masked(pointer: str, value: str, shown: frozenset[str]) -> str:
    """A value, unless it belongs to those that only some may see."""
    steps = pointer.split("/")
    attribute = steps[-1] if "customAttributes" in steps[:-1] else ""
    if steps[-1].startswith(ATTRIBUTE):
        attribute = steps[-1].removeprefix(ATTRIBUTE)
    is_sensitive = attribute not in shown if attribute else steps[-1] in SENSITIVE
    return MASK if value and is_sensitive else value


def shown_attributes(load: BulkRequest) -> frozenset[str]:
    """The custom attributes that everybody may see; of others not even those nobody defined."""
    own = AttributeDefinition.objects.filter(business_account=load.business_account_id)
    encrypted = own.filter(is_encrypted=True).values_list("name", flat=True)
    return frozenset(own.values_list("name", flat=True)) - frozenset(encrypted)
