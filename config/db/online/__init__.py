"""Migrations of tables that are in use: nobody waits for them longer than a moment.

A statement that locks a table for readers or writers does nothing else: indexes are built
`CONCURRENTLY`, constraints are validated and rows are filled by statements of their own, under
locks that nobody waits for. And it waits for its own lock only for `schema.LOCK_WAIT`, because all
who come after wait behind it; `migrate` then tries again (`config.management.commands.migrate`).
"""

from config.db.online.alone import alone
from config.db.online.indexes import (
    AddIndex,
    AddUniqueIndex,
    BuildIndex,
    RemoveIndex,
    ReplaceIndex,
)
from config.db.online.migration import STEPS, Migration, forget_steps, short_transaction
from config.db.online.rows import (
    AddField,
    RunBatches,
    ValidateField,
    checked_field,
    drop_defaults,
    fill,
)

__all__ = [
    "STEPS",
    "AddField",
    "AddIndex",
    "AddUniqueIndex",
    "BuildIndex",
    "Migration",
    "RemoveIndex",
    "ReplaceIndex",
    "RunBatches",
    "ValidateField",
    "alone",
    "checked_field",
    "drop_defaults",
    "fill",
    "forget_steps",
    "short_transaction",
]
