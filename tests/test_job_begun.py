"""Large jobs make room for one that has just begun in another process of the worker."""

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from config.jobs import begun
from config.jobs.begun import making_room, note_beginning, note_end

FORKED = multiprocessing.get_context("fork")
WAIT_SECONDS = 20


def begin_and_end(has_begun, may_end) -> None:
    note_beginning()
    has_begun.set()
    may_end.wait(WAIT_SECONDS)
    note_end()


@contextmanager
def another_job() -> Iterator[threading.Event]:
    """A job of another process, which goes on until the event that is yielded is set."""
    has_begun, may_end = FORKED.Event(), FORKED.Event()
    process = FORKED.Process(target=begin_and_end, args=(has_begun, may_end))
    process.start()
    try:
        assert has_begun.wait(WAIT_SECONDS)
        yield may_end
    finally:
        may_end.set()
        process.join()


def test_a_large_job_waits_until_one_that_has_just_begun_has_ended(monkeypatch):
    monkeypatch.setattr(begun, "SMALL_SECONDS", WAIT_SECONDS)
    paused = threading.Event()

    class Pause(threading.Event):
        def wait(self, timeout=None):
            paused.set()
            return super().wait(timeout)

    monkeypatch.setattr(begun, "Event", Pause)
    taken: list[int] = []
    with another_job() as may_end:
        large = threading.Thread(target=lambda: taken.extend(making_room(iter(range(3)))))
        large.start()
        assert paused.wait(WAIT_SECONDS)
        assert large.is_alive()
        may_end.set()
        large.join(WAIT_SECONDS / 2)
    assert taken == [0, 1, 2]


def test_one_that_is_not_small_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(begun, "SMALL_SECONDS", 0.01)
    with another_job():
        assert list(making_room(iter(range(3)))) == [0, 1, 2]


def test_nobody_waits_for_a_job_of_the_own_process(monkeypatch):
    monkeypatch.setattr(begun, "SMALL_SECONDS", 10 * WAIT_SECONDS)
    note_beginning()
    assert list(making_room(iter(range(3)))) == [0, 1, 2]
    note_end()
