"""Processes that work side by side on one job: one interpreter would keep one core busy at most."""

import gc
import logging
import os
from collections.abc import Callable, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from django.db import connections

logger = logging.getLogger(__name__)

# How a lane asks the process that made it for leave: it tells something, and gives the answer.
Ask = Callable[[Any], Any]
Work = Callable[[Any, Ask], Any]


class Lane:
    """A process that does `work` on one thing after the other.

    `work` takes the thing and an `Ask`, and gives what became of it; all of it goes to and fro as
    pickles. A lane ends with its pipe, also when this process is killed: it finishes what it is at,
    for which nobody waits any more, and takes nothing new.
    """

    def __init__(self, work: Work, others: Sequence["Lane"]) -> None:
        """Begin; `others` are the lanes that this process has already."""
        self.pipe, theirs = Pipe()
        # Not by multiprocessing, which does not let the processes of Celery's pool have others.
        self._process = os.fork()
        if self._process == 0:
            # As long as it has a copy of our end, it does not notice that we are gone.
            for pipe in (self.pipe, *(other.pipe for other in others)):
                pipe.close()
            live(theirs, work)
        theirs.close()

    def tell(self, message: object) -> None:
        """A new thing to do, or the answer to what it asked. Raises `ConnectionError`."""
        self.pipe.send(message)

    def hear(self) -> Any:  # noqa: ANN401 -- what the lane says
        """What it asks, or what became of the thing; raises what went wrong there."""
        try:
            said = self.pipe.recv()
        except EOFError as error:
            raise ConnectionResetError("a lane was killed") from error
        if isinstance(said, Exception):
            raise said
        return said

    def close(self) -> None:
        """Let it end."""
        self.pipe.close()

    def join(self) -> None:
        """Wait for its end."""
        os.waitpid(self._process, 0)


def live(pipe: Connection, work: Work) -> NoReturn:
    """The life of a lane: nothing of what the other process has begun ends here too."""
    try:
        serve(pipe, work)
    except (EOFError, ConnectionError):
        logger.debug("a lane ends")
    except BaseException:
        logger.exception("a lane breaks off")
    finally:
        os._exit(0)


def serve(pipe: Connection, work: Work) -> None:
    """Do one thing after the other. Raises `EOFError` or `ConnectionError` when nobody listens."""
    # Not closed, for the sessions are the other process's; psycopg leaves such alone.
    for connection in connections.all(initialized_only=True):
        del connections[connection.alias]

    # What is there stays, and what a thing takes goes by its reference counts, or at its end.
    gc.freeze()
    gc.disable()

    def ask(question: object) -> Any:  # noqa: ANN401 -- what it is answered
        pipe.send(question)
        return pipe.recv()

    while True:
        pipe.send(attempt(work, pipe.recv(), ask))
        gc.collect()


def attempt(work: Work, thing: object, ask: Ask) -> object:
    """What became of a thing, or what went wrong: its trace stays here, and goes into the log."""
    try:
        return work(thing, ask)
    except Exception as error:
        logger.info("a lane gives up", exc_info=True)
        return error
