"""Programs that run as children of this process: started, watched, restarted, stopped in order.

Nothing here knows what the programs are. Standard library only, one thread, POSIX only. Process
managers such as honcho or supervisord leave their programs behind when they are killed themselves;
here these end too, and the data's lock is held until they have.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import BinaryIO, Self

from config.launcher.fork_server import Forked, Order, fork
from config.launcher.guard import Guard
from config.launcher.programs import Program, Restarts, explain, open_log
from config.launcher.spawning import spawn

SILENT_SECONDS = 3.0
Process = subprocess.Popen[bytes] | Forked
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(Exception):
    """The supervisor was told to stop by a signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class GaveUp(Exception):
    """A program died again and again. `log` is the file that says why."""

    def __init__(self, program: "Program") -> None:
        super().__init__(f"{program.name} keeps dying; its log: {program.log}")
        self.log = program.log


@dataclass
class _Child:
    program: Program
    process: Process
    restarts: Restarts
    restart_at: float | None = None


@dataclass
class Finished:
    """The end of a command: its exit code, and what it wrote to standard output."""

    code: int
    output: str = field(repr=False)


class Supervisor:
    """Starts programs, keeps them running, and stops them all in reverse order at the end.

    A context manager for the main thread. `say` gets one line per event. `keep_open` are file
    descriptors that stay open until the last program of a killed supervisor is gone. `restarts`
    makes the policy of each program. SIGINT, SIGTERM and SIGHUP make the next wait raise StopAsked;
    a second one makes stopping impatient.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        keep_open: Sequence[int] = (),
        restarts: Callable[[], Restarts] = Restarts,
    ) -> None:
        self._say = say
        self._keep_open = tuple(keep_open)
        self._restarts = restarts
        self._children: list[_Child] = []
        self._asked: list[int] = []

    def __enter__(self) -> Self:
        self._wake, wake_writer = os.pipe()
        for end in (self._wake, wake_writer):
            os.set_blocking(end, False)
        self._old_wakeup = signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        self._wake_writer = wake_writer
        self._old_handlers = {
            signum: signal.signal(signum, self._on_signal)
            for signum in (*STOP_SIGNALS, signal.SIGCHLD)
            # Under nohup the terminal may go away.
            if (signum, signal.getsignal(signum)) != (signal.SIGHUP, signal.SIG_IGN)
        }
        self._guard = Guard(self._keep_open)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in reversed(self._children):
            self._stop(child)
        self._guard.close()
        for signum, handler in self._old_handlers.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        os.close(self._wake)
        os.close(self._wake_writer)

    def start(self, program: Program) -> None:
        """Start `program` and keep it running from now on."""
        self._children.append(_Child(program, self._spawn(program), self._restarts()))

    def stop(self, name: str) -> None:
        """Stop program `name`, and look after it no more."""
        for child in [each for each in self._children if each.program.name == name]:
            self._stop(child)
            self._children.remove(child)

    def running(self, name: str) -> int | None:
        """The process id of program `name`, or None while it is not running."""
        for child in self._children:
            if child.program.name == name and child.process.poll() is None:
                return child.process.pid
        return None

    def run(self) -> None:
        """Keep everything running until a signal or a death too many: StopAsked or GaveUp."""
        while True:
            self._turn(60.0)

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether `condition` came true within `seconds`, looked at every 50 ms and on each event.

        Raises StopAsked and GaveUp.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._turn(0.05)
        return True

    def call(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        on_line: Callable[[str], None] | None = None,
    ) -> Finished:
        """Run `command` to its end with its standard output captured, line by line to `on_line`."""
        with spawn(
            command,
            environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            is_leader=True,
        ) as process:
            self._guard.add(process.pid, signal.SIGTERM, 2.0)
            try:
                output = self._read(process, on_line)
                self.wait_until(lambda: process.poll() is not None, float("inf"))
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                self._guard.remove(process.pid)
        return Finished(process.returncode, output)

    def foreground(
        self, command: Sequence[str], environment: Mapping[str, str], directory: Path
    ) -> int:
        """Run `command` on this terminal and give its exit code (128 + N when signal N ended it).

        A signal to this process goes on to the command, which then has 30 s to end. Raises
        StopAsked, without running it, after a signal to an earlier one.
        """
        if self._asked:
            raise StopAsked(self._asked[0])
        process = spawn(command, environment, directory=directory)
        try:
            self.wait_until(lambda: process.poll() is not None, float("inf"))
        except StopAsked as stop:
            if not (stop.signum == signal.SIGINT and _owns_terminal()):
                process.send_signal(stop.signum)
            self._wait_for_end(process, 30.0)
        finally:
            process.kill()
            process.wait()
        return process.returncode if process.returncode >= 0 else 128 - process.returncode

    def _on_signal(self, signum: int, _frame: FrameType | None) -> None:
        if signum != signal.SIGCHLD:
            self._asked.append(signum)

    def _turn(self, seconds: float) -> None:
        """Wait up to `seconds` for an event; see to dead children and to signals."""
        pending = [child.restart_at for child in self._children if child.restart_at is not None]
        if pending:
            seconds = min(seconds, max(0.05, min(pending) - time.monotonic()))
        self._pause(seconds)
        if self._asked:
            raise StopAsked(self._asked[0])
        for child in self._children:
            self._look_after(child)
        if not self._guard.is_running:
            self._guard = Guard(self._keep_open)
            for child in self._children:
                if child.restart_at is None:
                    self._entrust(child.program, child.process)

    def _pause(self, seconds: float, *more: int) -> None:
        readable, _, _ = select.select([self._wake, *more], [], [], seconds)
        if self._wake in readable:
            with suppress(BlockingIOError):
                while os.read(self._wake, 512):
                    pass

    def _look_after(self, child: _Child) -> None:
        program = child.program
        now = time.monotonic()
        if child.restart_at is None:
            code = child.process.poll()
            if code is None:
                return
            self._clear(child)
            delay = child.restarts.died(now)
            if delay is None:
                self._say(f"{program.name} died ({explain(code)})")
                raise GaveUp(program)
            self._say(
                f"{program.name} died ({explain(code)}), starting it again in {delay:g} s;"
                f" its log: {program.log}"
            )
            child.restart_at = now + delay
        elif now >= child.restart_at and program.may_start():
            child.restart_at = None
            child.process = self._spawn(program)
            self._say(f"{program.name} started again")

    def _spawn(self, program: Program) -> Process:
        with open_log(program.log) as log:
            process = self._fork(program, log) or spawn(
                program.command,
                program.environment,
                stop_signal=program.stop_signal,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                is_leader=True,
            )
        self._entrust(program, process)
        return process

    def _fork(self, program: Program, log: BinaryIO) -> Forked | None:
        if program.fork_server is None:
            return None
        _python, _m, module, *arguments = program.command
        order = Order(module, arguments, f"kith {program.name}", int(program.stop_signal))
        return fork(program.fork_server, order, log)

    def _entrust(self, program: Program, process: Process) -> None:
        self._guard.add(process.pid, program.stop_signal, program.orphan_seconds)

    def _stop(self, child: _Child) -> None:
        program, process = child.program, child.process
        if process.poll() is None:
            process.send_signal(program.stop_signal)
            silent = min(SILENT_SECONDS, program.stop_seconds)
            if not self._wait_for_end(process, silent):
                self._say(f"waiting up to {program.stop_seconds:g} s for {program.name} to finish")
                if not self._wait_for_end(process, program.stop_seconds - silent):
                    self._say(f"{program.name} does not stop; killing it")
        self._clear(child)

    def _clear(self, child: _Child) -> None:
        """End what is left of the child's process group, such as pool processes."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        self._guard.remove(child.process.pid)

    def _wait_for_end(self, process: Process, seconds: float) -> bool:
        """Whether `process` ended within `seconds`; a further signal cuts the wait short."""
        deadline = time.monotonic() + seconds
        patience = len(self._asked)
        while process.poll() is None:
            if time.monotonic() > deadline or len(self._asked) > patience:
                return False
            self._pause(0.1)
        return True

    def _read(self, process: subprocess.Popen[bytes], on_line: Callable[[str], None] | None) -> str:
        if process.stdout is None:
            return ""
        source = process.stdout.fileno()
        os.set_blocking(source, False)
        output, said = b"", 0
        while True:
            self._turn(0.0)
            self._pause(0.2, source)
            try:
                part = os.read(source, 65536)
            except BlockingIOError:
                continue
            output += part
            while on_line is not None and (end := output.find(b"\n", said)) >= 0:
                on_line(output[said:end].decode(errors="replace"))
                said = end + 1
            if not part:
                return output.decode(errors="replace")


def _owns_terminal() -> bool:
    """Whether Ctrl-C on the terminal has already reached every process of our group."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
