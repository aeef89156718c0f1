"""Runs all benchmarks, or those named: `python -m tests.benchmarks [NAME ...]`."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

import django
from django.core.management import call_command

HERE = Path(__file__).parent
# What a module of this package has that is a benchmark.
RUN = "\ndef run("
TAKING_CUSTOMERS = ("calls", "upgrade", "partitions")


def main() -> None:
    """Migrate the benchmark database, then measure."""
    known = sorted(path.stem for path in HERE.glob("*.py") if RUN in path.read_text())
    parser = argparse.ArgumentParser(prog="./kith bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--large", action="store_true", help="growth: to 4,000,000 customers")
    many = "calls, upgrade, partitions: so many, instead of 1,000,000, 1,000,000 or 20,000"
    parser.add_argument("--customers", type=int, metavar="N", help=many)
    only = "bulk: this part (accepting, drain, profiles, file); may be given again"
    parser.add_argument("--only", action="append", metavar="PART", default=[], help=only)
    lines = "bulk: a file of so many thousand lines, instead of 1000"
    parser.add_argument("--thousands", type=int, default=1000, help=lines)
    options = parser.parse_args()
    wanted: list[str] = options.names
    if unknown := set(wanted).difference(known):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))} (of {', '.join(known)})")
    django.setup()
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    for name in wanted or known:
        run = import_module(f"tests.benchmarks.{name}").run
        given = {
            "bulk": {"only": options.only, "thousands": options.thousands},
            "growth": {"is_large": options.large},
        }
        if options.customers:
            given |= {name: {"customers": options.customers} for name in TAKING_CUSTOMERS}
        run(**given.get(name, {}))


main()
