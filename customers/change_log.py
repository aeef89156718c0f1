"""Who a transaction's changes are attributed to in the change log.

Triggers (migration `change_record`) write the change log, one row of `Change` per row that a
statement changed, from any client: this code, a COPY, or a person at psql. They learn who acts from
the setting `kith.actor` of the transaction, a JSON object of `type`, `id`, `via`, `requestId`,
`reason` and `at`; without it the change is logged as internal, through `database`. Where one
transaction does many requests, `kith.requests` tells which. They do not see TRUNCATE, and count on
a row keeping its key.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.conf import settings
from django.db import connection, transaction

from config.api import reads
from config.api.actors import Actor
from config.api.json import to_json
from config.context import request_id
from config.db.statements import Question, Row, prepared_rows, together

ACT = """
    SELECT (act ->> 'at')::timestamptz, set_config('kith.actor', act::text, true),
           set_config('kith.requests', '', true)
    FROM (SELECT %s::jsonb || jsonb_build_object('at', statement_timestamp()) AS act) said"""

# PostgreSQL reads it as the moment at which its transaction began.
NOW = "now"
ACT_AT_BEGIN = """
    SELECT set_config('kith.actor', (%s::jsonb || jsonb_build_object('at', now()))::text, true),
           set_config('kith.requests', '', true)"""

RESTAMP = """
    SELECT (act ->> 'at')::timestamptz, set_config('kith.actor', act::text, true)
    FROM (SELECT current_setting('kith.actor')::jsonb || jsonb_build_object(
        'at', greatest(statement_timestamp(), %s::timestamptz)) AS act) said"""

# A distributed engine tells its nodes what a literal SET LOCAL sets, and not what a function sets:
# the clock is read first, and what it says is sent back, which is a message more. One server is
# spared that message: with it a transaction that does nothing else has 0.7 of the rate
# (`./kith bench distributed`).
CLOCK = "SELECT statement_timestamp()"
LATER = """
    SELECT greatest(statement_timestamp(), %s::timestamptz), current_setting('kith.actor')"""
SAY = "SET LOCAL kith.actor = %s"
BEGIN = f"{SAY}; SET LOCAL kith.requests = ''"
REQUESTS = "SET LOCAL kith.requests = %s"
RECORDING = "SET LOCAL kith.recording = %s"


class Via(StrEnum):
    """Through what a change came: an API dialect, the back office, a job, or a command."""

    V1 = "v1"
    V2 = "v2"
    BACK_OFFICE = "back-office"
    JOB = "job"
    COMMAND = "command"


@contextmanager
def recorded(actor: Actor, *, via: str, reason: str = "") -> Iterator[datetime]:
    """A transaction, or a savepoint of the current one, whose changes are logged as the actor's.

    Yields the database's clock: the `at` of all changes in here, and the value for `created_at` and
    `updated_at`. `via` is one of `Via`; of `reason` the first 255 characters are kept. The actor
    stays in force until the transaction ends or another is named.
    """
    with recorded_asking(actor, (), via=via, reason=reason) as (at, _):
        yield at


@contextmanager
def recorded_asking(
    actor: Actor, questions: Sequence[Question], *, via: str, reason: str = ""
) -> Iterator[tuple[datetime, list[list[Row]]]]:
    """Likewise; also yields the rows of what is asked first, in one message with all of that."""
    act = act_of(actor, via, reason)
    with remembered(actor):
        if settings.DISTRIBUTED:
            begun, *found = together([Question(CLOCK, []), *questions])
            say(act, begun[0][0], BEGIN)
        else:
            begun, *found = together([Question(ACT, [json.dumps(act)]), *questions])
        at: datetime = begun[0][0]
        yield at, found


@contextmanager
def recorded_unasked(actor: Actor, *, via: str) -> Iterator[tuple[datetime | str, list[Question]]]:
    """Likewise, where nothing has to be asked before it is written: yields `at`, and what to send.

    The questions are to be sent first, in one message with the writes. Until then the transaction
    has not begun, and so `at` may be `NOW`; the time of one that has begun may be long past.
    """
    if settings.DISTRIBUTED or connection.in_atomic_block:
        with recorded_asking(actor, (), via=via) as (at, _):
            yield at, []
    else:
        with remembered(actor):
            yield NOW, [Question(ACT_AT_BEGIN, [json.dumps(act_of(actor, via))])]


def act_of(actor: Actor, via: str, reason: str = "") -> dict[str, str]:
    """What the triggers are told of who acts, but for `at`."""
    return {
        "type": actor.type,
        "id": actor.id,
        "via": via,
        "requestId": request_id.get(),
        "reason": reason[:255],
    }


@contextmanager
def remembered(actor: Actor) -> Iterator[None]:
    """A transaction, of which those who read from replicas learn that the actor has written."""
    with transaction.atomic():
        if reads.is_on():
            transaction.on_commit(partial(reads.remember, actor))
        yield


def say(act: Mapping[str, object], at: datetime, sql: str) -> None:
    """Log the changes of the transaction from here on as of a moment."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps({**act, "at": at.isoformat()})])


def restamp(not_before: datetime | None = None) -> datetime:
    """Log the changes from here on as of now, and no earlier than `not_before`; gives that moment.

    To be called once what is to be changed is locked. While this transaction waited, others may
    have changed it: their changes come first, and the log is read in the order of `at`.
    """
    at: datetime
    if settings.DISTRIBUTED:
        ((at, act),) = prepared_rows(LATER, [not_before])
        say(json.loads(act), at, SAY)
    else:
        ((at, *_),) = prepared_rows(RESTAMP, [not_before])
    return at


def name_requests(requests: Mapping[str, str]) -> None:
    """For the current transaction: changes of these rows come from requests of their own.

    `requests` has request ids by the id of a customer, or of a single row; an entry for the row
    itself counts more. For work that does many requests at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(REQUESTS, [to_json(dict(requests)).decode()])


@contextmanager
def unrecorded() -> Iterator[None]:
    """A transaction whose statements are not logged: for work that changes how values are stored
    but not what they are, such as sealing them under another key. To be used for nothing else.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RECORDING, ["off"])
        yield
        cursor.execute(RECORDING, ["on"])
