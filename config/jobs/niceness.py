"""Jobs go behind requests: somebody waits for an answer, and nobody looks at a job."""

import os
from contextlib import suppress
from pathlib import Path

# Linux shares processors out by session first, and among the processes of each by their niceness.
SESSION = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Be so much nicer than others, with all processes that are forked from now on.

    Where the system does not have this, or does not allow it, all goes on as before.
    """
    if not niceness:
        return
    with suppress(OSError):
        os.nice(niceness)
    # Another one's session is not ours to slow down, such as that of a shell.
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            SESSION.write_text(str(niceness))
