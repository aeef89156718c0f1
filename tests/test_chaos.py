"""`./kith chaos`: its plan, its proxy, and a short run of all of it."""

import subprocess
import sys
from itertools import pairwise

import pytest

from config.launcher.guard import CHECKOUT
from tests.chaos.plan import FIRST, LASTING, faults
from tests.chaos.registry import own_environment

# Another one than a run by hand is likely to have; all of it takes half a minute.
SEED = 1
MINUTES = 0.2


def test_a_seed_makes_the_same_faults_again_and_another_one_others():
    assert faults(3, 120) == faults(3, 120)
    assert faults(3, 120) != faults(4, 120)


@pytest.mark.parametrize("seed", range(20))
def test_no_fault_lasts_beyond_the_end_or_begins_while_the_same_part_fails(seed):
    planned = faults(seed, 120)
    assert planned == sorted(planned)
    assert all(fault.at > 0 and fault.end <= 120 for fault in planned)
    for what in {fault.what for fault in planned}:
        spans = [(fault.at, fault.end) for fault in planned if fault.what == what]
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert all(bool(fault.seconds) == (fault.how in LASTING) for fault in planned)


def test_two_minutes_have_every_first_fault():
    done = {(fault.what.rstrip(" 12"), fault.how) for fault in faults(SEED, 120)}
    assert set(FIRST) <= done


@pytest.mark.long
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "options", [["--minutes", str(MINUTES)], ["--minutes", "0.05", "--row-security"]]
)
def test_a_registry_whose_parts_fail_keeps_what_it_promised(tmp_path, options, migrated):
    command = [sys.executable, "-m", "tests.chaos", "--seed", str(SEED), *options]
    environment = own_environment() | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was lost, doubled, or told wrongly" in done.stdout
