"""The commands `licences`, `sbom` and `audit` of `./kith`."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from config.supply import tools
from config.supply.audit import Audit, audit
from config.supply.bundled import altered, bundled_in, version_of
from config.supply.licences import ADMITTED, PERMISSIVE
from config.supply.packages import Package, SupplyError, packages, refused

Row = tuple[str, str, str, str]


def licences() -> Iterator[str]:
    """The packages with version, licence and home page, what they bring, and the reasons.

    Raises `SupplyError` for a licence that is not admitted.
    """
    known = packages()
    rows = [row for package in known for row in rows_of(package)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        columns = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        yield "  ".join([*columns, row[3]]).rstrip()
    if wrong := refused({name.strip(): licence for name, _, licence, _ in rows}):
        raise SupplyError("; ".join(wrong))
    yield ""
    for licence in sorted({row[2] for row in rows}):
        if ADMITTED[licence] != PERMISSIVE:
            yield f"{licence}: {ADMITTED[licence]}"


def rows_of(package: Package) -> Iterator[Row]:
    """A line of a package, and one of each thing of others that it brings."""
    yield package.name, package.version, package.licence, package.home
    for each in bundled_in(package):
        yield f"  {each.name}", version_of(package, each), each.licence, each.home


def bill() -> str:
    """The bill of materials. Raises `SupplyError`, also where a file was altered."""
    tools.prepare()
    from config.supply.sbom import bill_of_materials  # noqa: PLC0415 -- needs what was just prepared

    known = packages()
    if changed := [path for package in known for path in altered(package)]:
        raise SupplyError(f"not as their packages have them: {', '.join(changed)}")
    return bill_of_materials(known)


def audited(arguments: Sequence[str]) -> int:
    """Print what an audit found. 0: nothing is known; 1: something is; 2: not all was checked.

    Raises `SupplyError` where nothing was checked.
    """
    return concluded(audit(arguments, tools.prepare()))


def concluded(found: Audit) -> int:
    """Print what was found; the exit code. Raises `SupplyError` where nothing was checked."""
    if not found.checked:
        raise SupplyError(
            "nothing was checked, for the advisory service knows none of the packages; a mirror of"
            " the package index may have no advisories: try `./kith audit -s osv`"
        )
    for each in found.findings:
        say(str(each))
    say(f"{found.checked} packages checked, {len(found.findings)} vulnerabilities known")
    if found.unknown:
        say(f"not checked, as the advisory service does not know them: {', '.join(found.unknown)}")
    return 1 if found.findings else 2 if found.unknown else 0


def say(line: str) -> None:
    """Print a line of the answer."""
    sys.stdout.write(f"{line}\n")


def main(arguments: Sequence[str]) -> int:
    """Run a command; 2 where it could not do its work."""
    parser = argparse.ArgumentParser(prog="./kith")
    parser.add_argument("command", choices=["licences", "sbom", "audit"])
    options, others = parser.parse_known_args(arguments)
    if others and options.command != "audit":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    try:
        if options.command == "audit":
            return audited(others)
        for line in licences() if options.command == "licences" else [bill()]:
            say(line)
        sys.stdout.flush()
    except SupplyError as error:
        sys.stderr.write(f"kith: {error}\n")
        return 2
    except BrokenPipeError:
        # Whoever reads has seen enough, such as `head`: what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
