"""When the last job of this worker began: a large one makes room for it, since most are small.

A small job takes some hundredths of a second, in many short steps, each of which waits for a
processor when large jobs keep all of them busy. So large ones pause between two steps of their own
when another one has just begun, until that has ended or is not so small after all.
"""

import mmap
import os
from collections.abc import Iterator
from threading import Event
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
# How long a job may count for a small one.
SMALL_SECONDS = 0.1
LOOK_SECONDS = 0.002
# Two numbers that all processes of the worker see, since they are forked from the one that imports
# this: when the last job began, by the clock of the machine, and the process that does it. Each is
# written at once, and no lock is held that a killed process would keep.
_PAGE = memoryview(mmap.mmap(-1, mmap.PAGESIZE))
_AT = _PAGE[:8].cast("d")
_BY = _PAGE[8:16].cast("q")


def note_beginning() -> None:
    """This process begins a job."""
    _BY[0] = os.getpid()
    _AT[0] = monotonic()


def note_end() -> None:
    """This process has ended its job."""
    if _BY[0] == os.getpid():
        _AT[0] = 0.0


def making_room(steps: Iterator[T]) -> Iterator[T]:
    """The same steps; the next one waits for a job of another process that has just begun.

    At most half of the time, however many begin.
    """
    pause, not_before = Event(), 0.0
    for step in steps:
        yield step
        started = monotonic()
        if started < not_before:
            continue
        while _BY[0] != os.getpid() and monotonic() < min(_AT[0], started) + SMALL_SECONDS:
            pause.wait(LOOK_SECONDS)
        now = monotonic()
        not_before = now + (now - started)
