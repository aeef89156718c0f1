"""Clients of `/v2/data`: small requests that overlap, and files of new customers."""

import json
from uuid import UUID

from tests.chaos.api import gzipped
from tests.chaos.clients import Client
from tests.chaos.journal import Load

CUSTOMERS = "/v2/data/customers"
FILES = "/v2/data/files"
REQUESTS = "/v2/data/requests"
MOST_OPEN = 12
ENDED = ("FINISHED", "FAILED")
OWN, JOINT = 30, 8
LINES = (100, 1500)


def customer(name: str, mark: str, *, is_bad: bool, is_whole: bool) -> dict[str, object]:
    """A customer with an account and a card; the mark tells which request it came with."""
    account = f"account-of-{name}"
    card = {
        "sourceAccountId": account,
        "sourceCustomerId": name,
        "last4": "2345",
        "iin": "123456",
        "cardType": "CREDIT",
        "status": "OPEN",
        "networkIdentifier": "4",
        "openDate": "2023-01-01T08:00:00Z",
        "closeDate": None,
    }
    body: dict[str, object] = {
        "sourceCustomerId": name,
        "organizationId": mark,
        "postalCode": "78753",
        "country": "?" if is_bad else "US",
        "customerCreationDate": "2017-01-01T08:00:00Z",
        "enrollmentStartDate": "2023-01-01T08:00:00Z",
        "enrollmentOptInStatus": "ACTIVE",
        "alertOptInStatus": ["ALL"],
        "targetingIndicator": "TARGET",
        "accounts": [
            {
                "sourceAccountId": account,
                "sourceCustomerIds": [name],
                "primarySourceCustomerId": name,
                "status": "OPEN",
                "type": "DDA",
                "sourcePortfolioId": mark,
                "accountOpenDate": "2018-05-12T20:30:00Z",
                "accountCloseDate": None,
                "cards": [card],
            }
        ],
    }
    if is_whole:
        body |= {
            "type": "INDIVIDUAL",
            "firstName": "Eva",
            "lastName": mark,
            "emails": [{"value": f"{name}@chaos.example"}],
        }
    return body


class Loader(Client):
    """Sends loads, and looks at them until they have ended."""

    def begin(self) -> None:
        """Nothing was sent yet."""
        self.number = 0
        self.open: list[Load] = []

    def new_id(self) -> str:
        """A `requestId` of its own."""
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def look(self, load: Load) -> bool:
        """Whether it has ended; its outcome has to be what it has to be."""
        answer = self.api.ask("GET", f"{REQUESTS}/{load.request}")
        if answer is None:
            return False
        told = answer.json()
        if told["status"] == "FINISHED":
            self.compare(load, told)
        return told["status"] in ENDED

    def compare(self, load: Load, told: dict[str, object]) -> None:
        """A finished load has stored everybody but those who are bad."""
        counts: dict[str, int] = told["counts"]  # type: ignore[assignment]
        if sum(counts.values()) != len(load.people) or counts["failed"] != len(load.bad):
            self.journal.find(
                f"load {load.request}: {counts} of {len(load.people)}, {load.bad} bad"
            )
        items: list[dict[str, object]] = told["items"]  # type: ignore[assignment]
        failed = [each["index"] for each in items if each["outcome"] == "FAILED"]
        if not load.is_file and (failed != load.bad or len(items) != len(load.people)):
            self.journal.find(f"load {load.request}: {failed} failed, {load.bad} are bad")


class Bulk(Loader):
    """Requests for customers of its own, and for some that others send, too."""

    def step(self) -> None:
        """Another request; where too many are open, a look at the oldest."""
        if len(self.open) < MOST_OPEN:
            self.send()
        elif self.look(self.open[0]):
            self.open.pop(0)

    def end(self) -> None:
        """All are looked at until they have ended."""
        while self.open:
            self.open = [load for load in self.open if not self.look(load)]
            self.api.clock.pause(0.2)

    def send(self) -> None:
        """A request, sent until an answer comes, under an id that makes it count once."""
        self.number += 1
        mark = f"{self.name}-{self.number}"
        pool = [f"{self.name}-{number}" for number in range(OWN)]
        pool += [f"joint-{number}" for number in range(JOINT)]
        names = self.chance.sample(pool, self.chance.randint(1, 12))
        bad = [self.chance.randrange(len(names))] if self.chance.random() < 0.2 else []
        whole = self.chance.random() < 0.3
        items = [
            customer(name, mark, is_bad=index in bad, is_whole=whole)
            for index, name in enumerate(names)
        ]
        load = Load(self.new_id(), "bulk", names, bad, mark)
        self.journal.loads.append(load)
        self.api.insist("POST", CUSTOMERS, {"customers": items}, X_CDLX_Request_Id=load.request)
        load.is_accepted = True
        self.open.append(load)


class Files(Loader):
    """Files of new customers, one after the other; some are taken back."""

    def step(self) -> None:
        """A file, from its upload to its end."""
        load = self.send()
        self.wait_for(load)
        if self.chance.random() < 0.4:
            self.take_back(load)

    def send(self) -> Load:
        """A file, plain or compressed, with a bad line now and then."""
        self.number += 1
        mark = f"{self.name}-{self.number}"
        names = [f"{mark}-{number}" for number in range(self.chance.randint(*LINES))]
        bad = [self.chance.randrange(len(names))] if self.chance.random() < 0.5 else []
        lines = [
            json.dumps(customer(name, mark, is_bad=index in bad, is_whole=False)).encode()
            for index, name in enumerate(names)
        ]
        data = b"\n".join(lines) + b"\n"
        is_packed = self.chance.random() < 0.5
        load = Load(self.new_id(), "files", names, bad, mark, is_file=True)
        self.journal.loads.append(load)
        self.api.insist(
            "POST",
            FILES,
            gzipped(data) if is_packed else data,
            Content_Type="application/gzip" if is_packed else "application/x-ndjson",
            X_CDLX_Request_Id=load.request,
        )
        load.is_accepted = True
        return load

    def wait_for(self, load: Load) -> None:
        """Until it has ended. Then each line has an outcome."""
        while not self.look(load):
            self.api.clock.pause(0.3)
        answer = self.api.insist(
            "GET", f"{REQUESTS}/{load.request}/results", expected=(200, 404, 409, 410)
        )
        if answer.status != 200:
            return
        outcomes = [json.loads(line) for line in answer.body.splitlines()]
        numbers = [each["line"] for each in outcomes]
        told = self.api.insist("GET", f"{REQUESTS}/{load.request}").json()
        is_whole = numbers == list(range(1, len(load.people) + 1))
        if told["status"] == "FINISHED" and not is_whole:
            self.journal.find(f"file {load.request}: {len(numbers)} outcomes of {load.people}")

    def take_back(self, load: Load) -> None:
        """Undo a file, once."""
        path, undo = f"{REQUESTS}/{load.request}/undo", self.new_id()
        load.undo = undo
        answer = self.api.insist("POST", path, expected=(200, 409, 422), X_CDLX_Request_Id=undo)
        if answer.status != 200:
            return
        if answer.json()["requestId"] != undo:
            self.journal.find(f"undo of {load.request}: {answer.json()} instead of {undo}")
        while True:
            told = self.api.insist("GET", f"{REQUESTS}/{undo}").json()
            if told["status"] in ENDED:
                return
            self.api.clock.pause(0.3)
