"""What `./kith test` runs: ruff, mypy, the look for missing migrations, then pytest."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from config.launcher.guard import CHECKOUT
from config.launcher.instance import is_given
from config.launcher.servers import NAME as DATABASE
from config.launcher.spawning import spawn
from config.launcher.stack import MANAGE, StackError
from config.launcher.supervisor import Supervisor

# By the mark of the tests that need it: the names that a program goes by.
PROGRAMS = {
    "browser": ("chromium", "chromium-browser", "google-chrome"),
    "pgbouncer": ("pgbouncer",),
    "rabbitmq": ("rabbitmq-server",),
    "hosts": ("ip",),
}
# What only root may do, and not in every container.
MAKE_HOST = (
    *("unshare", "--net", "--uts", "--pid", "--fork"),
    *("ip", "link", "add", "kith0", "type", "bridge"),
)
# Debian's, in which ordinary users do not look; its command of the name insists on being root.
FOLDERS = ("/usr/lib/rabbitmq/bin", os.environ.get("PATH", os.defpath), "/usr/sbin")
PYTHON_MODULE = (sys.executable, "-m")
CHECKS = (
    ("ruff check", (*PYTHON_MODULE, "ruff", "check", ".")),
    ("ruff format", (*PYTHON_MODULE, "ruff", "format", "--check", ".")),
    ("mypy", (*PYTHON_MODULE, "mypy")),
    ("migrations", (*MANAGE, "makemigrations", "--check", "--dry-run")),
)
PYTEST = (*PYTHON_MODULE, "pytest")
# Each process waits for servers a third of its time, so that three keep two processors busy.
EVERYTHING = ("--cov", "--cov-branch", "-n", "3", "--dist", "worksteal")


def run_checks(
    supervisor: Supervisor, environment: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Run all of them up to the first that fails; its exit code, or 0. Raises StackError."""
    if is_given("DATABASE_URL"):
        return run_tools(supervisor, environment, say) or run_pytest(
            supervisor, environment, say, EVERYTHING
        )
    # Mypy works on one processor for as long as this does on the other.
    with migrated_database(supervisor, environment) as check_migrated:
        if code := run_tools(supervisor, environment, say):
            return code
        check_migrated()
    # Each process of pytest copies it, which takes less than migrating one of its own.
    return run_pytest(supervisor, {**environment, "TEST_TEMPLATE": DATABASE}, say, EVERYTHING)


def run_tools(
    supervisor: Supervisor, environment: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Run `CHECKS` up to the first that fails; its exit code, or 0."""
    for name, command in CHECKS:
        say(name)
        if code := supervisor.foreground(command, environment, CHECKOUT):
            return code
    return 0


@contextmanager
def migrated_database(
    supervisor: Supervisor, environment: Mapping[str, str]
) -> Iterator[Callable[[], None]]:
    """Migrate the database beside what the block does.

    Gives a function that waits for the end and raises StackError unless it was a good one.
    """
    process = spawn(
        (*MANAGE, "migrate", "--no-input"),
        environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )

    def check() -> None:
        supervisor.wait_until(lambda: process.poll() is not None, float("inf"))
        if process.returncode:
            raise StackError("the database could not be prepared; the reason stands above")

    try:
        yield check
    finally:
        process.kill()
        process.wait()


def run_pytest(
    supervisor: Supervisor,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    arguments: Sequence[str],
) -> int:
    """Run pytest without the tests for which a program is missing; its exit code."""
    say("pytest")
    return supervisor.foreground([*PYTEST, *arguments, *_what_can_run(say)], environment, CHECKOUT)


def program_for(mark: str) -> str | None:
    """The path of the program that tests with this mark need; None where it is missing."""
    folders = os.pathsep.join(FOLDERS)
    return next(filter(None, (shutil.which(name, path=folders) for name in PROGRAMS[mark])), None)


def _may_make_hosts() -> bool:
    """Whether there may be namespaces, for hosts within this one."""
    try:
        return subprocess.run(MAKE_HOST, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _what_can_run(say: Callable[[str], None]) -> tuple[str, ...]:
    """Arguments that leave out tests that cannot run here; it is told which."""
    missing = [mark for mark in PROGRAMS if program_for(mark) is None]
    if "hosts" not in missing and not _may_make_hosts():
        missing.append("hosts")
    # It copies the server that is started for the tests.
    if is_given("DATABASE_URL"):
        missing.append("replica")
    if not missing:
        return ()
    say(f"tests are left out for want of a program, server or right: {', '.join(missing)}")
    return ("-m", " and ".join(f"not {mark}" for mark in missing))
