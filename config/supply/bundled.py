"""What packages bring of others, as it is installed here: versions, and whether it was altered."""

import base64
import hashlib
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import PackagePath
from pathlib import Path

from config.supply.components import BUNDLED, Bundled
from config.supply.packages import Package, SupplyError

# What the servers say of themselves.
TOLD = r"(?:v=|\) )([\d.]+)"


def bundled_in(package: Package) -> list[Bundled]:
    """What a package brings of others."""
    return [each for each in BUNDLED if each.package == package.name]


def main_file(package: Package, bundled: Bundled) -> PackagePath:
    """The file by which it is known. Raises `SupplyError` where it is gone."""
    for path in package.files:
        if fnmatch(str(path), bundled.file):
            return path
    raise SupplyError(f"{package.name} has no {bundled.file} of {bundled.name} any more")


def version_of(package: Package, bundled: Bundled) -> str:
    """Its version, "" where nothing tells it. Raises `SupplyError` where its file does not."""
    path = located(main_file(package, bundled))
    if not bundled.version:
        return ""
    if bundled.version == "--":
        told = subprocess.run([path, "--version"], capture_output=True, check=True).stdout
        pattern = TOLD
    else:
        told, pattern = path.read_bytes(), bundled.version
    if (found := re.search(pattern, told.decode("utf-8", "replace"))) is None:
        raise SupplyError(f"{path} of {package.name} does not tell the version of {bundled.name}")
    return found[1]


def sha256_of(path: PackagePath) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with located(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def altered(package: Package) -> Iterator[str]:
    """The files of what it brings of others that are gone, or not as the package has them."""
    covered = bundled_in(package)
    for path in package.files:
        if path.hash is None or not any(holds(each, path) for each in covered):
            continue
        padded = path.hash.value + "=" * (-len(path.hash.value) % 4)
        wanted = base64.urlsafe_b64decode(padded).hex()
        if not located(path).is_file() or sha256_of(path) != wanted:
            yield str(path)


def holds(bundled: Bundled, path: PackagePath) -> bool:
    """Whether a file belongs to it."""
    return fnmatch(str(path), bundled.file) or any(
        path.is_relative_to(folder) for folder in bundled.folders
    )


def located(path: PackagePath) -> Path:
    """Where it is."""
    return Path(str(path.locate()))
