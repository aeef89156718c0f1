"""The processes of a worker's pool."""

import os
import signal
import time

import pytest

from tests import bulk
from tests.bulk import customer, outcomes
from tests.test_ingest_chaos import all_ended, children, time_passes
from tests.workers import until, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.long]
# More than Celery gives a new process by default.
SLOW_SECONDS = 5


def test_a_process_that_takes_long_to_come_up_is_waited_for(owner, own_queue, data):
    """As on a machine that has much else to do; it used to be killed, and the next one, too."""
    with worker(own_queue, data, processes=1) as process:
        # A worker that loses its first processes while it starts gives up.
        bulk.send(owner, customer("c1"))
        until(all_ended)
        (first,) = children(process.pid)
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while not (second := [pid for pid in children(process.pid) if pid != first]):
            assert time.monotonic() < deadline
        os.kill(second[0], signal.SIGSTOP)
        time_passes(SLOW_SECONDS)
        os.kill(second[0], signal.SIGCONT)
        public_id = bulk.send(owner, customer("c2"))
        until(all_ended)
        assert children(process.pid) == second
    assert outcomes(bulk.ledger(owner, public_id)) == ["CREATED"]
