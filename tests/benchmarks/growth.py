"""How the cost of each call grows with the registry: 16,000, 128,000 and 1,000,000 customers.

With `--large` 4,000,000, too. Each registry is a database of its own; all are asked by turns.
"""

import sys
from contextlib import ExitStack
from statistics import median

from tests.benchmarks.calls import Call, product, take_turns
from tests.benchmarks.dataset import registry
from tests.benchmarks.report import columns, note
from tests.benchmarks.server import web

SIZES = [16_000, 128_000, 1_000_000]
LARGE = 4_000_000
SECONDS = 1.0
# How much slower than in the smallest registry a call may be; the others find parts of names.
MOST = {"exact": "1.35", "names": "3"}


def run(*, is_large: bool = False) -> None:
    """Measure."""
    sizes = [*SIZES, LARGE] if is_large else SIZES
    by_size: dict[int, list[Call]] = {}
    with ExitStack() as servers:
        for size in sizes:
            note(f"{size:,} customers")
            with registry(size) as (tree, *children):
                port = servers.enter_context(web(workers=1))
                by_size[size] = product(port, tree, [tree, *children])
        take_turns([call for calls in by_size.values() for call in calls], SECONDS)
    lines = [("median ms, one client", *(f"{size:,}" for size in sizes), "growth", "must")]
    for same in zip(*by_size.values(), strict=True):
        taken = [median(call.alone) for call in same]
        growth = taken[-1] / taken[0]
        most = MOST["names" if "name" in same[0].name or "search" in same[0].name else "exact"]
        figures = (f"{seconds * 1e3:.2f}" for seconds in taken)
        lines.append((same[0].name, *figures, f"{growth:.2f}", most))
    columns(lines)
    sys.stdout.flush()
