"""How many files are received at once: by this process, and of one business account."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from config.api.errors import RETRY_SECONDS, ApiError, TooManyRequests


class TooManyUploads(ApiError):
    """This process receives as many files as it can."""

    status = 503
    code = "TOO_MANY_UPLOADS"

    def __init__(self) -> None:
        super().__init__(
            "Too many files are being received. Try again shortly.",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )


class Uploads:
    """At most `count` at once, and half of them of one business account."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._share = max(1, count // 2)
        self._running: Counter[UUID] = Counter()

    @contextmanager
    def one_of(self, owner: UUID) -> Iterator[None]:
        """A file that is received. Raises `TooManyUploads` and `TooManyRequests`."""
        if self._running.total() >= self.count:
            raise TooManyUploads
        if self._running[owner] >= self._share:
            message = f"This business account is sending {self._share} files already."
            raise TooManyRequests(message, seconds=RETRY_SECONDS)
        self._running[owner] += 1
        try:
            yield
        finally:
            self._running[owner] -= 1
            if not self._running[owner]:
                del self._running[owner]
