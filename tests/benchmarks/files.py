"""Files of 50,000 customers with profiles: loaded, only tried out, and undone; new and changed.

The yardstick of a dry run and of an undo is the load of the same file.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from customers.authentication import actor_of
from customers.models import BusinessAccount
from ingest.models import BulkRequest
from ingest.undo.services import undo_request
from tests import bulk
from tests.benchmarks.bulk import (
    Load,
    ended,
    peak_megabytes,
    person,
    tidy,
    upload,
    whole,
    worker_processes,
)
from tests.benchmarks.customers import token_for
from tests.benchmarks.dataset import dataset, named
from tests.benchmarks.report import columns, note
from tests.benchmarks.server import web, worker

LINES = 50_000
DRY_RUN = "?dryRun=true"
TARGET = "0.50"


def in_lines(people: Iterable[bulk.Body]) -> Iterator[bytes]:
    """The file."""
    for each in people:
        yield json.dumps(each).encode() + b"\n"


def changed(people: Iterable[bulk.Body]) -> Iterator[bulk.Body]:
    """The same customers with another organization and first name, and more of an address."""
    for each in people:
        address = each["addresses"][0] | {"streetLine2": "Flat 7"}
        yield each | {"organizationId": "50005", "firstName": "Eva", "addresses": [address]}


class Files:
    """Sends files to a web server, and waits for a worker to do them; `memory` in megabytes."""

    def __init__(self, account: BusinessAccount, port: int) -> None:
        self.account = account
        self.port = port
        self.token = token_for(account)
        self.memory = 0.0

    def send(self, people: Iterable[bulk.Body], query: str = "") -> BulkRequest:
        """A file, done."""
        return self.done(upload(self.port, self.token, in_lines(people), query))

    def undo(self, load: BulkRequest) -> BulkRequest:
        """The undo of a load, done."""
        actor = actor_of(self.token)
        if actor is None:
            raise RuntimeError("the token is no good")
        return self.done(undo_request(actor=actor, request=load))

    def done(self, public_id: UUID) -> BulkRequest:
        """A request that has ended well."""
        ended(self.account)
        self.memory = max(self.memory, *map(peak_megabytes, worker_processes()))
        request = BulkRequest.objects.get(business_account=self.account, public_id=public_id)
        if request.items != LINES or request.failed or request.error_message:
            raise RuntimeError(f"{request.action}: {request.failed} of {request.items} failed")
        return request


def rate_of(request: BulkRequest) -> float:
    """Lines a second, from the start to the end."""
    if request.started_at is None or request.finished_at is None:
        raise RuntimeError("the request has not ended")
    return Load(LINES, (request.finished_at - request.started_at).total_seconds()).rate


def measured(files: Files, word: str, people: Sequence[bulk.Body]) -> tuple[list[str], ...]:
    """A dry run, the load and its undo, as rows."""
    note(f"a file of {LINES:,} {word} customers")
    dry_run = rate_of(files.send(people, DRY_RUN))
    request = files.send(people)
    load, undo = rate_of(request), rate_of(files.undo(request))
    return (
        [f"{word}: the load", f"{load:,.0f}/s", "1.00", ""],
        [f"{word}: its dry run", f"{dry_run:,.0f}/s", f"{dry_run / load:.2f}", TARGET],
        [f"{word}: its undo", f"{undo:,.0f}/s", f"{undo / load:.2f}", TARGET],
    )


def run() -> None:
    """Measure."""
    dataset()
    account = named("Files")
    tidy(account)
    people = [whole(person(), number) for number in range(LINES)]
    random.shuffle(people)
    lines = [[f"files of {LINES:,} lines", "measured", "to the load", "target"]]
    with web(workers=1) as port, worker(processes=1):
        files = Files(account, port)
        lines += measured(files, "new", people)
        note("loading them again")
        files.send(people)
        lines += measured(files, "changed", list(changed(people)))
        lines.append(["the worker's memory", f"{files.memory:.0f} MB", "", ""])
    columns(lines)
    tidy(account)
