"""What the clients of a run were promised; written down for `checks`."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock


def say(line: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def list_findings(findings: Sequence[str], kept: str) -> None:
    """Tell what was found, and what is kept of the run."""
    say(f"\n{len(findings)} findings; {kept}")
    for text in findings:
        say(f"- {text}")


@dataclass(frozen=True)
class Access:
    """A business account, and the key of a program in it."""

    name: str
    account: str
    key: str
    secret: str


@dataclass
class Person:
    """A customer of one client, which nobody else changes.

    `id` is None until the answer came. Of `steps` each was accepted, in this order; `shared` ones
    have a last accepted step of each client, and those of which nobody knows.
    """

    ref: str
    id: str | None = None
    steps: list[int] = field(default_factory=list)
    activities: list[str] = field(default_factory=list)
    is_deleted: bool = False
    # A call whose outcome nobody knows was made, and no other since.
    unknown: str = ""

    @property
    def email(self) -> str:
        """The address by which it is found."""
        return f"{self.ref}@chaos.example"


@dataclass
class Shared:
    """A member of a customer that other clients change, too: one client's own member of it."""

    customer: str
    member: str
    last: str
    unknown: list[str] = field(default_factory=list)


@dataclass
class Load:
    """A request of `/v2/data`: the ids of its customers in order, and which of them are bad."""

    request: str
    account: str
    people: list[str]
    bad: list[int]
    mark: str
    is_file: bool = False
    is_accepted: bool = False
    undo: str = ""


@dataclass
class Search:
    """A queued search; `people` are refs of customers that its file has to hold."""

    query: str
    format: str
    compression: str
    people: list[str]
    is_cancelled: bool = False
    status: str = ""


class Journal:
    """All of it, and what was found to be wrong on the way; safe for threads."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.shared: list[Shared] = []
        self.loads: list[Load] = []
        self.searches: list[Search] = []
        self.findings: list[str] = []
        self.calls: dict[str, int] = {}
        self._lock = Lock()

    def find(self, text: str) -> None:
        """Something is wrong."""
        with self._lock:
            self.findings.append(text)

    def count(self, what: str) -> None:
        """A call had this outcome."""
        with self._lock:
            self.calls[what] = self.calls.get(what, 0) + 1

    def save(self, path: Path) -> None:
        """Write all of it."""

        def plain(rows: Iterable[Person | Shared | Load | Search]) -> list[dict[str, object]]:
            return [asdict(row) for row in rows]

        path.write_text(
            json.dumps(
                {
                    "people": plain(self.people),
                    "shared": plain(self.shared),
                    "loads": plain(self.loads),
                    "searches": plain(self.searches),
                    "findings": self.findings,
                    "calls": self.calls,
                }
            )
        )

    @classmethod
    def read(cls, path: Path) -> "Journal":
        """What was saved."""
        found, journal = json.loads(path.read_text()), cls()
        journal.people = [Person(**row) for row in found["people"]]
        journal.shared = [Shared(**row) for row in found["shared"]]
        journal.loads = [Load(**row) for row in found["loads"]]
        journal.searches = [Search(**row) for row in found["searches"]]
        journal.findings, journal.calls = found["findings"], found["calls"]
        return journal
