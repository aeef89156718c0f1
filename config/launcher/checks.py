"""What `./kith test` runs: ruff, mypy, the look for missing migrations, then pytest."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from config.launcher.guard import CHECKOUT
from config.launcher.instance import is_given
from config.launcher.programs import die_with_parent
from config.launcher.servers import NAME as DATABASE
from config.launcher.stack import MANAGE, StackError
from config.launcher.supervisor import Supervisor

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
PYTHON_MODULE = (sys.executable, "-m")
CHECKS = (
    ("ruff check", (*PYTHON_MODULE, "ruff", "check", ".")),
    ("ruff format", (*PYTHON_MODULE, "ruff", "format", "--check", ".")),
    ("mypy", (*PYTHON_MODULE, "mypy")),
    ("migrations", (*MANAGE, "makemigrations", "--check", "--dry-run")),
)
PYTEST = (*PYTHON_MODULE, "pytest")
EVERYTHING = ("--cov", "--cov-branch", "-n", "2", "--dist", "worksteal")


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
    process = subprocess.Popen(
        [*MANAGE, "migrate", "--no-input"],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - this process has one thread
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


def _what_can_run(say: Callable[[str], None]) -> tuple[str, ...]:
    """Arguments that leave out tests for which a program is missing; it is told."""
    if any(map(shutil.which, CHROMIUM_NAMES)):
        return ()
    say("no Chromium found: browser tests are left out")
    return ("-m", "not browser")
