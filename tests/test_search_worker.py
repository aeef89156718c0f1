"""From the request to the file, through a real broker and a real Celery worker."""

import csv
import io
import signal
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.celery import SENDER_SECONDS
from config.celery import app as celery
from config.jobs.models import lost
from config.jobs.reaper import reap
from customers.models import Customer
from search.models import CustomerSearch
from tests.factories import Client, make_address, make_customer
from tests.workers import locked, until, waiting_copies, worker

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.long]
URL = "/v1/search/customer-accounts"
ENDED = ("FINISHED", "FAILED", "ABORTED")


def submit(owner, **body) -> str:
    answer = owner.api.post(URL, {"customerAccountType": "INDIVIDUAL"} | body)
    assert answer.status_code == 200, answer.content
    return answer.json()["queryId"]


def status(owner, query_id: str) -> dict[str, object]:
    return owner.api.get(f"{URL}/{query_id}").json()


def wait_for(owner, query_id: str, *states: str) -> dict[str, object]:
    def has_come():
        return status(owner, query_id)["status"] in states

    try:
        until(has_come, 65)
    except AssertionError:
        # A worker that ended just then took its message along. The reaper sends it again, at the
        # second look: the first one asks whether the queue still has it.
        until(lambda: (reap(), has_come())[1])
    return status(owner, query_id)


def files(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "results").rglob("*") if path.is_file())


def test_a_search_goes_all_the_way(owner, child_account, outsider, own_queue, data):
    mine = [make_customer(owner.account), make_customer(child_account, first_name="Zoë")]
    for customer in mine:
        make_address(customer)
    make_customer(owner.account, last_name="Other")
    make_customer(outsider.account)
    with worker(own_queue, data):
        query_id = submit(owner, lastName="LOVELACE", city="san francisco")
        done = wait_for(owner, query_id, *ENDED)
    assert done["status"] == "FINISHED"
    file = Client().get(urlsplit(done["downloadUrl"]).path)
    text = b"".join(file.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    expected = Customer.objects.filter(pk__in=[customer.pk for customer in mine])
    assert [(row["id"], row["businessAccountId"], row["mailingCityName"]) for row in rows] == [
        (str(customer.pk), str(customer.business_account_id), "San Francisco")
        for customer in expected.order_by("created_at", "id")
    ]
    assert done["rowCount"] == 2


def test_a_search_whose_worker_is_killed_is_done_by_the_next(owner, own_queue, data):
    """The first worker waits for a lock in the middle of its work, and is killed there."""
    make_customer(owner.account)
    with locked("customers_address"), worker(own_queue, data) as first:
        query_id = submit(owner)
        until(waiting_copies)
        first.send_signal(signal.SIGKILL)
        first.wait()
        # Its query ends with it, although the table is still locked.
        until(lambda: not waiting_copies())
    assert status(owner, query_id)["status"] == "STARTED"
    with worker(own_queue, data):
        until(lambda: CustomerSearch.objects.filter(lost(), pk=query_id).exists())
        reap()
        done = wait_for(owner, query_id, *ENDED)
    search = CustomerSearch.objects.get(pk=query_id)
    assert (done["status"], done["rowCount"], search.attempts) == ("FINISHED", 1, 2)
    assert files(data) == [search.file_name, f"{search.file_name}.manifest.json"]


@pytest.mark.parametrize("processes", [0, 1], ids=["without a pool", "with a pool"])
def test_a_worker_that_is_told_to_stop_hands_its_search_to_the_next(
    owner, own_queue, data, processes
):
    """The first worker could not finish in time; the search is free at once, as if untried."""
    make_customer(owner.account)
    with locked("customers_address"), worker(own_queue, data, processes=processes) as first:
        query_id = submit(owner)
        until(waiting_copies)
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=30) == 0
        search = CustomerSearch.objects.get(lost(), pk=query_id)
        assert (search.status, search.attempts) == ("STARTED", 0)
        assert (waiting_copies(), files(data)) == (0, [])
    with worker(own_queue, data, processes=processes):
        done = wait_for(owner, query_id, *ENDED)
    search.refresh_from_db()
    assert (done["status"], done["rowCount"], search.attempts) == ("FINISHED", 1, 1)
    assert files(data) == [search.file_name, f"{search.file_name}.manifest.json"]


def test_a_worker_that_is_told_to_stop_finishes_what_is_nearly_done(owner, own_queue, data):
    make_customer(owner.account)
    more_time = {"KITH_JOB_STOP_SECONDS": "20"}
    with worker(own_queue, data, processes=1, **more_time) as first:
        with locked("customers_address"):
            query_id = submit(owner)
            until(waiting_copies)
            first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=40) == 0
    search = CustomerSearch.objects.get(pk=query_id)
    assert (search.status, search.attempts) == ("FINISHED", 1)
    assert files(data) == [search.file_name, f"{search.file_name}.manifest.json"]


def test_a_search_posted_while_the_broker_is_away_runs_when_it_is_back(
    owner, own_queue, data, broker_away
):
    make_customer(owner.account)
    with broker_away:
        query_id = submit(owner)
    with worker(own_queue, data):
        reap()
        assert wait_for(owner, query_id, *ENDED)["status"] == "FINISHED"


def connections_made_to(server: socket.socket) -> int:
    """How many wait to be accepted, whether their other side is there still or not."""
    server.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_broker_that_accepts_connections_and_says_nothing_holds_nobody_up_for_long(
    owner, tmp_path, monkeypatch
):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as silent, monkeypatch.context() as patch:
        silent.bind(str(path))
        silent.listen(20)
        patch.setitem(celery.conf, "broker_url", f"redis+socket://{path}")
        celery._after_fork()  # connections at hand are forgotten
        query_id = submit(owner)
        with celery.connection_for_write() as connection:
            assert connection.transport_options["socket_timeout"] == SENDER_SECONDS
        assert 1 <= connections_made_to(silent) <= 2
    celery._after_fork()
    search = CustomerSearch.objects.get(pk=query_id)
    assert (search.status, search.queued_at) == ("SUBMITTED", None)
