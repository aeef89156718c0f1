"""The backend; Django looks for it here."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but the first query of a request does not ask first whether the server is there.

    A server that ended a connection has said so, or its kernel has: there is something to read. As
    long as there is nothing, asking tells no more, and costs every request a round trip.
    """

    health_check_done: bool

    def close_if_health_check_failed(self) -> None:
        """Close a kept connection that is no good any more, once a request."""
        if not self.health_check_done and self.connection is not None and self._is_quiet():
            self.health_check_done = True
        super().close_if_health_check_failed()

    def _is_quiet(self) -> bool:
        """Whether nothing came in since the last answer."""
        if self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
