"""Somebody who runs queued searches in benchmarks."""

import json
import threading
from typing import NamedTuple

from customers.models import BusinessAccount
from search import services
from search.models import CustomerSearch
from tests.benchmarks.customers import token_for
from tests.benchmarks.server import Caller

URL = "/v1/search/customer-accounts"
EVERYBODY = {"customerAccountType": "INDIVIDUAL"}


class Outcome(NamedTuple):
    """A finished search: seconds from STARTED to FINISHED, rows and bytes."""

    seconds: float
    rows: int
    bytes: int


class Analyst:
    """Somebody who asks for searches, waits for them, and throws the files away."""

    def __init__(self, port: int, account: BusinessAccount) -> None:
        self.caller = Caller(port, token_for(account))

    def submit(self, **body: object) -> str:
        """The id of a new search."""
        answer = self.caller.post(URL, EVERYBODY | body)
        return str(json.loads(answer)["queryId"])

    def search(self, **body: object) -> Outcome:
        """A new search, done."""
        # The server closes a connection on which nothing came for a while.
        self.caller.connection.close()
        return done(self.submit(**body))


def done(query_id: str) -> Outcome:
    """A search when it has ended; its file is deleted."""
    pause = threading.Event()
    while (search := CustomerSearch.objects.get(pk=query_id)).status in CustomerSearch.OPEN:
        pause.wait(0.02)
    if search.status != CustomerSearch.Status.FINISHED:
        raise RuntimeError(f"search {query_id}: {search.error_code} {search.error_message}")
    services.cancel_search(search=search)
    seconds = (search.finished_at - search.started_at).total_seconds()
    return Outcome(seconds, search.rows, search.bytes)
