"""The processes of the web server."""

import os
import signal
from pathlib import Path

import pytest

from tests.served import answers, wait_until, web
from tests.test_ingest_chaos import children

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


def processes_of(port: int) -> list[int]:
    """Those that the web server of this test has begun."""
    for pid in children(os.getpid()):
        if f"--port\0{port}\0" in Path(f"/proc/{pid}/cmdline").read_text():
            return children(pid)
    return []


def test_a_process_that_is_killed_leaves_the_other_one_working_and_is_replaced(own_queue, data):
    with web(own_queue, data, processes=2) as address:
        killed, other = processes_of(address.port)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: answers(address))
        found = wait_until(
            lambda: len(pids := {*processes_of(address.port)} - {killed}) == 2 and pids
        )
        assert other in found
        assert answers(address)
