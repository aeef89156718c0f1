"""The supervisor: programs kept running, stopped in order, and never left behind."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from config.launcher.guard import CHECKOUT, is_running
from config.launcher.instance import Instance
from config.launcher.programs import LOG_LIMIT, Program, Restarts
from config.launcher.supervisor import GaveUp, StopAsked, Supervisor
from tests.supervised import wait_for

# Seconds, for a machine that has much else to do.
WAIT = 60
PATIENT = """
    import signal
    while True:
        signal.pause()
"""
# Ignores every polite request, and so does its child.
STUBBORN = """
    import os, signal
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.fork()
    os.write(1, b"%d\\n" % os.getpid())
    while True:
        signal.pause()
"""


@pytest.fixture
def python(tmp_path):
    """Makes a program of a few lines of Python; its log is `NAME.log`."""

    def make(name, code, **options) -> Program:
        command = [sys.executable, "-c", textwrap.dedent(code)]
        return Program(name, command, os.environ, tmp_path / f"{name}.log", **options)

    return make


# What `./kith up` does, with one program: argument 1 is the data, 2 the log, 3 the program.
SUPERVISION = """
    import os, sys, textwrap
    from pathlib import Path
    from config.launcher.instance import Instance
    from config.launcher.programs import Program
    from config.launcher.supervisor import Supervisor
    data, log, code = sys.argv[1:]
    with (
        Instance(Path(data)).lock("up", print) as lock,
        Supervisor(print, keep_open=[lock.descriptor]) as supervisor,
    ):
        command = [sys.executable, "-c", textwrap.dedent(code)]
        program = Program("stubborn", command, os.environ, Path(log), orphan_seconds=0.5)
        supervisor.start(program)
        supervisor.run()
"""


def pids_in(log: Path, count: int) -> list[int]:
    """The process ids in `log`, once there are `count` of them."""
    pids = [int(word) for word in log.read_text().split()] if log.exists() else []
    return pids if len(pids) == count else []


# --- Restarts -------------------------------------------------------------------------------------


def test_the_waits_double_and_the_fifth_death_in_a_minute_is_the_last():
    restarts = Restarts()
    assert [restarts.died(now) for now in (0, 10, 20, 30, 59)] == [0.5, 1, 2, 4, None]


def test_deaths_far_apart_are_forgiven():
    restarts = Restarts()
    assert {restarts.died(now) for now in range(0, 6000, 60)} == {0.5}


def test_a_dead_program_is_said_so_and_started_again(supervisor, said, python):
    program = python("steady", PATIENT)
    supervisor.start(program)
    first = supervisor.running("steady")
    os.kill(first, signal.SIGKILL)
    assert supervisor.wait_until(lambda: len(said) == 2, WAIT)
    assert said == [
        f"steady died (killed by SIGKILL), starting it again in 0.01 s; its log: {program.log}",
        "steady started again",
    ]
    assert supervisor.running("steady") not in (None, first)


def test_one_that_keeps_dying_ends_it_all_with_the_path_of_its_log(supervisor, said, python):
    broken = python("broken", "print('why'); raise SystemExit(3)")
    supervisor.start(python("steady", PATIENT))
    supervisor.start(broken)
    with pytest.raises(GaveUp, match=re.escape(f"broken keeps dying; its log: {broken.log}")):
        supervisor.run()
    assert said[-1] == "broken died (exit code 3)"
    assert broken.log.read_text() == "why\n" * 5


def test_a_program_waits_for_what_its_dead_one_left_behind(supervisor, said, python):
    gone = threading.Event()
    supervisor.start(python("server", PATIENT, may_start=gone.is_set))
    os.kill(supervisor.running("server"), signal.SIGKILL)
    assert not supervisor.wait_until(lambda: len(said) == 2, 0.5)
    gone.set()
    assert supervisor.wait_until(lambda: len(said) == 2, WAIT)


def test_a_dead_programs_own_children_are_ended_before_it_starts_again(supervisor, said, python):
    program = python("stubborn", STUBBORN)
    supervisor.start(program)
    pids = wait_for(lambda: pids_in(program.log, 2))
    os.kill(supervisor.running("stubborn"), signal.SIGKILL)
    assert supervisor.wait_until(lambda: len(said) == 2, WAIT)
    assert not any(map(is_running, pids))


def test_a_log_that_has_grown_large_is_put_aside_at_the_next_start(supervisor, python):
    program = python("talker", "print('again')")
    with program.log.open("wb") as log:
        log.truncate(LOG_LIMIT + 1)
    supervisor.start(program)
    # It ends, and says so again a moment later.
    assert supervisor.wait_until(lambda: program.log.read_text().startswith("again\n"), WAIT)
    assert program.log.with_name("talker.log.1").stat().st_size == LOG_LIMIT + 1


# --- Stopping -------------------------------------------------------------------------------------


def test_programs_stop_in_reverse_order(said, python, tmp_path):
    order = tmp_path / "order"
    code = """
        import signal, sys
        def stop(*_):
            with open({order!r}, "a") as file:
                file.write({name!r})
            sys.exit()
        signal.signal(signal.SIGTERM, stop)
        print("up", flush=True)
        while True:
            signal.pause()
    """
    with Supervisor(said.append) as supervisor:
        programs = [python(name, code.format(order=str(order), name=name)) for name in "abc"]
        for program in programs:
            supervisor.start(program)
        for program in programs:
            wait_for(program.log.read_text)
    assert order.read_text() == "cba"
    assert said == []


def test_one_that_does_not_stop_is_killed_with_its_own_children(said, python):
    program = python("stubborn", STUBBORN, stop_seconds=0.2)
    with Supervisor(said.append) as supervisor:
        supervisor.start(program)
        pids = wait_for(lambda: pids_in(program.log, 2))
    assert not any(map(is_running, pids))
    assert said[-1] == "stubborn does not stop; killing it"


def test_a_signal_interrupts_every_wait(supervisor):
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(StopAsked, match="SIGTERM"):
        supervisor.run()


def test_a_killed_supervisor_leaves_nothing_behind_and_its_lock_till_then(tmp_path, said):
    log = tmp_path / "stubborn.log"
    command = [sys.executable, "-c", textwrap.dedent(SUPERVISION), tmp_path, log, STUBBORN]
    with subprocess.Popen(command, cwd=CHECKOUT) as killed:
        pids = wait_for(lambda: pids_in(log, 2))
        killed.kill()
        # Not reaped yet: a supervisor that nobody waits for is as dead as any.
        with Instance(tmp_path).lock("up", said.append) as lock:
            assert lock.after_crash
            assert not any(map(is_running, pids))
    assert said == ["waiting for the processes of a killed run to end"]


# --- Commands -------------------------------------------------------------------------------------


def test_a_command_gives_its_output_line_by_line_and_whole(supervisor):
    lines = []
    code = "print('one'); print('two'); raise SystemExit(4)"
    finished = supervisor.call([sys.executable, "-c", code], os.environ, lines.append)
    assert (finished.code, finished.output, lines) == (4, "one\ntwo\n", ["one", "two"])


def test_a_command_on_the_terminal_gets_the_signal_and_ends_in_its_own_way(tmp_path):
    code = """
        import os, signal, sys
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        os.kill(os.getppid(), signal.SIGTERM)
        while True:
            signal.pause()
    """
    with Supervisor(print) as supervisor:
        command = [sys.executable, "-c", textwrap.dedent(code)]
        assert supervisor.foreground(command, os.environ, tmp_path) == 7
