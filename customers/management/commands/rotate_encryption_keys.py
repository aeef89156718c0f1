"""`rotate_encryption_keys` → `{"activeKey", "resealed", "failed"}`."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection, models
from django.db.models import F, Func
from psycopg.sql import SQL, Identifier

from config import installation
from config.db.crypto import (
    SealedField,
    SealError,
    active_header,
    associated_data,
    seal_bytes,
    unseal_bytes,
)
from config.db.locks import are_advisory, hold
from customers.change_log import unrecorded
from customers.history import ENTITIES
from customers.management.output import JSONCommand

BATCH = 1000
# Values that do not open are named, up to this number.
NAMED = 100
FIRST_CHANGE = ("-infinity", str(UUID(int=0)), 0)
NEXT_CHANGES = """
    SELECT at, customer_id, id, entity, entity_id, sealed::text FROM customers_change
    WHERE sealed IS NOT NULL AND (at, customer_id, id) > (%s::timestamptz, %s::uuid, %s::bigint)
    ORDER BY at, customer_id, id LIMIT %s"""
WRITE_CHANGES = """
    UPDATE customers_change AS stored SET sealed = fresh.sealed
    FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[], %s::jsonb[], %s::jsonb[])
        AS fresh (customer_id, at, id, sealed, read)
    WHERE stored.customer_id = fresh.customer_id AND stored.at = fresh.at
        AND stored.id = fresh.id AND stored.sealed = fresh.read"""
WRITE_COLUMN = SQL("""
    UPDATE {table} AS stored SET {column} = fresh.sealed
    FROM unnest({arrays}) AS fresh ({names}, sealed, read)
    WHERE {same} AND stored.{column} = fresh.read""")


class Batch(NamedTuple):
    """What one transaction has done; `last` is the key of its last row, None after the end."""

    last: tuple[object, ...] | None
    resealed: int
    errors: list[SealError]


class Command(JSONCommand):
    """Moves sealed values to the active key."""

    help = (
        "Seal every encrypted value under the first key of KITH_ENCRYPTION_KEYS. "
        "Put a new key first, restart web and workers, run this, and take the old key out when "
        "nothing has failed. It may be stopped at any time and run again. "
        "KITH_BLIND_INDEX_KEY is another key, and is not changed."
    )

    def run(self, **_options: object) -> dict[str, object]:
        """Column by column, batch by batch; what does not open is named and left as it is.

        While this runs, a value that is replaced moves from its table to the change log, and an
        undo moves it back: the command ends when a whole pass has found nothing left to seal.
        """
        resealed, done = 0, 1
        while done:
            done, failed, named = reseal_all()
            resealed += done
        for error in named:
            self.stderr.write(str(error))
        active = next(iter(settings.ENCRYPTION_KEYS))
        if failed:
            raise CommandError(
                f"{failed} values cannot be opened with the configured keys; "
                f"{resealed} others were sealed under {active}."
            )
        installation.keep_only_the_active_key()
        return {"activeKey": active, "resealed": resealed, "failed": failed}


def reseal_all() -> tuple[int, int, list[SealError]]:
    """Go once over all sealed values: how many were resealed and failed, and the first failures."""
    resealed = failed = 0
    named: list[SealError] = []
    for next_batch in (*batches_of_columns(), reseal_changes):
        last: tuple[object, ...] | None = ()
        while last is not None:
            last, done, errors = next_batch(last)
            named += errors[: max(0, NAMED - failed)]
            resealed, failed = resealed + done, failed + len(errors)
    return resealed, failed, named


def batches_of_columns() -> Iterator[Callable[[tuple[object, ...]], Batch]]:
    """For each sealed column what does its next batch, given the key of the last row."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedField):
                yield partial(reseal_batch, model, field.attname)


def reseal_changes(last: tuple[object, ...]) -> Batch:
    """Reseal, in one transaction, what the next changes keep of values that were replaced."""
    header = active_header()
    errors: list[SealError] = []
    changed: list[tuple[object, ...]] = []
    resealed = 0
    with unrecorded(), connection.cursor() as cursor:
        cursor.execute(NEXT_CHANGES, [*map(str, last or FIRST_CHANGE), BATCH])
        rows = cursor.fetchall()
        for at, customer_id, number, entity, entity_id, document in rows:
            values: dict[str, str] = json.loads(document)
            done = 0
            for column, text in values.items():
                sealed = bytes.fromhex(text.removeprefix("\\x"))
                if sealed.startswith(header):
                    continue
                here = associated_data(ENTITIES[entity], column, entity_id)
                try:
                    values[column] = f"\\x{seal_bytes(unseal_bytes(sealed, here), here).hex()}"
                except SealError as error:
                    errors.append(error)
                else:
                    done += 1
            if done:
                changed.append((customer_id, at, number, json.dumps(values), document))
            resealed += done
        if changed:
            cursor.execute(WRITE_CHANGES, [list(column) for column in zip(*changed, strict=True)])
    return Batch(tuple(rows[-1][:3]) if len(rows) == BATCH else None, resealed, errors)


def reseal_batch(model: type[models.Model], column: str, last: tuple[object, ...]) -> Batch:
    """Reseal, in one transaction, the next values of a column behind the row with key `last`."""
    header = active_header()
    stale = (
        model._default_manager.annotate(
            header=Func(
                F(column), 1, len(header), function="substring", output_field=models.BinaryField()
            )
        )
        .filter(**{f"{column}__isnull": False})
        .exclude(header=header)
    )
    if last:
        stale = stale.filter(pk__gt=last if len(last) > 1 else last[0])
    with unrecorded():
        keys = [field.attname for field in model._meta.pk_fields]
        found = stale.order_by("pk").values_list(*keys, column)
        if not are_advisory():
            found = found.select_for_update()
        rows = list(found[:BATCH])
        # The first of the columns of a key is the customer's, where there is one.
        hold(row[0] for row in rows)
        fresh, errors = [], []
        for *key, sealed in rows:
            here = associated_data(model, column, key[-1])
            try:
                fresh.append((*key, seal_bytes(unseal_bytes(sealed, here), here), sealed))
            except SealError as error:
                errors.append(error)
        if fresh:
            write(model, column, fresh)
    return Batch(tuple(rows[-1][:-1]) if len(rows) == BATCH else None, len(fresh), errors)


def write(model: type[models.Model], column: str, fresh: list[tuple[object, ...]]) -> None:
    """Store values in one statement, each given behind the key of its row, and before the one that
    was read: who has changed it since has sealed it anew.
    """
    fields = model._meta.pk_fields
    names = [field.attname for field in fields]
    types = [str(field.db_type(connection)) for field in fields]
    arrays = ", ".join(f"%s::{kind}[]" for kind in [*types, "bytea", "bytea"])
    same = " AND ".join(f"stored.{name} = fresh.{name}" for name in names)
    statement = WRITE_COLUMN.format(
        table=Identifier(model._meta.db_table),
        column=Identifier(column),
        arrays=SQL(arrays),
        names=SQL(", ").join(map(Identifier, names)),
        same=SQL(same),
    ).as_string()
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in zip(*fresh, strict=True)])
