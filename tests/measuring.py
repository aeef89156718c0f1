"""What coverage is measured of: what tests call, and not what they need before and after.

Each line that runs while coverage watches takes twice the time, in the product as in all packages.
What fixtures make is made by the product, too, where a test has it for its subject. What each
process runs once is measured in the first alone: the imports, and what the first test's set-up
makes for all tests, such as the API's document.
"""

import os
import posix
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import pytest
from coverage import Coverage, collector, control

HAS_BEGUN = pytest.StashKey[bool]()


def is_first_process() -> bool:
    """Whether this is the first of those that run tests side by side, or the only one."""
    return os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"


apply_patches = control.apply_patches
# By process id. Where no processes run side by side, coverage began before this module.
patched = {os.getpid()} if Coverage.current() else set()


def patch_once(*args: object, **options: object) -> None:
    """Coverage patches what forks a process each time it goes on, and each patch begins anew.

    With 60 of them a child takes two seconds of processor time before it does anything.
    """
    if os.getpid() not in patched:
        patched.add(os.getpid())
        apply_patches(*args, **options)


control.apply_patches = patch_once


@contextmanager
def unmeasured(config: pytest.Config) -> Iterator[None]:
    """While it is entered, nothing is measured."""
    plugin = config.pluginmanager.getplugin("_cov")
    controller = plugin.cov_controller if plugin is not None else None
    if controller is None or not controller.started:
        yield
        return
    controller.pause()
    try:
        yield
    finally:
        controller.resume()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    is_for_all = is_first_process() and HAS_BEGUN not in item.session.stash
    item.session.stash[HAS_BEGUN] = True
    with nullcontext() if is_for_all else unmeasured(item.config):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    with unmeasured(item.config):
        return (yield)


@pytest.fixture
def library(request) -> Callable[[], AbstractContextManager[None]]:
    """What is entered while libraries alone have much to do in the middle of a test."""
    return partial(unmeasured, request.config)


@pytest.fixture(autouse=True)
def measured_forks(request, monkeypatch) -> None:
    """Forked processes are measured in tests marked `covers_forks` alone."""
    # Where coverage has a function of its own, with which each child would save all that its parent
    # has measured so far.
    monkeypatch.setattr(os, "_exit", posix._exit)
    # A text for coverage's own debugging, for which a child looks through all modules: 20 seconds.
    monkeypatch.setattr(collector, "short_stack", lambda: "")
    if request.node.get_closest_marker("covers_forks") is None:
        # A child asks for it, to go on with what its parent does.
        monkeypatch.setattr(Coverage, "current", lambda: sys.settrace(None))
