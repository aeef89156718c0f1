"""Clients that are generated from the document: they type-check, and what they ask for happens."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import factories, node
from tests.documented import document
from tests.served import web
from tests.workers import worker

HERE = Path(__file__).parent / "openapi"
PYTHON = Path(sys.executable)
# No generator knows types for files; of these one is made known by `client.yaml`.
FILE_TYPES = ["application/ndjson", "application/jsonl", "text/csv", "application/gzip"]


def run(*command, cwd):
    """What a program prints; it has to succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": f"{PYTHON.parent}:/usr/bin:/bin", "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the document, the Python client, and the program that uses it."""
    path = tmp_path_factory.mktemp("client")
    (path / "kith.json").write_text(json.dumps(document()))
    generator = [PYTHON.parent / "openapi-python-client", "generate", "--path", "kith.json"]
    options = ["--config", HERE / "client.yaml", "--meta", "none", "--output-path", "kith_client"]
    said = run(*generator, *options, cwd=path)
    (path / "said.txt").write_text(said)
    shutil.copy(HERE / "program.py", path)
    return path


def test_the_generator_leaves_out_nothing_but_other_types_of_files(folder):
    said = (folder / "said.txt").read_text()
    about = [line for line in said.splitlines() if line.startswith(("WARNING", "Unsupported"))]
    assert about == [
        line
        for kind in FILE_TYPES
        for line in (
            "WARNING parsing POST /v2/data/files within bulk_loads.",
            f"Unsupported content type {kind}",
        )
    ]


def test_the_python_client_and_a_program_of_it_type_check(folder):
    options = ["--config-file", HERE / "mypy.ini", "--cache-dir", folder / ".mypy_cache"]
    run(PYTHON, "-m", "mypy", *options, "program.py", "kith_client", cwd=folder)


@pytest.mark.django_db(transaction=True)
def test_the_python_client_does_all_that_there_is_to_do(folder, account, own_queue, tmp_path):
    key = factories.make_api_key(account)
    with worker(own_queue, tmp_path), web(own_queue, tmp_path) as address:
        said = run(PYTHON, "program.py", address.url, key.id, key.secret, cwd=folder)
    assert said == "done\n"


def test_the_types_for_typescript_and_a_program_of_them_type_check(folder):
    node.run("openapi-typescript", folder / "kith.json", "--output", folder / "kith.d.ts")
    shutil.copy(HERE / "program.ts", folder)
    shutil.copy(HERE / "tsconfig.json", folder)
    node.run("tsc", "--project", folder / "tsconfig.json")
