"""Clients of `/v1` and `/core`: who create, change, delete and look up customers."""

from tests.chaos.api import Answer, Api
from tests.chaos.clients import Client, Known
from tests.chaos.journal import Person, Shared

CUSTOMERS = "/v1/customers"
LOOKUP = "/core/customermgr/v3/customer"
MOST_PEOPLE = 150
# Those that are loaded meanwhile.
SHARED = 4


def person_of(ref: str, number: int) -> dict[str, object]:
    """A new customer by a name of its own."""
    address = {
        "type": "MAILING",
        "streetLine1": f"{number} Main Street",
        "cityName": "Springfield",
        "stateCode": "IL",
        "countryCode": "USA",
        "zipCode": "62701",
    }
    return {
        "type": "INDIVIDUAL",
        "firstName": "Ada",
        "lastName": ref,
        "middleName": "Step 0",
        "socialId": f"social {ref}",
        "socialIdCountryCode": "USA",
        "primaryPhoneNumber": {"number": f"+1415{5_000_000 + number % 1_000_000}", "type": "HOME"},
        "primaryEmail": {"value": f"{ref}@chaos.example"},
        "addresses": [address],
        "metadata": {"ref": ref, "step": "0"},
    }


class Owner(Client):
    """Creates customers of its own, and changes them step by step; each step has to count once."""

    def __init__(self, name: str, api: Api, known: Known, seed: int) -> None:
        super().__init__(name, api, known, seed)
        self.number = 0
        self.people: list[Person] = []

    def step(self) -> None:
        """One of what an owner does."""
        draw = self.chance.random()
        if len(self.people) < 3 or (draw < 0.2 and len(self.people) < MOST_PEOPLE):
            self.create()
            return
        person = self.chance.choice(self.people)
        if draw < 0.75:
            self.change(person)
        elif draw < 0.9:
            self.record(person)
        elif draw < 0.94:
            self.delete(person)
        else:
            self.suspend(person)

    def create(self) -> None:
        """A new customer: sent until an answer comes, by a key or by an id of its own."""
        self.number += 1
        person = Person(f"{self.name}-{self.number}")
        body, headers = person_of(person.ref, self.number), {"Idempotency_Key": person.ref + "-key"}
        if self.chance.random() < 0.5:
            body, headers = body | {"externalId": person.ref}, {}
        self.journal.people.append(person)
        answer = self.api.insist("POST", CUSTOMERS, body, expected=(201, 409), **headers)
        if answer.status == 409:
            answer = self.taken(answer, body, headers)
        person.id = id_of(answer)
        self.people.append(person)
        self.known.add(person)

    def taken(self, answer: Answer, body: dict[str, object], headers: dict[str, str]) -> Answer:
        """What comes of a customer whose id is taken, by itself, or whose first call still runs."""
        while answer.status == 409 and answer.json()["errorCode"] == "IDEMPOTENCY_KEY_IN_USE":
            self.api.clock.pause(0.2)
            answer = self.api.insist("POST", CUSTOMERS, body, expected=(201, 409), **headers)
        return answer

    def read(self, person: Person) -> tuple[int, str]:
        """The step that a customer is at, and its version."""
        answer = self.api.insist("GET", f"{CUSTOMERS}/{person.id}")
        found = answer.json()
        step = int(str(found["metadata"]["step"]))  # type: ignore[index] # an object
        if found["middleName"] != f"Step {step}":
            self.journal.find(f"{person.ref}: half of step {step}: {found['middleName']}")
        return step, answer.headers["etag"]

    def change(self, person: Person) -> None:
        """The next step: with the version it may be sent again, and counts once."""
        before = person.steps[-1] if person.steps else 0
        step, tag = self.read(person)
        if step != before:
            self.journal.find(f"{person.ref}: is at step {step} instead of {before}")
        person.unknown = str(before + 1)
        body = {"metadata": {"step": str(before + 1)}, "middleName": f"Step {before + 1}"}
        path = f"{CUSTOMERS}/{person.id}"
        while step != before + 1:
            answer = self.api.ask("PUT", path, body, expected=(200, 412), If_Match=tag)
            if answer is not None and answer.status == 200:
                break
            was = tag
            step, tag = self.read(person)
            if answer is not None and step == before and tag == was:
                self.journal.find(f"{person.ref}: 412 for the version that there is, {tag}")
        person.steps.append(before + 1)
        person.unknown = ""

    def record(self, person: Person) -> None:
        """An activity, once."""
        subject = f"{person.ref} {len(person.activities)}"
        body = {
            "type": "email",
            "mode": "inbound",
            "sentDate": "2026-11-01T10:00:00Z",
            "subject": subject,
        }
        person.unknown = subject
        path = f"{CUSTOMERS}/{person.id}/activities"
        key = subject.replace(" ", "-") + "-activity"
        while True:
            answer = self.api.insist("POST", path, body, expected=(201, 409), Idempotency_Key=key)
            if answer.status == 201:
                break
            self.api.clock.pause(0.2)
        person.activities.append(subject)
        person.unknown = ""

    def suspend(self, person: Person) -> None:
        """There and back; both may be repeated."""
        for verb, status in (("suspend", "SUSPENDED"), ("activate", "ACTIVE")):
            answer = self.api.insist("PUT", f"{CUSTOMERS}/{person.id}/{verb}")
            if answer.json()["status"] != status:
                self.journal.find(f"{person.ref}: {verb} answered {answer.json()['status']}")

    def delete(self, person: Person) -> None:
        """The end of a customer; the second time it is not found."""
        self.known.remove(person)
        self.people.remove(person)
        person.unknown = "deleted"
        self.api.insist("DELETE", f"{CUSTOMERS}/{person.id}", expected=(204, 404))
        self.api.insist("GET", f"{CUSTOMERS}/{person.id}", expected=(404,))
        person.is_deleted, person.unknown = True, ""


def id_of(answer: Answer) -> str:
    """The id of a customer that was created now, or before."""
    found = answer.json()
    if answer.status == 409:
        found = found["errors"][0]  # type: ignore[index] # a list
    return str(found["id"])


class Sharer(Client):
    """Changes members of customers that others change at the same time; nobody's may be lost."""

    def begin(self) -> None:
        """Whoever comes first creates them."""
        self.number = 0
        self.member = {"sharer1": "prefix", "sharer2": "suffix"}[self.name]
        self.rows: list[Shared] = []
        for number in range(SHARED):
            ref = f"joint-{number}"
            body = person_of(ref, 900_000 + number) | {"externalId": ref}
            answer = self.api.insist("POST", CUSTOMERS, body, expected=(201, 409))
            row = Shared(id_of(answer), self.member, "")
            self.rows.append(row)
            self.journal.shared.append(row)

    def step(self) -> None:
        """Change one; when no answer comes, nobody knows, and it goes on."""
        row = self.chance.choice(self.rows)
        self.number += 1
        text = f"{self.name} {self.number}"
        row.unknown.append(text)
        answer = self.api.ask("PUT", f"{CUSTOMERS}/{row.customer}", {self.member: text})
        if answer is None:
            return
        row.last = text
        row.unknown.remove(text)
        found = answer.json()[self.member]
        # What was given up may still be done later.
        if found not in {text, *row.unknown}:
            self.journal.find(f"{row.customer}: {self.member} is {found} instead of {text}")


class Reader(Client):
    """Looks up customers that were accepted, in every way; they have to be there."""

    def step(self) -> None:
        """One look-up."""
        people = self.known.all()
        if not people:
            return
        person = self.chance.choice(people)
        way = self.chance.choice([self.by_id, self.by_email, self.by_list, self.by_history])
        is_found = way(person)
        if is_found is False and self.known.holds(person):
            self.journal.find(f"{person.ref} ({person.id}) is not found: {way.__name__}")

    def by_id(self, person: Person) -> bool | None:
        """The customer itself."""
        answer = self.api.ask("GET", f"{CUSTOMERS}/{person.id}", expected=(200, 404))
        return None if answer is None else answer.status == 200

    def by_email(self, person: Person) -> bool | None:
        """The immediate search."""
        answer = self.api.ask("GET", f"{LOOKUP}?email={person.email}", expected=(200, 204))
        return None if answer is None else str(person.id).encode() in answer.body

    def by_list(self, person: Person) -> bool | None:
        """The list."""
        answer = self.api.ask("GET", f"{CUSTOMERS}?primaryEmail={person.email}")
        return None if answer is None else answer.json()["totalElements"] == 1

    def by_history(self, person: Person) -> bool | None:
        """What happened with it."""
        path = f"{CUSTOMERS}/{person.id}/history?size=200"
        answer = self.api.ask("GET", path, expected=(200, 404))
        return None if answer is None else b'"created"' in answer.body
