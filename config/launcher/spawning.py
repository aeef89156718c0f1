"""Starts programs that do not outlive this process.

Standard library only. The process has one thread: with more, what runs between fork and exec might
wait for ever for a lock that another thread held.
"""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from config.launcher.programs import die_with_parent

Stream = int | IO[bytes] | None


def spawn(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    directory: Path | None = None,
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
    is_leader: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program, which gets `stop_signal` when this process is killed.

    `is_leader` gives it a session of its own, which a signal from the terminal does not reach.
    Streams are as `subprocess` takes them. Raises `OSError` when it cannot be started.
    """
    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=directory,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=is_leader,
        preexec_fn=die_with_parent(stop_signal),  # noqa: PLW1509 -- one thread, see above
    )
