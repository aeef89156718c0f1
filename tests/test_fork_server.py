"""Programs that are made by forking one that has loaded what they share."""

import json
import os
import signal
import socket
import sys
import textwrap
from pathlib import Path

import pytest

from config.launcher.fork_server import IS_POSSIBLE, is_ready
from config.launcher.guard import is_running
from config.launcher.programs import PR_SET_CHILD_SUBREAPER, Program, prctl
from config.launcher.supervisor import Supervisor
from tests.supervised import wait_for

pytestmark = [
    pytest.mark.no_cover,
    pytest.mark.skipif(not IS_POSSIBLE, reason="nobody but Linux lets a process adopt others"),
]

# What a program tells: whether it shares what was loaded, its parent, group, arguments and name.
TELLS = """
    import json, os, signal, sys
    from pathlib import Path
    import shared_by_all
    print(json.dumps({
        "pid": os.getpid(),
        "loaded by": shared_by_all.loaded_by,
        "parent": os.getppid(),
        "group": os.getpgid(0),
        "arguments": sys.argv[1:],
        "name": Path("/proc/self/cmdline").read_text().strip("\\0"),
        "open": sorted(
            name for name in os.listdir("/proc/self/fd")
            if int(name) > 2 and os.path.exists(f"/proc/self/fd/{name}")
            and os.readlink(f"/proc/self/fd/{name}").startswith(("socket:", "pipe:"))
        ),
    }), flush=True)
    while True:
        signal.pause()
"""
SHARED = (
    "import os\nloaded_by = 0\ndef load():\n    global loaded_by\n    loaded_by = os.getpid()\n"
)


@pytest.fixture
def modules(tmp_path, monkeypatch) -> dict[str, str]:
    """An environment in which the modules of these tests are found."""
    (tmp_path / "shared_by_all.py").write_text(SHARED)
    (tmp_path / "tells.py").write_text(textwrap.dedent(TELLS))
    return os.environ | {"PYTHONPATH": str(tmp_path)}


@pytest.fixture
def server(tmp_path, modules) -> Program:
    place = tmp_path / "fork.sock"
    command = [
        *(sys.executable, "-m", "config.launcher.fork_server", str(place)),
        "shared_by_all:load",
    ]
    return Program("fork server", command, modules, tmp_path / "fork-server.log")


@pytest.fixture
def program(tmp_path, modules) -> Program:
    command = [sys.executable, "-m", "tells", "--one", "two words"]
    place = tmp_path / "fork.sock"
    return Program("tells", command, modules, tmp_path / "tells.log", fork_server=place)


def told(program: Program, count: int = 1) -> dict:
    """What the last of so many starts told."""

    def lines() -> list[str]:
        return program.log.read_text().splitlines() if program.log.exists() else []

    wait_for(lambda: len(lines()) == count)
    return json.loads(lines()[-1])


def started(supervisor: Supervisor, server: Program) -> int:
    """The process id of the fork server, once it is ready."""
    supervisor.start(server)
    assert supervisor.wait_until(lambda: is_ready(Path(server.command[3])), 30)
    return supervisor.running(server.name)


def test_a_program_shares_what_was_loaded_and_is_the_supervisor_s_own(supervisor, server, program):
    forking = started(supervisor, server)
    supervisor.start(program)
    tells = told(program)
    assert tells["loaded by"] == forking
    assert tells["pid"] == supervisor.running("tells") == tells["group"]
    assert tells["parent"] == os.getpid()
    assert tells["arguments"] == ["--one", "two words"]
    assert tells["name"] == "kith tells"
    assert tells["open"] == []


def test_one_that_is_killed_is_said_so_and_forked_again(supervisor, said, server, program):
    forking = started(supervisor, server)
    supervisor.start(program)
    os.kill(told(program)["pid"], signal.SIGKILL)
    supervisor.wait_until(lambda: "tells started again" in said, 30)
    assert said[0].startswith("tells died (killed by SIGKILL), starting it again in 0.01 s")
    assert told(program, 2)["loaded by"] == forking


def test_it_outlives_the_fork_server_and_starts_by_itself_without_one(
    supervisor, said, server, program
):
    os.kill(started(supervisor, server), signal.SIGSTOP)
    os.kill(supervisor.running(server.name), signal.SIGKILL)
    supervisor.start(program)
    tells = told(program)
    assert tells["loaded by"] == 0
    supervisor.wait_until(lambda: "fork server started again" in said, 30)
    assert is_running(tells["pid"])
    assert supervisor.wait_until(lambda: is_ready(program.fork_server), 30)
    os.kill(tells["pid"], signal.SIGKILL)
    supervisor.wait_until(lambda: "tells started again" in said, 30)
    assert told(program, 2)["loaded by"] == supervisor.running(server.name)


def test_it_outlives_a_fork_server_that_is_stopped(supervisor, said, server, program):
    forking = started(supervisor, server)
    supervisor.start(program)
    pid = told(program)["pid"]
    supervisor.stop(server.name)
    assert not is_running(forking)
    assert supervisor.running(server.name) is None
    assert supervisor.running(program.name) == pid
    os.kill(pid, signal.SIGKILL)
    supervisor.wait_until(lambda: "tells started again" in said, 30)
    assert told(program, 2)["loaded by"] == 0
    assert not any("fork server" in line for line in said)


def test_all_end_with_the_supervisor(said, server, program):
    with Supervisor(said.append) as supervisor:
        forking = started(supervisor, server)
        supervisor.start(program)
        pid = told(program)["pid"]
    assert not is_running(pid)
    assert not is_running(forking)
    assert said == []


def test_nothing_runs_when_the_one_that_asked_is_gone(supervisor, server, program, tmp_path):
    """The new process waits for the word of the one that asked."""
    started(supervisor, server)
    log = tmp_path / "unwanted.log"
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking, log.open("wb") as file:
            asking.connect(str(program.fork_server))
            order = ["tells", [], "kith tells", int(signal.SIGTERM)]
            socket.send_fds(asking, [json.dumps(order).encode()], [file.fileno()])
            pid = int(asking.recv(32))
        assert os.waitpid(pid, 0)[0] == pid
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)
    assert log.read_bytes() == b""
    supervisor.start(program)
    assert told(program)["pid"] == supervisor.running("tells")
