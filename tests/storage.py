"""A storage without space."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def little_space(size: int) -> Iterator[None]:
    """While it is entered, this process can write no file that is longer: as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
