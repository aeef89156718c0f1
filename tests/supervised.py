"""A supervisor for tests, which starts again at once what has ended."""

import threading
import time

import pytest

from config.launcher.programs import Restarts
from config.launcher.supervisor import Supervisor


def wait_for(condition, seconds=30.0):
    """Wait until `condition` gives something true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.02)
    return found


@pytest.fixture
def said() -> list[str]:
    """What the supervisor said."""
    return []


@pytest.fixture
def supervisor(said):
    with Supervisor(said.append, restarts=lambda: Restarts(first_delay=0.01)) as supervisor:
        yield supervisor
