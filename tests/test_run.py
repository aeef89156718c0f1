"""`./kith run`: one program with servers of one's own, as systemd or a container starts it."""

import subprocess
import sys

import pytest

from config.launcher import __main__ as launcher
from config.launcher.guard import CHECKOUT
from config.launcher.stack import Address
from tests.served import answers, wait_until
from tests.servers import free_port
from tests.workers import environment

RUN = (sys.executable, "-m", "config.launcher", "run")


@pytest.mark.django_db(transaction=True)
@pytest.mark.no_cover
def test_the_process_becomes_the_web_server_and_ends_cleanly(own_queue, tmp_path):
    address = Address("127.0.0.1", free_port())
    process = subprocess.Popen(
        [*RUN, "web", "--port", str(address.port)],
        cwd=CHECKOUT,
        env=environment(own_queue, tmp_path) | {"KITH_WEB_WORKERS": "1"},
    )
    try:
        wait_until(lambda: answers(address), 60)
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_it_starts_no_servers(monkeypatch, capfd):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert launcher.main(["run", "worker"]) == 1
    assert "set DATABASE_URL and REDIS_URL" in capfd.readouterr().err


def test_another_program_is_refused(capfd):
    with pytest.raises(SystemExit):
        launcher.main(["run", "postgres"])
    assert "invalid choice" in capfd.readouterr().err
