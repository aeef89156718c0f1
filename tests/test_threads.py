"""Threads of the web server: what calls give, and what is told to those that wait for too long."""

import asyncio
from contextvars import copy_context
from threading import Barrier, Event, get_ident
from time import perf_counter

import pytest

from config.server.threads import LOOK_SECONDS, NoThreadInTime, Threads
from tests.workers import until

SOON = 0.2
TAKES = 0.02


def busy() -> str:
    """A call of some milliseconds."""
    Event().wait(TAKES)
    return "done"


async def outcomes(threads: Threads, count: int) -> list[tuple[object, float]]:
    """What comes of so many calls at once, and after how many seconds."""

    async def one() -> tuple[object, float]:
        started = perf_counter()
        try:
            found: object = await threads.run(copy_context(), busy)
        except NoThreadInTime as error:
            found = error
        return found, perf_counter() - started

    return await asyncio.gather(*(one() for _ in range(count)))


def test_calls_that_would_wait_too_long_are_refused_at_once_and_later_ones_are_not():
    async def play() -> None:
        threads = Threads("test", 2, 60, soon=SOON)
        for _ in range(40):
            await outcomes(threads, 1)
        found = await outcomes(threads, 500)
        refused = [seconds for outcome, seconds in found if outcome != "done"]
        # So many are done by two threads within that time; a busy machine does fewer.
        assert 0 < 500 - len(refused) <= 2 * SOON / TAKES + 4
        assert min(refused) < SOON
        assert [outcome for outcome, _ in await outcomes(threads, 2)] == ["done", "done"]

    asyncio.run(play())


def test_calls_wait_where_that_takes_no_time_worth_mentioning():
    async def play() -> None:
        threads = Threads("test", 2, 60, soon=60)
        assert {outcome for outcome, _ in await outcomes(threads, 100)} == {"done"}

    asyncio.run(play())


# --- What a call gives ----------------------------------------------------------------------------

PATIENCE = 2 * LOOK_SECONDS


def threads(seconds: float = 30.0) -> Threads:
    return Threads("test", 1, seconds)


def run(steps):
    """Run a coroutine to its end, which comes soon or never."""
    return asyncio.run(asyncio.wait_for(steps, 20))


def test_a_call_gives_what_its_work_gives_or_raises():
    async def steps():
        pool, context = threads(), copy_context()
        assert await pool.run(context, lambda: "made") == "made"
        with pytest.raises(ZeroDivisionError):
            await pool.run(context, lambda: 1 / 0)

    run(steps())


def test_a_call_that_gives_nothing_ends_though_no_other_comes():
    async def steps():
        assert await threads().run(copy_context(), lambda: None) is None

    run(steps())


def test_a_call_that_gets_no_thread_in_time_is_told_and_never_run():
    async def steps():
        pool, context, release = threads(PATIENCE), copy_context(), Event()
        ran = []
        busy = pool.run(context, release.wait)
        with pytest.raises(NoThreadInTime):
            await pool.run(context, lambda: ran.append("late"))
        patient = pool.run(context, lambda: "waited", patient=True)
        release.set()
        assert await busy
        assert await patient == "waited"
        assert not ran

    run(steps())


def test_a_call_that_works_for_longer_than_one_may_wait_is_left_alone():
    async def steps():
        pool, context, release = threads(PATIENCE), copy_context(), Event()
        working = pool.run(context, release.wait)
        with pytest.raises(NoThreadInTime):
            await pool.run(context, lambda: None)
        release.set()
        assert await working is True

    run(steps())


# --- Who does a call ------------------------------------------------------------------------------


def test_a_call_goes_to_the_thread_that_was_idle_for_the_shortest_time():
    """Each keeps a database session, so those that are not needed had better not be used."""

    async def play() -> None:
        threads = Threads("test", 4, 60)
        together = Barrier(4)
        everybody = [threads.run(copy_context(), lambda: together.wait() + 1) for _ in range(4)]
        assert {*await asyncio.gather(*everybody)} == {1, 2, 3, 4}
        used = set()
        for _ in range(20):
            until(lambda: len(threads._idle) == 4)
            used.add(await threads.run(copy_context(), get_ident))
        assert len(used) == 1

    asyncio.run(play())
