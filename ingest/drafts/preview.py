"""The first rows of an uploaded file: what they say, and what would become of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from uuid import UUID

from config.api.actors import Actor
from config.api.errors import Unreadable
from config.api.json import from_json
from customers.models import ContactPoint, Customer
from customers.profile import Profile
from ingest import services
from ingest.batch.apply import prepare
from ingest.batch.items import Item, as_errors
from ingest.files.frames import Block, frames, opened, upload_name
from ingest.files.lines import apart, items_of
from ingest.models import BulkDraft, BulkFile, BulkItem, BulkRequest
from ingest.sheets import dates
from ingest.sheets.columns import Sheet
from ingest.sheets.reading import CLEAR, cells_of
from ingest.sheets.writing import column_shown

# How many rows are checked, which takes a second, and how many of them are shown.
CHECKED, SHOWN = 500, 20
# Of what is shown beside each other for JSON lines.
MEMBERS = ("sourceCustomerId", "firstName", "lastName", "businessName", "postalCode", "country")
CELL_LENGTH = 80
Outcome = BulkItem.Outcome
DATE = "dateOfBirth"


@dataclass
class Row:
    """One row: its number, what stands in it, what would become of it, and what is wrong with it.

    `errors` are pairs of the column's header and words.
    """

    number: int
    cells: list[str]
    outcome: str
    errors: list[tuple[str, str]]


@dataclass
class Preview:
    """The first rows of a file under their headers; `wrong` are those with errors.

    `twins` are pairs of a row's number, which has no id, and a customer who seems to be the same.
    """

    headers: list[str]
    rows: list[Row] = field(default_factory=list)
    checked: int = 0
    twins: list[tuple[int, Customer]] = field(default_factory=list)

    @property
    def wrong(self) -> list[Row]:
        """The rows that would fail."""
        return [row for row in self.rows if row.errors]

    @property
    def shown(self) -> list[Row]:
        """The first rows."""
        return self.rows[:SHOWN]


def preview(*, actor: Actor, draft: BulkDraft) -> Preview:
    """Read and check the first rows as `actor`; nothing is stored.

    Raises `ContentLost` and `FileNotFoundError` when the file is not there any more, and
    `DryRunTimedOut`.
    """
    sheet = None if draft.sheet is None else Sheet.of(draft.sheet)
    block = first_block(draft, sheet)
    items = list(items_of(block))[:CHECKED]
    lines = dict(zip(block.numbers, block.lines, strict=True))
    headers = [column.header for column in sheet.columns] if sheet is not None else [*MEMBERS]
    found = Preview(headers, checked=len(items))
    with services.unlocked():
        for some in apart(items):
            profiles = prepare(some, actor=actor, is_locked=False).profiles.kept
            found.twins += twins(actor, some, profiles)
    made: set[str] = set()
    for item in items:
        line = lines[item.index]
        cells = cells_of(line)[0] if sheet is not None else members(line)
        cells += [""] * (len(headers) - len(cells))
        errors = [
            (column_shown(error["pointer"], sheet), error["message"])
            for error in as_errors(item.problems)
        ]
        shown = [cell[:CELL_LENGTH] for cell in cells]
        outcome = item.outcome
        if outcome == Outcome.CREATED and item.source_customer_id:
            # Each row was compared with the registry as it is, without the rows before it.
            outcome = Outcome.UPDATED if item.source_customer_id in made else outcome
            made.add(item.source_customer_id)
        found.rows.append(Row(item.index, shown, outcome, errors))
    return found


def first_block(draft: BulkDraft, sheet: Sheet | None) -> Block:
    """The first block of a file that has any row in it."""
    draft_id = UUID(str(draft.pk))
    stored = frames(
        upload_name(draft_id),
        draft_id,
        blocks=draft.blocks,
        lines=draft.lines,
        skipped=frozenset(),
    )
    with closing(stored):  # type: ignore[type-var] # a generator
        for number, sealed in stored:
            block = opened(sealed, draft_id, number)
            block.sheet = sheet
            if block.lines:
                break
    block.lines, block.numbers = block.lines[:CHECKED], block.numbers[:CHECKED]
    return block


def members(line: bytes) -> list[str]:
    """What is shown of a JSON line."""
    try:
        body = from_json(line)
    except Unreadable:
        return [line.decode(errors="replace")]
    if not isinstance(body, dict):
        return [line.decode(errors="replace")]
    return [str(body.get(name) or "") for name in MEMBERS]


def twins(
    actor: Actor, items: Iterable[Item], profiles: dict[str, Profile]
) -> list[tuple[int, Customer]]:
    """Rows that would make a customer without an id, and customers who seem to be the same.

    They have the same e-mail address or phone number, or else the same name; three queries.
    """
    new = {
        item.index: profiles[item.customer_id]
        for item in items
        if item.customer_id in profiles and not item.source_customer_id
    }
    if not new:
        return []
    reached: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, profile in new.items():
        for point in profile.rows[ContactPoint]:
            reached[point.kind, point.value_key].append(number)
    own = Customer.objects.filter(business_account=actor.business_account_id).present()
    points = ContactPoint.objects.filter(
        value_key__in={key for _, key in reached}, customer__in=own
    )
    found: dict[int, UUID] = {}
    for kind, key, customer_id in points.values_list("kind", "value_key", "customer_id"):
        found |= dict.fromkeys(reached.get((kind, key), ()), customer_id)
    named: dict[str, list[int]] = defaultdict(list)
    for number, profile in new.items():
        if number not in found:
            named[profile.customer.name_folded].append(number)
    names = named.keys() - {""}
    namesakes = own.filter(name_key__in=names, name_folded__in=names)
    for name, customer_id in namesakes.values_list("name_folded", "pk"):
        found |= dict.fromkeys(named[name], customer_id)
    customers = own.in_bulk(set(found.values()))
    return [(number, customers[pk]) for number, pk in sorted(found.items()) if pk in customers]


def loaded_before(draft: BulkDraft) -> BulkRequest | None:
    """The latest load of the same file by the same business account."""
    same = BulkFile.objects.filter(
        content_digest=bytes(draft.content_digest),
        request__business_account=draft.business_account_id,
        request__is_dry_run=False,
    ).exclude(request__status__in=[BulkRequest.Status.FAILED, BulkRequest.Status.ABORTED])
    file = same.select_related("request").order_by("-request__submitted_at").first()
    return None if file is None else file.request


def with_orders(sheet: Sheet, block: Block) -> Sheet:
    """The sheet with the order of its dates as these rows have it, where nobody said it."""
    rows = [cells_of(line)[0] for line in block.lines]
    columns = [
        replace(column, order=dates.recognised(cells_at(rows, place)))
        if column.name == DATE and not column.order
        else column
        for place, column in enumerate(sheet.columns)
    ]
    return replace(sheet, columns=tuple(columns))


def cells_at(rows: Iterable[Sequence[str]], place: int) -> list[str]:
    """The cells of one column."""
    return [row[place] for row in rows if place < len(row) and row[place] != CLEAR]
