"""What all clients of a run have in common: each is a thread, and does one thing at a time."""

import random
import traceback
from abc import ABC, abstractmethod
from threading import Lock, Thread

from tests.chaos.api import Api, GaveUp
from tests.chaos.journal import Person

PAUSE_SECONDS = 0.03


class Known:
    """Customers that were accepted, for whoever looks them up."""

    def __init__(self) -> None:
        self._people: list[Person] = []
        self._lock = Lock()

    def add(self, person: Person) -> None:
        """A customer was accepted."""
        with self._lock:
            self._people.append(person)

    def remove(self, person: Person) -> None:
        """It is about to be deleted."""
        with self._lock:
            self._people.remove(person)

    def holds(self, person: Person) -> bool:
        """Whether it is still there."""
        with self._lock:
            return person in self._people

    def all(self) -> list[Person]:
        """All of them, at this moment."""
        with self._lock:
            return list(self._people)


class Client(Thread, ABC):
    """One client: does a step again and again."""

    def __init__(self, name: str, api: Api, known: Known, seed: int) -> None:
        super().__init__(name=name)
        self.api = api
        self.journal = api.journal
        self.known = known
        self.chance = random.Random(f"{name} {seed}")

    def run(self) -> None:
        """Until it is over; what was begun is brought to its end."""
        try:
            self.begin()
            while not self.api.clock.is_over:
                self.step()
                self.api.clock.pause(PAUSE_SECONDS)
            self.end()
        except GaveUp:
            self.journal.count(f"gave up: {self.name}")
        except Exception:  # noqa: BLE001 -- a client that fails has found something
            self.journal.find(f"{self.name}: {traceback.format_exc()}")

    def begin(self) -> None:
        """What is done once, first."""

    @abstractmethod
    def step(self) -> None:
        """One thing, to its end."""

    def end(self) -> None:
        """What is done once, at last."""
