"""Whether the worker that this process belongs to was told to stop."""

import struct
import time
from mmap import mmap

# Shared memory: the pool's processes are forked from the one that gets the signal.
_asked_at = mmap(-1, 8)
_MOMENT = struct.Struct("d")


def ask() -> None:
    """Note that this worker shall stop; only the first time counts."""
    if _since() == 0:
        _MOMENT.pack_into(_asked_at, 0, time.monotonic())


def is_overdue(seconds: float) -> bool:
    """Whether this worker was told to stop, more than `seconds` ago."""
    return _since() > 0 and time.monotonic() - _since() > seconds


def _since() -> float:
    """When it was told, by the clock that all processes of a machine share; 0 if it was not."""
    moment: float
    (moment,) = _MOMENT.unpack_from(_asked_at)
    return moment
