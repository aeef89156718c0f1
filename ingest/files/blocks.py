"""What a loader process does with blocks: reads them, asks, and writes them in one transaction."""

import zlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, connection

from config.api.actors import Actor
from config.jobs.lease import ClaimLost
from customers.change_log import recorded
from ingest import failed_lines
from ingest.batch.apply import COUNTED, TooEarly, apply, counts_of, hold
from ingest.batch.items import Item
from ingest.batch.scratch import Scratch
from ingest.files.frames import Block, ContentLost, opened
from ingest.files.lines import apart, items_of, result
from ingest.files.process import Ask, Failed, Load, Loaded, Ready, failed
from ingest.models import BulkFailedLines, BulkPart, BulkRequest
from ingest.ordering import keys_of_items
from ingest.sheets.columns import Sheet

TRIES = 3
# A statement ends soon, also one that waits for a lock, when this process is gone.
TUNING = """
    SET LOCAL client_connection_check_interval = '500ms';
    SET LOCAL synchronous_commit = off"""
# That the job is still ours, until the end of the transaction.
HELD = """
    SELECT FROM ingest_bulkrequest
    WHERE id = %s AND claim_id = %s AND status = 'STARTED' FOR KEY SHARE"""
COUNTS = ("lines", *COUNTED.values())

Counts = dict[str, int]


class Permission:
    """What a process waits for before it writes."""

    def __init__(self, ask: Ask, conflict_keys: set[int]) -> None:
        self._ask = ask
        self._keys = frozenset(conflict_keys)
        self.is_next = ask(Ready(self._keys)).is_next

    def after_all_before(self) -> None:
        """Wait until all blocks before these are loaded."""
        self.is_next = self._ask(Ready(self._keys, is_early=True)).is_next


@dataclass(frozen=True)
class Target:
    """The load that blocks belong to, and who loads; `scratch` instead of the registry, if any."""

    request: BulkRequest
    actor: Actor
    scratch: Scratch | None


def load_blocks(target: Target, sheet: Sheet | None, load: Load, ask: Ask) -> Loaded:
    """Load blocks: read, ask, write. One by one when together they fail, up to the bad one."""
    request = target.request
    blocks, failure = open_blocks(request.file.block_id, load, sheet)
    read = items_of_blocks(blocks)
    permission = Permission(ask, keys_of_items([item for items in read for item in items]))
    try:
        return Loaded(write(target, blocks, read, permission), failure)
    except (ClaimLost, OperationalError, InterfaceError, ConnectionError, EOFError):
        raise
    except Exception:
        if len(blocks) == 1:
            raise
    counts: Counts = {}
    for each in blocks:
        try:
            more = write(target, [each], items_of_blocks([each]), permission)
        except Exception as error:
            if not counts:
                raise
            return Loaded(counts, failed(error))
        counts = {name: counts.get(name, 0) + count for name, count in more.items()}
    return Loaded(counts, failure)


def open_blocks(
    block_id: UUID, load: Load, sheet: Sheet | None
) -> tuple[list[tuple[int, Block]], Failed | None]:
    """The blocks before one that is lost, and that; or all of them. Raises `ContentLost`."""
    blocks: list[tuple[int, Block]] = []
    for number, sealed in load.frames:
        try:
            block = opened(sealed, block_id, number)
            block.sheet = sheet
            blocks.append((number, block))
        except ContentLost as error:
            if not blocks:
                raise
            return blocks, failed(error)
    return blocks, None


def items_of_blocks(blocks: Sequence[tuple[int, Block]]) -> list[list[Item]]:
    """The items of each block."""
    return [list(items_of(block)) for _, block in blocks]


def write(
    target: Target,
    blocks: Sequence[tuple[int, Block]],
    read: list[list[Item]],
    permission: Permission,
) -> Counts:
    """Write blocks as `read`, and once more when it was too early or somebody else was faster."""
    tries = 0
    while True:
        try:
            with target.scratch.kept() if target.scratch else nullcontext():
                return write_blocks(target, blocks, read, is_next=permission.is_next)
        except TooEarly:
            permission.after_all_before()
        except IntegrityError:
            # A customer came into being by another door, or another worker has the file.
            tries += 1
            if tries == TRIES:
                raise
        # An item keeps the outcome that it was told.
        read = items_of_blocks(blocks)


def write_blocks(
    target: Target,
    blocks: Sequence[tuple[int, Block]],
    read: Sequence[Sequence[Item]],
    *,
    is_next: bool,
) -> Counts:
    """Blocks with what was `read` in each, and their rows, in one transaction.

    Raises `TooEarly` and `ClaimLost`.
    """
    request, actor = target.request, target.actor
    with recorded(actor, via=request.via) as at:
        with connection.cursor() as cursor:
            # The end of the job waits for the disk, and with it for all that came before.
            cursor.execute(TUNING)
            cursor.execute(HELD, [str(request.pk), str(request.claim_id)])
            if cursor.rowcount == 0:
                raise ClaimLost
        all_items = [item for items in read for item in items]
        if not target.scratch:
            hold(all_items, actor=actor)
        for some in apart(all_items):
            if target.scratch:
                target.scratch.try_out(some, actor=actor, at=at)
                continue
            plan = apply(some, actor=actor)
            if plan.depends_on_parents and not is_next:
                raise TooEarly
        parts = [
            BulkPart(
                request=request,
                number=number,
                lines=block.count,
                results=zlib.compress(b"".join(map(result, items)), 1),
                **counts_of(items),
            )
            for (number, block), items in zip(blocks, read, strict=True)
        ]
        BulkPart.objects.bulk_create(parts)
        BulkFailedLines.objects.bulk_create(
            row
            for (number, block), items in zip(blocks, read, strict=True)
            for row in failed_lines.row_of(request.pk, number, block, items)
        )
    return {name: sum(getattr(part, name) for part in parts) for name in COUNTS}
