"""What was sent with a request: taken in without card numbers, kept sealed, read back."""

import hashlib
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from django.conf import settings

from config.api.card_numbers import CARD_NUMBER, may_hold_card_numbers, pointer_of, redact
from config.api.errors import Invalid, Problem
from config.api.json import from_json, to_json
from config.db.crypto import associated_data, seal_bytes, unseal_bytes, unseal_bytes_if_possible
from ingest.batch.items import LISTS, Action
from ingest.models import BulkContent

MOST_CUSTOMERS = 50
# Accounts of one customer, or cards of one account.
MOST_OTHERS = 1000


# An item as it was sent.
Entry = dict[str, object]


@dataclass(frozen=True)
class Content:
    """A body that passed the checks which are made at once.

    `entries` are the items as sent, `refused` the JSON Pointers of card numbers taken out of them.
    """

    entries: list[Entry]
    refused: list[str] = field(default_factory=list)
    raw: bytes = b""

    def only(self, indexes: Sequence[int]) -> "Content":
        """Some of the entries, and what was refused of them."""
        place = {str(old): str(new) for new, old in enumerate(indexes)}
        pointers = [pointer.split("/") for pointer in self.refused]
        refused = [
            "/".join(["", name, place[index], *rest])
            for _, name, index, *rest in pointers
            if index in place
        ]
        return Content([self.entries[index] for index in indexes], refused)

    @property
    def stored(self) -> bytes:
        """The JSON that is stored."""
        return self.raw or to_json(self.entries)


def read_body(body: bytes, action: str) -> Content:
    """Read a request's body. Raises `Unreadable` and `Invalid`, with pointers for paths."""
    data = from_json(body)
    refused: list[str] = []
    # Written anew, a text has each character as itself; else it is what came.
    if may_hold_card_numbers(to_json(data) if b"\\" in body else body):
        data, places = redact(data)
        refused = [pointer_of(steps) for steps in places]
    name = LISTS[Action(action)]
    entries = entries_of(data, name)
    outside = [pointer for pointer in refused if not pointer.startswith(f"/{name}/")]
    if outside:
        raise Invalid([Problem(pointer, *CARD_NUMBER) for pointer in outside])
    return Content(entries, refused, to_json(entries) if refused else b"")


def entries_of(data: object, name: str) -> list[Entry]:
    """The list of items. Raises `Invalid`."""
    if not isinstance(data, dict):
        raise Invalid([Problem("", "The body must be a JSON object.", "INVALID_TYPE")])
    entries = data.get(name)
    most = MOST_CUSTOMERS if name == "customers" else MOST_OTHERS
    if entries is None:
        raise Invalid([Problem(f"/{name}", "This is required.", "REQUIRED")])
    if not isinstance(entries, list):
        raise Invalid([Problem(f"/{name}", "This must be a list.", "INVALID_TYPE")])
    if not 1 <= len(entries) <= most:
        message = f"This must have 1 to {most} entries, not {len(entries)}."
        raise Invalid([Problem(f"/{name}", message, "TOO_MANY" if entries else "REQUIRED")])
    if problems := [
        Problem(f"/{name}/{index}", "This must be a JSON object.", "INVALID_TYPE")
        for index, entry in enumerate(entries)
        if not isinstance(entry, dict)
    ]:
        raise Invalid(problems)
    return entries


def fingerprint(*parts: bytes) -> bytes:
    """A keyed hash of a request, which tells whether it is the same again and nothing else."""
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hmac.digest(settings.BLIND_INDEX_KEY, digests, "sha256")


def sealed(request_id: UUID, content: Content) -> BulkContent:
    """The row that keeps a body."""
    packed = zlib.compress(content.stored, 1)
    return BulkContent(
        request_id=request_id,
        body_sealed=seal_bytes(packed, associated_data(BulkContent, "body_sealed", request_id)),
        refused=content.refused,
    )


def unsealed(row: BulkContent) -> Content:
    """The body that a row keeps. Raises `SealError`."""
    return unpacked(row, unseal_bytes(row.body_sealed, where(row)))


def kept_of(request_id: UUID) -> Content | None:
    """The body of a request; None when it was deleted, or cannot be opened (see the log)."""
    row = BulkContent.objects.filter(pk=request_id).first()
    packed = row and unseal_bytes_if_possible(row.body_sealed, where(row))
    return unpacked(row, packed) if row and packed else None


def unpacked(row: BulkContent, packed: bytes) -> Content:
    """The body that was sealed with the entries of a `Content`."""
    return Content(cast("list[Entry]", from_json(zlib.decompress(packed))), row.refused)


def where(row: BulkContent) -> str:
    """What the body of a row is sealed for."""
    return associated_data(BulkContent, "body_sealed", row.pk)
