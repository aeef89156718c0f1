"""What puts a row back: made of the changes that a request made to it. Pure; no database.

A row that the request created goes, one that it changed gets back the columns that changed, one
that it removed returns whole. Where a request changed a row several times, the oldest value counts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import models

from config.api.json import from_json
from customers.history import ENTITIES, MASK
from customers.models import Change
from customers.tables import written
from ingest.models import BulkItem
from ingest.undo.record import Logged

Reader = Callable[[Any], Any]
Operation = Change.Operation
Outcome = BulkItem.Outcome


@dataclass
class Inverse:
    """What is to become of one row.

    `was_there` and `is_there` tell of before the request and of after it. `columns` are values as
    the change log has them, by column; all of a row when it `is_whole`. `is_lost` tells that a
    sealed value is not among them.
    """

    customer_id: str
    entity: str
    id: str
    was_there: bool
    is_there: bool = True
    is_whole: bool = False
    is_lost: bool = False
    columns: dict[str, object] = field(default_factory=dict)

    @property
    def model(self) -> type[models.Model]:
        """The model of the row."""
        return ENTITIES[self.entity]

    @property
    def goes(self) -> bool:
        """Whether the row goes away."""
        return self.is_there and not self.was_there

    @property
    def returns(self) -> bool:
        """Whether the row comes back."""
        return self.was_there and not self.is_there

    @property
    def changes(self) -> bool:
        """Whether the row is there, and gets values back."""
        return self.was_there and self.is_there

    def take(self, change: Logged) -> None:
        """Look at the next change of the row."""
        self.is_there = change.operation != Operation.DELETED
        if not self.was_there or self.is_whole or change.before is None:
            return
        before = from_json(change.before.encode())
        kept = from_json(change.kept.encode()) if change.kept else {}
        sealed = from_json(change.sealed.encode()) if change.sealed else {}
        for column, value in (before | kept | sealed).items():
            if value == MASK and self.is_secret(column):
                self.is_lost |= column not in self.columns
            self.columns.setdefault(column, value)
        self.is_whole = change.operation == Operation.DELETED

    def is_secret(self, column: str) -> bool:
        """Whether the change log masks a column; values of attributes, once they are encrypted."""
        return column.endswith("_sealed") or (self.entity, column) == ("attributeValue", "value")

    def values(self) -> dict[str, Any]:
        """The values by attribute name as the model has them; of a whole row all that are kept."""
        return {
            name: to_python(self.columns.get(column))
            for column, (name, to_python) in readers(self.model).items()
            if column in self.columns or (self.is_whole and column in logged(self.entity))
        }


def inverses_of(changes: Iterable[Logged]) -> list[Inverse]:
    """What puts the rows of a customer back, given the changes in their order."""
    found: dict[tuple[str, str], Inverse] = {}
    for change in changes:
        key = change.entity, change.entity_id
        inverse = found.get(key)
        if inverse is None:
            was_there = change.operation != Operation.CREATED
            inverse = found[key] = Inverse(
                change.customer_id, change.entity, change.entity_id, was_there
            )
        inverse.take(change)
    return [each for each in found.values() if each.was_there or each.is_there]


def outcome_of(inverses: Iterable[Inverse]) -> str:
    """What becomes of a customer."""
    outcome: str = Outcome.UNCHANGED
    for inverse in inverses:
        outcome = Outcome.UPDATED
        if inverse.entity == "customer" and not inverse.changes:
            return Outcome.REMOVED if inverse.goes else Outcome.CREATED
    return outcome


# --- Values ---------------------------------------------------------------------------------------


@cache
def readers(model: type[models.Model]) -> dict[str, tuple[str, Reader]]:
    """Column -> attribute name, and what reads a logged value."""
    return {str(each.column): (each.attname, reader(each)) for each in written(model)}


def reader(column: "models.Field[Any, Any]") -> Reader:
    """What reads the logged values of a column; one that is not given has the column's default."""
    to_python: Reader = from_hex if isinstance(column, models.BinaryField) else column.to_python

    def read(value: object) -> object:
        if value is None:
            return None if column.null else column.get_default()
        return to_python(value)

    return read


def from_hex(text: str) -> bytes:
    """Bytes as PostgreSQL writes them."""
    return bytes.fromhex(text.removeprefix("\\x"))


@cache
def logged(entity: str) -> frozenset[str]:
    """The columns that a change of a whole row would have, were they given.

    Those that are not logged keep the default of a new row.
    """
    own = {"id", "customer_id", "created_at", "updated_at"}
    return frozenset(readers(ENTITIES[entity])) - own
