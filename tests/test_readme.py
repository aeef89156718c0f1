"""The README keeps its word: its tour is the one that runs, its table has every setting."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pkgutil import resolve_name

import pytest
from django.core.management import call_command, get_commands
from django.test import Client as Browser

from config.launcher.guard import CHECKOUT
from config.openapi import story
from customers.models import BusinessAccount
from customers.services.tokens import exchange_key
from tests import bulk
from tests.factories import PASSWORD

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
# What programs tell each other, and nobody sets by hand.
BETWEEN_PROGRAMS = {"KITH_CALLER_DIRECTORY"}


def shell_blocks(text: str) -> list[str]:
    return re.findall(r"```bash\n(.*?)```", text, re.DOTALL)


def test_the_tour_is_the_beginning_of_the_guide():
    """Whose lines `test_openapi` runs."""
    assert shell_blocks(README)
    tour = shell_blocks(README)
    assert tour
    assert tour == shell_blocks(story.told())[: len(tour)]


def test_every_setting_that_is_read_is_in_the_configuration_table():
    settings = (CHECKOUT / "config/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', settings))
    for path in (CHECKOUT / "config/launcher").glob("*.py"):
        read |= set(re.findall(r'"(KITH_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    documented = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", README))
    assert read - BETWEEN_PROGRAMS <= documented


def test_every_setting_in_the_configuration_table_is_read():
    table = README.split("## Configuration")[1].split("## How it is built")[0]
    named = set(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)) - {"variable", "---"}
    variables = {name for cell in named for name in re.findall(r"`([A-Z_0-9]+)`", cell)}
    code = [CHECKOUT / "config/settings.py", CHECKOUT / "kith"]
    code += (CHECKOUT / "config/launcher").glob("*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in code)
    assert {name for name in variables if name not in text} == set()


def test_the_two_commands_are_shown():
    assert "./kith up" in README
    assert "./kith test" in README


# --- Your first real account ----------------------------------------------------------------------


def shell_lines(block: str) -> list[str]:
    """The commands of a block, each on one line."""
    return block.replace("\\\n", " ").strip().splitlines()


def run_manage(line: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a line of the README that runs a management command prints."""
    before, _, command = line.rpartition("./kith manage ")
    assert before in {"", 'echo "$PASSWORD" | '}
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n" if before else ""))
    said = io.StringIO()
    call_command(*shlex.split(command), stdout=said)
    told: dict[str, str] = json.loads(said.getvalue())
    return told


@pytest.mark.django_db(transaction=True)
def test_the_first_real_account_is_made_as_it_is_told(
    live_server, monkeypatch, storage, tmp_path, settings
):
    settings.PUBLIC_URL = live_server.url
    section = README.split("## Your first real account")[1].split("\n## ")[0]
    commands, load = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    *_, person, key = [run_manage(line, monkeypatch) for line in shell_lines(commands)]
    assert {each.name for each in BusinessAccount.objects.all()} == {"My Bank", "My Bank Cards"}
    browser = Browser()
    form = {"username": "ada@mybank.example", "password": PASSWORD}
    assert browser.post("/admin/login/", form).status_code == 302
    assert browser.session["_auth_user_id"] == person["id"]
    token = exchange_key(key=key["key"], secret=key["secret"])
    # The key above has no scope to load.
    scoped = run_manage(
        './kith manage create_api_key --business-account "My Bank" --scope bulk.write', monkeypatch
    )
    answer = Browser().get("/v1/customers", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200

    # As spreadsheets write it, the second row without what it needs.
    (tmp_path / "customers.csv").write_text(
        "externalId,firstName,email,zipCode,countryCode\nC-1,Ada,ada@mail.example,N1 9GU,GBR\n"
        "C-2,Grace,grace@mail.example,94105,Utopia\n"
    )
    environ = {
        "TOKEN": exchange_key(key=scoped["key"], secret=scoped["secret"]),
        "KITH_URL": live_server.url,
        "no_proxy": "*",
    }
    send, fetch = shell_lines(load)

    def curl(line: str) -> str:
        return subprocess.run(
            ["bash", "-c", line],
            env=os.environ | environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    environ["REQUEST"] = json.loads(curl(send))["requestId"]
    bulk.run(environ["REQUEST"])
    failed = curl(fetch).removeprefix("\ufeff").splitlines()
    assert failed[0].startswith("externalId,firstName,email,zipCode,countryCode,")
    assert [line.partition(",")[0] for line in failed[1:]] == ["C-2"], failed


# --- What it names --------------------------------------------------------------------------------


def code_spans() -> list[str]:
    """What stands in backticks, outside of blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))


def test_every_command_that_is_named_is_there():
    known = subprocess.run([CHECKOUT / "kith", "help"], capture_output=True, text=True, check=True)
    words = set(re.findall(r"^  ([a-z|]+) ", known.stdout, re.MULTILINE))
    named = set(re.findall(r"(?:\./|kith/)kith ([a-z]+)", README))
    assert {"up", "test", "manage", "chaos"} <= named
    assert named <= {word for each in words for word in each.split("|")}
    managed = set(re.findall(r"(?:kith manage|manage\.py) ([a-z_]+)", README))
    assert {"create_api_key", "check_isolation", "migrate"} <= managed
    assert managed <= get_commands().keys()


def test_every_benchmark_that_is_named_is_there():
    named = set(re.findall(r"\./kith bench ([a-z_]+)", README))
    assert "bulk" in named
    assert {name for name in named if find_spec(f"tests.benchmarks.{name}") is None} == set()


def test_every_promise_has_something_that_shows_it():
    """That it is there, the tests around this one look at."""
    section = README.split("## Promises")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", section, re.MULTILINE)[2:]
    assert len(rows) > 10
    unshown = [
        promise for promise, shown in rows if not re.search(r"`(?:\./kith |tests/test_)", shown)
    ]
    assert unshown == []


def test_every_file_folder_and_module_that_is_named_is_there():
    """Those of the architecture by their last words, for they stand below the name of an app."""
    roots = {path.name for path in CHECKOUT.iterdir()} - {"var", ".venv"}
    there = [
        f"/{path.relative_to(CHECKOUT)}"
        for root in roots
        for path in [CHECKOUT / root, *(CHECKOUT / root).rglob("*")]
    ]
    spans = [each.strip("/") for each in code_spans() if re.fullmatch(r"[\w.]+(/[\w.]+)*/?", each)]
    named = {each for each in spans if each.endswith(".py") or each.split("/")[0] in roots}
    named |= set(re.findall(r"\]\((\.[\w./-]+)\)", README))
    assert {"config/api/access.py", "merge.py", ".screenshots/docs.png"} <= named
    assert {each for each in named if not any(path.endswith(f"/{each}") for path in there)} == set()
    objects = [each for each in code_spans() if re.fullmatch(r"(?:config|tests)(\.\w+)+", each)]
    assert objects
    assert [each for each in objects if resolve_name(each) is None] == []


@pytest.mark.django_db
def test_every_link_of_the_landing_page_answers():
    browser = Browser()
    text = browser.get("/").content.decode()
    addresses = set(re.findall(r'(?:href|src)="([^"]+)"', text))
    assert {"/admin/", "/docs", "/schema", "/readyz"} <= addresses
    for address in addresses:
        answer = browser.get(address, follow=True)
        # No worker runs here.
        assert answer.status_code == 200 or address == "/readyz", address
