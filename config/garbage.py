"""Python's collector of cyclic garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# A bulk load makes objects by the hundred thousand, a large answer by the thousand, and nearly all
# of them go by their reference counts. By Python's own 700, a fifth of the time went into looking.
OBJECTS = 50_000


def look_seldom() -> None:
    """Have this process look for garbage once in many objects, not as often as Python would."""
    gc.set_threshold(OBJECTS, 20, 20)


def keep_loaded() -> None:
    """To be called when everything is loaded: what is there stays, and is not looked at again."""
    gc.collect()
    gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """A short stretch of work whose objects go by their reference counts, all at its end.

    As long as they are in use, the collector would look at each of them again and again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
