"""Workers give way to web processes, as far as they are allowed to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from config.jobs import niceness

POOL_PROCESS = """
import django, gc, os
from pathlib import Path
from celery import signals
django.setup()
from config.jobs.signals import require_the_right_database
signals.worker_init.disconnect(require_the_right_database)
session = Path("/proc/self/autogroup")
before = os.nice(0)
signals.worker_init.send(None)
if os.fork():
    os.wait()
    os._exit(0)
signals.worker_process_init.send(None)
print(os.nice(0) - before, session.read_text().split()[-1] if session.exists() else "none")
print(gc.get_threshold()[0] >= 10_000, gc.get_freeze_count() > 0)
"""


# Without a session of its own, the process is a child of the session's first one.
IN_ANOTHER_ONE_S_SESSION = ("sh", "-c", '"$@"; exit $?', "sh")


def pool_process(*, is_leader: bool, **variables: str) -> list[str]:
    """How much nicer a process of the pool is, its session, and what it does about garbage."""
    told = subprocess.run(
        [*(() if is_leader else IN_ANOTHER_ONE_S_SESSION), sys.executable, "-c", POOL_PROCESS],
        cwd=django_settings.BASE_DIR,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
        # A session begins as nice as any. That of the tests may be the system's, which has no file.
        start_new_session=True,
    )
    return told.stdout.split()


HAS_SESSIONS = Path("/proc/self/autogroup").exists()


@pytest.mark.parametrize(("given", "niceness"), [("", "5"), ("0", "0"), ("11", "11")])
def test_a_process_of_the_pool_gives_way_and_seldom_looks_for_garbage(given, niceness):
    told = pool_process(is_leader=True, KITH_WORKER_NICENESS=given)
    assert told == [niceness, niceness if HAS_SESSIONS else "none", "True", "True"]


@pytest.mark.skipif(not HAS_SESSIONS, reason="processors are not shared out by session here")
def test_a_worker_leaves_the_session_of_who_started_it_alone():
    assert pool_process(is_leader=False)[:2] == ["5", "0"]


def test_a_worker_that_may_not_give_way_works_all_the_same(monkeypatch, tmp_path):
    def refuse(_by):
        raise PermissionError

    monkeypatch.setattr(os, "nice", refuse)
    monkeypatch.setattr(os, "getsid", lambda _pid: os.getpid())
    monkeypatch.setattr(niceness, "SESSION", tmp_path / "no" / "autogroup")
    niceness.give_way(5)
