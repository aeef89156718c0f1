"""`rotate_encryption_keys` → `{"activeKey", "resealed", "failed"}`."""

from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection, models
from django.db.models import F, Func

from config import installation
from config.db.crypto import (
    SealedField,
    SealError,
    active_header,
    associated_data,
    seal_bytes,
    unseal_bytes,
)
from customers.change_log import unrecorded
from customers.management.output import JSONCommand

BATCH = 1000
# Values that do not open are named, up to this number.
NAMED = 100


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
        """Column by column, batch by batch; what does not open is named and left as it is."""
        resealed = failed = 0
        for model in apps.get_models():
            for field in model._meta.local_fields:
                if not isinstance(field, SealedField):
                    continue
                last: tuple[object, ...] | None = ()
                while last is not None:
                    last, done, errors = reseal_batch(model, field.attname, last)
                    for error in errors[: max(0, NAMED - failed)]:
                        self.stderr.write(str(error))
                    resealed, failed = resealed + done, failed + len(errors)
        active = next(iter(settings.ENCRYPTION_KEYS))
        if failed:
            raise CommandError(
                f"{failed} values cannot be opened with the configured keys; "
                f"{resealed} others were sealed under {active}."
            )
        installation.keep_only_the_active_key()
        return {"activeKey": active, "resealed": resealed, "failed": failed}


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
        rows = list(stale.order_by("pk").select_for_update().values_list(*keys, column)[:BATCH])
        fresh, errors = [], []
        for *key, sealed in rows:
            here = associated_data(model, column, key[-1])
            try:
                fresh.append((*key, seal_bytes(unseal_bytes(sealed, here), here)))
            except SealError as error:
                errors.append(error)
        if fresh:
            write(model, column, fresh)
    return Batch(tuple(rows[-1][:-1]) if len(rows) == BATCH else None, len(fresh), errors)


def write(model: type[models.Model], column: str, fresh: list[tuple[object, ...]]) -> None:
    """Store values, each given behind the key of its row, in one statement."""
    fields = model._meta.pk_fields
    names = [field.attname for field in fields]
    types = [str(field.db_type(connection)) for field in fields]
    arrays = ", ".join(f"%s::{kind}[]" for kind in [*types, "bytea"])
    same = " AND ".join(f"stored.{name} = fresh.{name}" for name in names)
    statement = (
        f"UPDATE {model._meta.db_table} AS stored SET {column} = fresh.sealed "  # noqa: S608 -- our columns
        f"FROM unnest({arrays}) AS fresh ({', '.join(names)}, sealed) WHERE {same}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in zip(*fresh, strict=True)])
