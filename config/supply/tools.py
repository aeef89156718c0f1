"""The tools of others that a bill and an audit are made with: installed at their first use.

They lie in a folder of their own in the data directory, so that what the product runs on stays
what its lock names.
"""

import importlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from config.launcher.guard import CHECKOUT
from config.supply.packages import SupplyError

LOCK = CHECKOUT / "requirements-supply.lock"
NEEDED = ("cyclonedx", "pip_audit")


def prepare() -> dict[str, str]:
    """Make the tools importable here; gives the variables that do so for another Python.

    Raises `SupplyError` where they cannot be installed.
    """
    if all(map(find_spec, NEEDED)):
        return dict(os.environ)
    folder = Path(os.environ["KITH_DATA"]) / "supply"
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_bytes() != LOCK.read_bytes():
        install(folder)
        shutil.copyfile(LOCK, stamp)
    # Behind the product's own packages, of the same versions.
    sys.path.append(str(folder))
    importlib.invalidate_caches()
    return os.environ | {"PYTHONPATH": str(folder)}


def install(folder: Path) -> None:
    """Install what the lock names into an empty folder. Raises `SupplyError`."""
    sys.stderr.write(f"kith: installing the tools of {LOCK.name} in {folder}\n")
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    command += ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
    command += ["--target", str(folder), "--requirement", str(LOCK)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SupplyError("the tools could not be installed; see the lines above")
