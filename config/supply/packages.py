"""The packages that a release runs on: what the lock names, and what each says of itself."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config.launcher.guard import CHECKOUT
from config.supply.licences import ADMITTED, CONCLUDED, ELSEWHERE

LOCK = CHECKOUT / "requirements.lock"
# Labels of addresses, the first that a package has is its home page.
HOMES = ("homepage", "home", "repository", "source", "source code", "code", "github")


class SupplyError(Exception):
    """What is installed is not what the lock names, or says no licence; the message tells."""


@dataclass(frozen=True)
class Package:
    """A package of the lock. `marker` is where alone it is installed, "" if everywhere.

    `distribution` is None where it is not installed here.
    """

    name: str
    version: str
    marker: str
    distribution: Distribution | None

    @property
    def declared(self) -> str:
        """The licence that its metadata states as an SPDX expression, "" if it does not."""
        for stated in self._stated("License-Expression") + self._stated("License"):
            with suppress(InvalidLicenseExpression):
                return canonicalize_license_expression(stated)
        return ""

    @property
    def licence(self) -> str:
        """Its licence as an SPDX expression. Raises `SupplyError` where nobody has stated it."""
        known = CONCLUDED if self.distribution is not None else ELSEWHERE
        if found := self.declared or known.get(self.name, ""):
            return found
        raise SupplyError(
            f"{self.name} states no SPDX licence: read its licence file, and put it into"
            " config/supply/licences.py"
        )

    @property
    def home(self) -> str:
        """The address of its home page or repository; "" where it is not known here."""
        labelled = [each.partition(",") for each in self._stated("Project-URL")]
        urls = {label.strip().lower(): url.strip() for label, _, url in labelled}
        named = [urls[label] for label in HOMES if label in urls]
        return next(iter([*named, *self._stated("Home-page"), *urls.values()]), "")

    @cached_property
    def files(self) -> list[PackagePath]:
        """The files that it was installed with."""
        return (self.distribution.files or []) if self.distribution is not None else []

    @property
    def requirements(self) -> list[Requirement]:
        """What it requires, with its extras, as it says."""
        if self.distribution is None:
            return []
        return [Requirement(each) for each in self.distribution.requires or []]

    def _stated(self, key: str) -> list[str]:
        """What its metadata has under a name."""
        if self.distribution is None:
            return []
        return self.distribution.metadata.get_all(key) or []


def packages(lock: Path = LOCK) -> list[Package]:
    """The packages that a lock names, by name.

    Raises `SupplyError` where another version is installed.
    """
    found = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        # Below each pin stand the hashes of its files.
        if line.startswith((" ", "#")):
            continue
        pin = Requirement(line.removesuffix("\\").strip())
        name = canonicalize_name(pin.name)
        version = str(pin.specifier).removeprefix("==")
        try:
            here = distribution(name)
        except PackageNotFoundError:
            here = None
        if here is None and (pin.marker is None or pin.marker.evaluate()):
            raise SupplyError(f"{name} of {lock.name} is not installed")
        if here is not None and here.version != version:
            raise SupplyError(f"{name} is {here.version} here and {version} in {lock.name}")
        found[name] = Package(name, version, str(pin.marker or ""), here)
    return [found[name] for name in sorted(found)]


def edges(known: Mapping[str, Package], direct: list[Requirement]) -> dict[str, set[str]]:
    """Which packages each one requires, by their names; under "" those of the release itself."""
    found: dict[str, set[str]] = {"": set()}
    extras: dict[str, set[str]] = {}
    left = [("", each) for each in direct]
    while left:
        whose, requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if name not in known:
            continue
        found[whose].add(name)
        if name in extras and requirement.extras <= extras[name]:
            continue
        extras.setdefault(name, set()).update(requirement.extras)
        found.setdefault(name, set())
        wanted = ["", *extras[name]]
        left += [
            (name, each)
            for each in known[name].requirements
            if each.marker is None or any(each.marker.evaluate({"extra": one}) for one in wanted)
        ]
    return found


def refused(licences: Mapping[str, str]) -> list[str]:
    """Of named things with their licences, those that are not admitted, each as a sentence."""
    return [
        f"the licence of {name}, {licence}, is not admitted in config/supply/licences.py"
        for name, licence in licences.items()
        if licence not in ADMITTED
    ]
