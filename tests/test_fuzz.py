"""`./kith fuzz`: a short run of all of it."""

import subprocess
import sys

import pytest

from config.launcher.guard import CHECKOUT
from tests.chaos.registry import own_environment


@pytest.mark.long
@pytest.mark.no_cover
def test_a_run_makes_calls_in_many_names_and_finds_nothing(tmp_path, migrated):
    command = [sys.executable, "-m", "tests.fuzz", "--minutes", "0.05", "--seed", "1"]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=own_environment() | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every answer was a documented one" in done.stdout
    assert list(tmp_path.glob("kith-fuzz-*")) == []
