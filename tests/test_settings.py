"""Every setting with a bad value stops the start in one line that names it."""

import base64
import json
import os
import re
import subprocess
import sys

import pytest

from config.launcher.guard import CHECKOUT

KEY = base64.b64encode(bytes(32)).decode()
GOOD = {
    "DATABASE_URL": "postgresql://kith@/kith?host=/nowhere",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "KITH_SECRET_KEY": "x" * 60,
    "KITH_ENCRYPTION_KEYS": f"k1:{KEY}",
    "KITH_BLIND_INDEX_KEY": KEY,
}
# Texts that may be anything, for nothing can tell a wrong one from a right one.
FREE = {
    "KITH_DATA",
    "KITH_SECRET_KEY",
    "KITH_ALLOWED_HOSTS",
    "KITH_QUEUE",
    "KITH_S3_BUCKET",
    "KITH_S3_REGION",
    "KITH_S3_ACCESS_KEY",
    "KITH_S3_SECRET_KEY",
}
READ = re.compile(r'env\.(\w+)\(\s*"([A-Z0-9_]+)"')
BAD = {
    "integer": ["x", "-1", "9" * 30, "1.5"],
    "flag": ["maybe", "2"],
    "choice": ["LOUD"],
    "bearer": ["topsecret", "a topsecret that has blanks"],
}


def settings_read() -> list[tuple[str, str]]:
    """The readers and names of all settings, as the settings module calls them."""
    text = (CHECKOUT / "config/settings.py").read_text()
    found = {name: reader for reader, name in READ.findall(text)}
    return sorted((name, reader) for name, reader in found.items() if name not in FREE)


CASES = [
    (name, value)
    for name, reader in settings_read()
    for value in BAD.get(reader, ["nonsense://user:topsecret@x y"])
]
# What every one of them may be given as, too: a file that is not there, is empty or no text.
FILES = {"missing": None, "empty": b"\n", "no text": b"topsecret\xff"}
# All cases in one process: a start takes a second.
TRY_ALL = """
import importlib, json, os, sys
import django.core.exceptions
cases, good = json.load(sys.stdin)
for name, value in cases:
    os.environ.clear()
    os.environ.update(good, KITH_S3_BUCKET="bucket", **{name: value} if name not in good else {})
    if name.endswith("_FILE"):
        os.environ.pop(name.removesuffix("_FILE"), None)
    os.environ[name] = value
    for module in ("config.settings", "config.env"):
        sys.modules.pop(module, None)
    try:
        importlib.import_module("config.settings")
        said = "accepted"
    except django.core.exceptions.ImproperlyConfigured as error:
        said = str(error)
    except Exception as error:
        said = "a traceback: " + repr(error)
    print(json.dumps([name, value, said]))
"""


def test_every_setting_is_read_by_a_typed_reader_and_refuses_what_it_cannot_be(tmp_path):
    for name, content in FILES.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    named = {name for _, name in READ.findall((CHECKOUT / "config/settings.py").read_text())}
    cases = CASES + [
        (f"{name}_FILE", str(tmp_path / file)) for name in sorted(named) for file in FILES
    ]
    assert len(CASES) > 30
    done = subprocess.run(
        [sys.executable, "-c", TRY_ALL],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"]},
        input=json.dumps([cases, GOOD]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(cases)
    wrong = [answer for answer in answers if answer[0] not in answer[2] or "topsecret" in answer[2]]
    assert wrong == []


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["manage.py", "migrate"],
        ["-m", "config.server", "config.asgi:application"],
    ],
)
def test_a_program_tells_a_bad_setting_in_one_line(command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **GOOD, "KITH_JOB_SECONDS": "soon"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "kith: KITH_JOB_SECONDS must be a whole number, not 'soon'\n"


def test_a_distributed_database_does_not_go_with_row_level_security():
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=CHECKOUT,
        env={
            "PATH": os.environ["PATH"],
            **GOOD,
            "KITH_DISTRIBUTED": "1",
            "KITH_ROW_SECURITY": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "kith: KITH_DISTRIBUTED and KITH_ROW_SECURITY cannot both be on: no engine was tried with"
        " both.\n"
    )
