"""Looks for known vulnerabilities of the packages of the lock, by `pip-audit`.

A package of which the advisory service knows nothing was not checked: `pip-audit` counts it as
good, this does not.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from config.supply.packages import LOCK, SupplyError

COMMAND = (
    *(sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes"),
    *("--disable-pip", "--format", "json", "--progress-spinner", "off"),
)


class Finding(NamedTuple):
    """A known vulnerability of a package, and the versions in which it is mended."""

    package: str
    version: str
    names: tuple[str, ...]
    mended: tuple[str, ...]

    def __str__(self) -> str:
        mended = ", ".join(self.mended) or "no version yet"
        return f"{self.package} {self.version}: {', '.join(self.names)}; mended in {mended}"


class Audit(NamedTuple):
    """What was found in how many packages, and of which the service knows nothing."""

    checked: int
    findings: list[Finding]
    unknown: list[str]


def audit(arguments: Sequence[str], environment: Mapping[str, str]) -> Audit:
    """Ask the advisory service, with further arguments of `pip-audit`. Raises `SupplyError`."""
    done = subprocess.run(
        [*COMMAND, *arguments], env=dict(environment), capture_output=True, text=True, check=False
    )
    return understood(done.stdout, done.stderr)


def understood(told: str, complaints: str) -> Audit:
    """What `pip-audit` told as JSON. Raises `SupplyError` where it only complained."""
    try:
        packages = json.loads(told)["dependencies"]
    except ValueError:
        why = (complaints.strip() or "it said nothing").splitlines()[-1]
        raise SupplyError(
            f"nothing was checked, for the advisory service could not be asked: {why}"
        ) from None
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    return Audit(
        checked=len(packages) - len(unknown),
        findings=[
            Finding(
                each["name"],
                each["version"],
                (found["id"], *found["aliases"]),
                tuple(found["fix_versions"]),
            )
            for each in packages
            for found in each.get("vulns", ())
        ],
        unknown=unknown,
    )
