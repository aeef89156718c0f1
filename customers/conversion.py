"""The worker's side of encrypting a custom attribute, or decrypting it.

First the attribute is switched: from then on new values are stored in the new form, and all of them
leave masked. That waits for every transaction that read it as it was. Then come the stored values,
in batches, and last, after encrypting, the change log, in which values in clear become ``"***"``.
Only when no value is left in the old form has the attribute ended its conversion.

Values are locked for a batch at a time, and those that somebody else is writing are left for the
next pass: this job waits for nobody who could wait for it. What is done needs no position: killed
at any moment, it walks over what is converted and goes on behind.
"""

import os
import socket
from collections.abc import Callable
from threading import Event
from time import monotonic
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F

from config.db.crypto import associated_data, seal, unseal_if_possible
from config.db.locks import are_advisory, hold
from config.jobs.lease import Lease, WorkerStops
from config.jobs.models import JobFailed
from config.jobs.worker import perform
from customers.change_log import unrecorded
from customers.models import AttributeConversion, AttributeDefinition, AttributeValue
from customers.querysets import AttributeValueQuerySet

BATCH = 500
CHANGES = 5_000
# For so long it works at most before it lets other jobs of the account have their turn.
MOST_SECONDS = 300
# A writer that comes while the switch waits for another one waits behind it, but not for longer.
SWITCH_MILLISECONDS = 1000
PAUSE = Event()
PAUSE_SECONDS = 0.2
NOWHERE = UUID(int=0)
DELETED = "The attribute was deleted before its values were converted."
UNREADABLE = (
    "{} values cannot be opened with the configured keys. The attribute stays masked; put their "
    "key back into KITH_ENCRYPTION_KEYS, or remove these values, and convert it again."
)

WRITE = """
    UPDATE customers_attributevalue AS stored
    SET value = wanted.value, value_sealed = wanted.sealed
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bytea[])
        AS wanted (customer_id, id, value, sealed)
    WHERE stored.customer_id = wanted.customer_id AND stored.id = wanted.id
        AND (stored.value_sealed IS NULL) = (wanted.sealed IS NOT NULL)"""
# The last customer of so many rows of the change log.
UP_TO = """
    SELECT customer_id FROM (
        SELECT customer_id FROM customers_change
        WHERE customer_id > %s ORDER BY customer_id LIMIT %s) ahead
    ORDER BY customer_id DESC LIMIT 1"""
# A change that is no creation or deletion does not say of which attribute the value was.
MASK = """
    WITH concerned AS MATERIALIZED (
        SELECT customer_id, entity_id FROM customers_change
        WHERE customer_id > %(first)s AND customer_id <= %(last)s AND entity = 'attributeValue'
            AND coalesce(after, before) ->> 'definition_id' = %(definition)s::text
        UNION
        SELECT customer_id, id FROM customers_attributevalue
        WHERE definition_id = %(definition)s::uuid
            AND customer_id > %(first)s AND customer_id <= %(last)s)
    UPDATE customers_change AS change
    SET before = CASE WHEN before ->> 'value' IS NULL THEN before
                      ELSE before || '{"value": "***"}' END,
        after = CASE WHEN after ->> 'value' IS NULL THEN after
                     ELSE after || '{"value": "***"}' END
    FROM concerned
    WHERE change.customer_id = concerned.customer_id AND change.entity_id = concerned.entity_id
        AND change.customer_id > %(first)s AND change.customer_id <= %(last)s
        AND change.entity = 'attributeValue'
        AND (before ->> 'value' <> '***' OR after ->> 'value' <> '***')"""


def run(conversion_id: UUID) -> None:
    """Claim a conversion and do it; one that cannot be claimed is left alone."""
    worker = f"{socket.gethostname()}:{os.getpid()}"
    perform(AttributeConversion, conversion_id, convert, worker=worker)


def convert(job: AttributeConversion, lease: Lease) -> None:
    """From PICKED to FINISHED, or as far as one turn allows; the next one goes on."""
    job.start()
    deadline = monotonic() + min(MOST_SECONDS, settings.JOB_SECONDS / 2)

    def check() -> None:
        lease.check()
        if monotonic() > deadline:
            raise WorkerStops

    switch(job, check)
    unreadable = convert_values(job, check)
    job.note(unreadable=unreadable)
    if job.to_encrypted:
        mask_changes(job, check)
    if unreadable:
        raise JobFailed("UNREADABLE_VALUES", UNREADABLE.format(unreadable))
    with transaction.atomic():
        update_definition(job, is_encrypted=job.to_encrypted, conversion="")
        job.finish()


def update_definition(job: AttributeConversion, **columns: object) -> None:
    """Change the attribute. Raises `JobFailed` when it is gone."""
    if not AttributeDefinition.objects.filter(pk=job.definition_id or NOWHERE).update(**columns):
        raise JobFailed("ATTRIBUTE_DELETED", DELETED)


def switch(job: AttributeConversion, check: Callable[[], None]) -> None:
    """Have new values stored in the new form, once nobody writes any more in the old one."""
    kind = AttributeDefinition.Conversion
    conversion = kind.ENCRYPTING if job.to_encrypted else kind.DECRYPTING
    definition = job.definition
    if definition is None:
        raise JobFailed("ATTRIBUTE_DELETED", DELETED)
    if definition.conversion == conversion:
        return
    while True:
        check()
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = {SWITCH_MILLISECONDS}")
                AttributeDefinition.hold_alone(definition.business_account_id)
                job.note(attempts=1)
                update_definition(job, is_encrypted=True, conversion=conversion)
        except OperationalError as error:
            if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
            PAUSE.wait(PAUSE_SECONDS)
        else:
            return


# --- Values ---------------------------------------------------------------------------------------


def convert_values(job: AttributeConversion, check: Callable[[], None]) -> int:
    """Convert all values; gives how many cannot be read, and stay as they are."""
    while True:
        unreadable = 0
        last: tuple[UUID, UUID] | None = (NOWHERE, NOWHERE)
        while last is not None:
            check()
            last, failed = convert_batch(job, last)
            unreadable += failed
        if old_values(job).count() <= unreadable:
            return unreadable
        PAUSE.wait(PAUSE_SECONDS)


def old_values(job: AttributeConversion) -> AttributeValueQuerySet:
    """The values that are not in the new form."""
    return AttributeValue.objects.filter(
        definition_id=job.definition_id, value_sealed__isnull=job.to_encrypted
    )


def convert_batch(
    job: AttributeConversion, last: tuple[UUID, UUID]
) -> tuple[tuple[UUID, UUID] | None, int]:
    """Convert, in one transaction, the next values behind a key.

    Gives the key of the last one, None after the end, and how many cannot be read. The values are
    what they were, and leave no trace in the change log.
    """
    behind = old_values(job).filter(pk__gt=last).order_by("customer_id", "id")
    with unrecorded():
        # What somebody else has changed before it is locked has the new form by then.
        free = behind if are_advisory() else behind.select_for_update(skip_locked=True)
        rows = list(free.values_list("customer_id", "id", "value", "value_sealed")[:BATCH])
        hold(customer_id for customer_id, *_ in rows)
        wanted: list[tuple[UUID, UUID, str, bytes | None]] = []
        for customer_id, value_id, value, sealed in rows:
            bound_to = associated_data(AttributeValue, "value_sealed", value_id)
            if sealed is None:
                wanted.append((customer_id, value_id, "", seal(value, bound_to)))
            elif (clear := unseal_if_possible(bytes(sealed), bound_to)) is not None:
                wanted.append((customer_id, value_id, clear, None))
        if wanted:
            with connection.cursor() as cursor:
                cursor.execute(WRITE, [list(column) for column in zip(*wanted, strict=True)])
        # Getting on uses up no attempts.
        job.note(converted=F("converted") + len(wanted), attempts=1)
    return (rows[-1][:2] if len(rows) == BATCH else None), len(rows) - len(wanted)


# --- The change log -------------------------------------------------------------------------------


def mask_changes(job: AttributeConversion, check: Callable[[], None]) -> None:
    """Replace what the change log has in clear of the attribute's values, also of deleted ones."""
    first = job.masked_until or NOWHERE
    while True:
        check()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(UP_TO, [first, CHANGES])
            found = cursor.fetchone()
            if found is None:
                return
            (last,) = found
            cursor.execute(MASK, {"first": first, "last": last, "definition": job.definition_id})
            job.note(masked=F("masked") + cursor.rowcount, masked_until=last, attempts=1)
        first = last
