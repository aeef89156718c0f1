"""What Locust sends, for `tests.benchmarks.load`; runs in an environment that has nothing of ours.

The file that the variable `LOAD_ORDER` names is a JSON object: `token`, `people` with their `id`,
`email` and `phone`, `rate` (requests a second of each client, 0 for as many as it can), and
`outcome`, where each request is written down: name, status (0: no answer), milliseconds, and
whether a refusal said when to come again.
"""

import json
import os
import random
import uuid
from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant, constant_throughput, events, task

ORDER = json.loads(Path(os.environ["LOAD_ORDER"]).read_text())
PEOPLE = ORDER["people"]
LOOKUP = "/core/customermgr/v3/customer"
LIST = "/v1/customers"
REFUSED = (429, 503)
taken: list[tuple[str, int, float, bool]] = []


@events.request.add_listener
def note(name: str, response_time: float, response: Any = None, **_event: Any) -> None:
    """Write down a request."""
    status = int(getattr(response, "status_code", 0) or 0)
    told = status not in REFUSED or "retry-after" in response.headers
    taken.append((name, status, response_time, told))


@events.quit.add_listener
def save(**_event: Any) -> None:
    """Write all of it."""
    Path(ORDER["outcome"]).write_text(json.dumps(taken))


class Client(FastHttpUser):
    """A client with one connection: 70 % look-ups, 15 % gets, 10 % changes, 5 % queued work."""

    wait_time = constant_throughput(ORDER["rate"]) if ORDER["rate"] else constant(0)
    connection_timeout = network_timeout = 30.0
    max_retries = 0
    default_headers = {"Authorization": f"Bearer {ORDER['token']}"}

    def ask(self, name: str, path: str) -> None:
        """A GET."""
        self.client.get(path, name=name)

    @task(25)
    def by_email(self) -> None:
        """Immediate search."""
        self.ask("look-up", f"{LOOKUP}?email={random.choice(PEOPLE)['email']}")

    @task(20)
    def by_phone(self) -> None:
        """Likewise."""
        self.ask("look-up", f"{LOOKUP}?phone={random.choice(PEOPLE)['phone'][1:]}")

    @task(25)
    def listed(self) -> None:
        """The list of those with an address."""
        email = random.choice(PEOPLE)["email"]
        self.ask("look-up", f"{LIST}?includeChildren=true&primaryEmail={email}")

    @task(15)
    def one(self) -> None:
        """A customer."""
        self.ask("get", f"{LIST}/{random.choice(PEOPLE)['id']}")

    @task(10)
    def change(self) -> None:
        """One member of a customer."""
        body = {"primaryPhoneNumber": {"extension": str(random.randrange(10_000))}}
        self.client.put(f"{LIST}/{random.choice(PEOPLE)['id']}", json=body, name="change")

    @task(3)
    def load(self) -> None:
        """Ten new customers in a queued request."""
        people = [person() for _ in range(10)]
        self.client.post("/v2/data/customers", json={"customers": people}, name="load")

    @task(2)
    def search(self) -> None:
        """A queued search of one customer."""
        body = {"customerAccountType": "INDIVIDUAL", "email": random.choice(PEOPLE)["email"]}
        self.client.post("/v1/search/customer-accounts", json=body, name="search")


def person() -> dict[str, object]:
    """A customer of `/v2/data` without accounts."""
    return {
        "sourceCustomerId": str(uuid.uuid4()),
        "organizationId": "50004",
        "postalCode": "78753",
        "country": "US",
        "customerCreationDate": "2017-01-01T08:00:00Z",
        "enrollmentStartDate": "2023-01-01T08:00:00Z",
        "enrollmentOptInStatus": "ACTIVE",
        "alertOptInStatus": ["ALL"],
        "targetingIndicator": "TARGET",
        "accounts": [],
    }
