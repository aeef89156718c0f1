"""All clients of a run: `python -m tests.chaos.crowd`.

Its standard input is a JSON object: `port`, `seed`, `seconds`, `patience`, `accounts` and
`journal`, the path to write. What each client sends, and in which order, is the seed's.
"""

import json
import sys
from pathlib import Path

from tests.chaos.api import Api, Clock
from tests.chaos.clients import Client, Known
from tests.chaos.customers import Owner, Reader, Sharer
from tests.chaos.journal import Access, Journal
from tests.chaos.loads import Bulk, Files
from tests.chaos.searches import Searcher

# Names, whose key they use, and what they do.
CAST: tuple[tuple[str, str, type[Client]], ...] = (
    ("owner1", "customers", Owner),
    ("owner2", "customers", Owner),
    ("sharer1", "bulk", Sharer),
    ("sharer2", "bulk", Sharer),
    ("reader", "customers", Reader),
    ("searcher", "customers", Searcher),
    ("bulk1", "bulk", Bulk),
    ("bulk2", "bulk", Bulk),
    ("files", "files", Files),
)


def main() -> None:
    """Run all clients, and write down what they were promised."""
    order = json.loads(sys.stdin.read())
    journal, known = Journal(), Known()
    clock = Clock(order["seconds"], order["patience"])
    accounts = {each["name"]: Access(**each) for each in order["accounts"]}
    clients = [
        kind(name, Api(order["port"], accounts[account], journal, clock), known, order["seed"])
        for name, account, kind in CAST
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    journal.save(Path(order["journal"]))


if __name__ == "__main__":
    main()
