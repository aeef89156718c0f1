"""How benchmarks time and what they print."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple


class Timing(NamedTuple):
    """What was measured, in seconds per unit of work."""

    name: str
    median: float
    p95: float


def note(message: str) -> None:
    """Say what takes so long; on standard error, beside the tables."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def race(
    works: Mapping[str, Callable[[], object]], *, times: int = 20, units: int = 1
) -> list[Timing]:
    """Time pieces of work by turns, so that the machine's moods hit all alike.

    Each does `units` of work per call, and runs once unmeasured before its `times` turns.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(times + 1):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            if turn:
                taken[name].append((time.perf_counter() - started) / units)
    return [timing(name, seconds) for name, seconds in taken.items()]


def timing(name: str, seconds: Sequence[float]) -> Timing:
    """What a list of measured times comes to."""
    ordered = sorted(seconds)
    return Timing(name, median(ordered), ordered[-(-95 * len(ordered) // 100) - 1])


def table(title: str, yardstick: Timing, *others: Timing, unit: str = "ms") -> None:
    """Print timings in `unit` (s, ms, µs), each with the ratio of its median to the yardstick's."""
    scale = {"s": 1, "ms": 1e3, "µs": 1e6}[unit]
    lines = [(title, f"median {unit}", f"p95 {unit}", "ratio")]
    for each in (yardstick, *others):
        ratio = each.median / yardstick.median
        figures = (f"{each.median * scale:.2f}", f"{each.p95 * scale:.2f}", f"{ratio:.2f}")
        lines.append((each.name, *figures))
    columns(lines)
    sys.stdout.write(f"ratios to: {yardstick.name}\n\n")
    sys.stdout.flush()


def columns(lines: Sequence[Sequence[str]]) -> None:
    """Print lines of cells below each other, the first one flush left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *rest in lines:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    sys.stdout.flush()
