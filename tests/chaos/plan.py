"""What goes wrong in a run, and when: made from a seed, so that a run can be repeated."""

import random
from collections.abc import Iterator
from typing import NamedTuple

# Seconds between the beginnings of two faults: of the first ones, and of all others.
FIRST_GAPS = (0.5, 2.0)
GAPS = (0.5, 4.0)
# How long something is frozen, silent or full.
SPANS = (0.5, 4.0)


class Fault(NamedTuple):
    """`how` something is done to `what`, `at` so many seconds after the start, for `seconds`."""

    at: float
    what: str
    how: str
    seconds: float

    @property
    def end(self) -> float:
        """When it is over."""
        return round(self.at + self.seconds, 2)

    def __str__(self) -> str:
        span = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.what}: {self.how}{span}"


# Each of these is in every run that is long enough for eight faults.
FIRST = (
    ("web", "kill"),
    ("worker", "kill"),
    ("database", "kill"),
    ("broker", "kill"),
    ("worker", "freeze"),
    ("line to the database", "deaf"),
    ("line to the web server", "cut"),
    ("disk", "full"),
)
OTHERS = (
    ("web", "freeze"),
    ("web", "end"),
    ("web process", "kill"),
    ("web process", "freeze"),
    ("worker", "end"),
    ("worker process", "kill"),
    ("worker process", "freeze"),
    ("database", "freeze"),
    ("database session", "kill"),
    ("broker", "freeze"),
    ("scheduler", "kill"),
    ("line to the database", "cut"),
    ("line to the database", "refuse"),
    ("line to the database", "silence"),
    ("line to the broker", "cut"),
    ("line to the broker", "refuse"),
    ("line to the broker", "silence"),
    ("line to the broker", "deaf"),
    ("line to the web server", "deaf"),
    ("line to the web server", "silence"),
)
# Those that last; the others are over at once.
LASTING = {"freeze", "full", "refuse", "silence", "deaf"}


def faults(seed: int, seconds: float) -> list[Fault]:
    """The faults of a run, in their order; all of them begin and end within `seconds`."""
    chance = random.Random(f"faults {seed}")
    found: list[Fault] = []
    free_from: dict[str, float] = {}
    cards = deck(chance)
    at = chance.uniform(*FIRST_GAPS)
    while at < seconds:
        kind, how = next(cards)
        is_one = kind.startswith("worker")
        what = f"{kind} {chance.randint(1, 2)}" if is_one else kind
        # Of two at once neither would be what it says.
        begin = round(max(at, free_from.get(what, 0.0)), 2)
        span = 0.0
        if how in LASTING:
            span = min(round(chance.uniform(*SPANS), 2), round(seconds - begin, 2))
        if begin < seconds and (how not in LASTING or span >= SPANS[0]):
            found.append(Fault(begin, what, how, span))
            free_from[what] = found[-1].end
        at += chance.uniform(*(FIRST_GAPS if (kind, how) in FIRST else GAPS))
    return sorted(found)


def deck(chance: random.Random) -> Iterator[tuple[str, str]]:
    """All kinds, shuffled, again and again; those of `FIRST` before the others."""
    first, rest = list(FIRST), list(OTHERS)
    while True:
        chance.shuffle(first)
        chance.shuffle(rest)
        yield from first
        yield from rest
