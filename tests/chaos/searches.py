"""The client of queued searches: what it is told of each has to be true, and its file whole."""

import gzip
import hashlib
import io
import zipfile
from urllib.parse import urlsplit

from tests.chaos.clients import Client
from tests.chaos.journal import Person, Search

SEARCHES = "/v1/search/customer-accounts"
MOST_OPEN = 3
FORMATS = ("CSV", "NDJSON", "JSON", "CSV_EXCEL", "XLSX")
ORDER = ("SUBMITTED", "PICKED", "STARTED", "FINISHED")
ENDED = ("FINISHED", "FAILED", "ABORTED")


class Searcher(Client):
    """Searches for all individuals, and compares the file with who was there before."""

    def begin(self) -> None:
        """Nothing was asked for yet."""
        self.number = 0
        self.open: list[tuple[Search, list[Person]]] = []

    def step(self) -> None:
        """Ask for another file, or for how it is with one."""
        if len(self.open) < MOST_OPEN and self.chance.random() < 0.3:
            self.submit()
        elif self.open:
            search, people = self.chance.choice(self.open)
            if self.chance.random() < 0.01:
                self.api.insist("DELETE", f"{SEARCHES}/{search.query}", expected=(204,))
                search.is_cancelled = True
            if self.look(search, people):
                self.open.remove((search, people))

    def end(self) -> None:
        """Those that are open are looked at until they have ended."""
        while self.open:
            self.open = [each for each in self.open if not self.look(*each)]
            self.api.clock.pause(0.2)

    def submit(self) -> None:
        """A search of everybody who is there already, and who comes until it runs."""
        self.number += 1
        chosen = self.chance.choice(FORMATS)
        packed = "GZIP" if chosen != "XLSX" and self.chance.random() < 0.3 else "NONE"
        body = {
            "customerAccountType": "INDIVIDUAL",
            "resultFormat": chosen,
            "compression": packed,
        }
        people = self.known.all()
        key = f"{self.name}-{self.number}"
        while True:
            answer = self.api.insist(
                "POST", SEARCHES, body, expected=(200, 409), Idempotency_Key=key
            )
            if answer.status == 200:
                break
            self.api.clock.pause(0.2)
        refs = [person.ref for person in people]
        search = Search(str(answer.json()["queryId"]), chosen, packed, refs)
        self.journal.searches.append(search)
        self.open.append((search, people))

    def look(self, search: Search, people: list[Person]) -> bool:
        """Whether it has ended; its status goes one way only."""
        answer = self.api.ask("GET", f"{SEARCHES}/{search.query}")
        if answer is None:
            return False
        told = answer.json()
        status, before = str(told["status"]), search.status
        if before in ORDER and status in ORDER and ORDER.index(status) < ORDER.index(before):
            self.journal.find(f"search {search.query}: {before}, then {status}")
        search.status = status
        if status == "FINISHED" and not search.is_cancelled:
            return self.fetch(search, told, people)
        return status in ENDED

    def fetch(self, search: Search, told: dict[str, object], people: list[Person]) -> bool:
        """Whether the file could be read; it has to be what its status says."""
        where = urlsplit(str(told["downloadUrl"]))
        answer = self.api.ask("GET", f"{where.path}?{where.query}".rstrip("?"))
        if answer is None:
            return False
        sha256 = hashlib.sha256(answer.body).hexdigest()
        if sha256 != told["sha256"] or len(answer.body) != told["byteCount"]:
            self.journal.find(f"search {search.query}: its file is not what its status says")
            return True
        if search.format == "XLSX":
            if zipfile.ZipFile(io.BytesIO(answer.body)).testzip() is not None:
                self.journal.find(f"search {search.query}: its workbook is damaged")
            return True
        plain = gzip.decompress(answer.body) if search.compression == "GZIP" else answer.body
        text = plain.decode()
        # Who is about to be deleted is no longer known.
        held = {person.ref for person in self.known.all()}
        for person in people:
            if person.ref in held and f"{person.email}" not in text:
                self.journal.find(f"search {search.query} lacks {person.ref}")
        if search.format == "NDJSON" and text.count("\n") != told["rowCount"]:
            self.journal.find(f"search {search.query}: rows {text.count(chr(10))} of {told}")
        return True
