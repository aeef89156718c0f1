"""A backup of a running registry, put back into an empty one, is that registry."""

import json
import os
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.backup import archive, database, keys
from config.backup.database import address
from config.launcher.guard import CHECKOUT
from config.launcher.instance import SECRET_NAMES
from search.isolation import make_finished_search
from tests.customers import ADA, HOME, create
from tests.served import web
from tests.storage import little_space
from tests.workers import environment

COPY = 'COPY (SELECT line.* FROM {} line ORDER BY line::text COLLATE "C") TO STDOUT'
# Of partitions the restored database may have made the next one meanwhile.
TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace"""
PASSPHRASE = "nine golden owls over Ghent"
SOCIAL_ID = "078-05-1120"
OTHER_KEY = f"k1:{'QUFB' * 10}QUE="


@pytest.fixture
def registry(transactional_db, owner, confidant, storage):
    """A registry with customers, one of them with a secret, a search and its file."""
    create(owner, ADA, externalId="A-1", addresses=[HOME])
    secret = create(confidant, ADA, socialId=SOCIAL_ID, socialIdCountryCode="USA")
    search = make_finished_search(owner.actor, b"id\r\nA-1\r\n")
    return secret, search


@pytest.fixture
def backup(registry, tmp_path_factory):
    """A backup with files, as the command writes it while others read and write."""
    path = tmp_path_factory.mktemp("backup") / "kith.backup"
    call_command("backup", path, files=True)
    return path


@pytest.fixture
def empty(transactional_db):
    """The name of an empty database on the same server."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with server() as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        session.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield name
    with server() as session:
        session.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def server(name="postgres"):
    """A session of another database of the server."""
    with psycopg.connect(address(), dbname=name, autocommit=True) as session:
        yield session


def variables(name, queue, data, **others):
    """The environment of a registry on that database."""
    found = environment(queue, data)
    own = connection.settings_dict["NAME"]
    return found | {"DATABASE_URL": found["DATABASE_URL"].replace(own, name)} | others


def restore(path, given, *, code=0):
    """What the command says."""
    command = [sys.executable, "manage.py", "restore", str(path)]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def tables_of(name):
    """The rows of every table."""
    with server(name) as session:
        names = [table for (table,) in session.execute(TABLES).fetchall()]
        found = {}
        for table in names:
            with session.cursor().copy(COPY.format(table)) as rows:
                found[table] = b"".join(rows)
    return found


def get(url, token):
    with urlopen(Request(url, headers={"Authorization": f"Bearer {token}"}), timeout=30) as answer:
        return answer.read()


def changed(path, name, content):
    """The same archive with another member of this name."""
    other = path.with_name("changed.backup")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(other, "w") as after:
        for member in before.namelist():
            after.writestr(member, content if member == name else before.read(member))
    return other


# --- There and back -------------------------------------------------------------------------------


def test_every_table_and_what_the_api_tells_of_them_is_there_again(
    registry, backup, empty, own_queue, tmp_path_factory, owner, confidant
):
    secret, search = registry
    search.refresh_from_db()
    data = tmp_path_factory.mktemp("restored")
    restore(backup, variables(empty, own_queue, data))

    before, after = tables_of(connection.settings_dict["NAME"]), tables_of(empty)
    assert after.keys() == before.keys()
    assert [table for table in before if after[table] != before[table]] == []
    assert before["customers_customer"].count(b"\n") == 2
    stored = data / "results" / search.storage_name
    assert stored.read_bytes() == b"id\r\nA-1\r\n"
    url = variables(empty, own_queue, data)["DATABASE_URL"]
    with web(own_queue, data, DATABASE_URL=url) as there:
        one = f"/v1/customers/{secret['id']}"
        told = json.loads(get(f"{there.url}{one}", confidant.token))
        assert told == confidant.api.get(one).json()
        assert told["socialId"] == SOCIAL_ID
        listed = json.loads(get(f"{there.url}/v1/customers?search=lovelace", owner.token))
        assert listed == owner.api.get("/v1/customers?search=lovelace").json()


def test_without_files_there_are_none_and_keys_are_never_in_it_by_themselves(registry, tmp_path):
    path = tmp_path / "kith.backup"
    call_command("backup", path)
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as made:
        assert sorted(made.namelist()) == ["database.dump", "manifest.json"]
        manifest = json.loads(made.read("manifest.json"))
    assert manifest["files"] is None
    assert "KITH_BLIND_INDEX_KEY" in manifest["facts"]
    given = environment("any", tmp_path)
    content = path.read_bytes()
    for name in SECRET_NAMES:
        assert given[name].rpartition(":")[2].encode() not in content


def test_a_file_that_is_there_already_stays(registry, tmp_path):
    path = tmp_path / "kith.backup"
    path.write_text("something else")
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", path)
    assert path.read_text() == "something else"
    assert list(tmp_path.glob("*.part")) == []


def test_of_a_backup_that_breaks_off_nothing_is_left(registry, tmp_path, monkeypatch):
    # A program that stops in the middle, in place of PostgreSQL's.
    broken = tmp_path / "pg_dump"
    broken.write_text("#!/bin/sh\necho '(PostgreSQL) 18'; echo 'error: cut' >&2; exit 1\n")
    broken.chmod(0o700)
    monkeypatch.setattr(database, "tool", lambda _name: str(broken))
    with pytest.raises(CommandError, match="pg_dump could not read the database: error: cut"):
        call_command("backup", tmp_path / "kith.backup")
    assert not list(tmp_path.glob("kith.backup*"))


def test_what_cannot_be_written_is_told(registry, tmp_path):
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("backup", tmp_path / "nowhere" / "kith.backup")
    with little_space(50_000), pytest.raises(CommandError, match="cannot be written: File too"):
        call_command("backup", tmp_path / "kith.backup")
    assert not list(tmp_path.glob("kith*"))


# --- What is refused ------------------------------------------------------------------------------


def test_other_keys_are_refused_and_nothing_is_changed(backup, empty, own_queue, tmp_path):
    given = variables(empty, own_queue, tmp_path, KITH_ENCRYPTION_KEYS=OTHER_KEY)
    said = restore(backup, given, code=1)
    assert "the key 'k1' in KITH_ENCRYPTION_KEYS is not the 'k1' that this database uses" in said
    assert tables_of(empty) == {}


def test_a_backup_of_a_newer_release_is_refused(backup, empty, own_queue, tmp_path):
    with zipfile.ZipFile(backup) as made:
        manifest = json.loads(made.read("manifest.json"))
    manifest |= {"release": "9.9", "migrations": [["customers", "9999_of_tomorrow"]]}
    path = changed(backup, "manifest.json", json.dumps(manifest))
    said = restore(path, variables(empty, own_queue, tmp_path), code=1)
    assert "made by Kith 9.9, which is newer" in said
    assert "customers.9999_of_tomorrow" in said
    assert tables_of(empty) == {}


def test_a_format_of_tomorrow_is_refused(backup, empty, own_queue, tmp_path):
    path = changed(backup, "manifest.json", json.dumps({"format": 2, "release": "9.9"}))
    said = restore(path, variables(empty, own_queue, tmp_path), code=1)
    assert "made by Kith 9.9, in a format" in said


def test_a_database_that_has_tables_is_left_alone(backup, empty, own_queue, tmp_path):
    with server(empty) as session:
        session.execute("CREATE TABLE precious AS SELECT 1 AS one")
    said = restore(backup, variables(empty, own_queue, tmp_path), code=1)
    assert "has tables already" in said
    assert tables_of(empty) == {"precious": b"1\n"}


@pytest.mark.parametrize("where", ["in the dump", "at its end", "no manifest"])
def test_a_damaged_backup_leaves_the_database_empty(where, backup, empty, own_queue, tmp_path):
    with zipfile.ZipFile(backup) as made:
        dump = made.read("database.dump")
    if where == "no manifest":
        path = tmp_path / "half.backup"
        path.write_bytes(backup.read_bytes()[: len(dump) // 2])
    elif where == "at its end":
        path = changed(backup, "database.dump", dump[:-1000])
    else:
        middle = len(dump) // 2
        path = changed(backup, "database.dump", dump[:middle] + bytes(50) + dump[middle + 50 :])
    said = restore(path, variables(empty, own_queue, tmp_path), code=1)
    assert "CommandError" in said
    assert tables_of(empty) == {}


# --- Keys -----------------------------------------------------------------------------------------


def test_keys_come_back_by_their_passphrase_alone(tmp_path):
    given = {"KITH_SECRET_KEY": "abc", "KITH_ENCRYPTION_KEYS": "k1:def"}
    sealed = keys.sealed(given, PASSPHRASE)
    assert b"abc" not in sealed
    assert keys.opened(sealed, PASSPHRASE) == given
    with pytest.raises(keys.KeysError, match="not the passphrase"):
        keys.opened(sealed, "another long passphrase")
    with pytest.raises(keys.KeysError, match="cannot be read"):
        keys.opened(b"{}", PASSPHRASE)
    costly = json.loads(sealed) | {"n": 2**30}
    with pytest.raises(keys.KeysError, match="not known here"):
        keys.opened(json.dumps(costly).encode(), PASSPHRASE)


def test_a_short_passphrase_is_refused(registry, tmp_path, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "short")
    with pytest.raises(CommandError, match="at least 12 characters"):
        call_command("backup", tmp_path / "kith.backup", keys=True)
    assert not list(tmp_path.glob("kith.backup*"))


def test_a_backup_without_keys_says_so(tmp_path, registry):
    path = tmp_path / "kith.backup"
    call_command("backup", path)
    with pytest.raises(keys.KeysError, match="made without --keys"):
        keys.keys_in(path, PASSPHRASE)
    with pytest.raises(keys.KeysError, match="cannot be read as a backup"):
        keys.keys_in(Path(__file__), PASSPHRASE)


# --- From one data directory to another -----------------------------------------------------------


@pytest.mark.long
def test_a_registry_moves_to_another_machine_with_its_keys(tmp_path, monkeypatch):
    """With row-level security, which is in place where it was restored."""
    monkeypatch.setenv("KITH_ROW_SECURITY", "1")
    old, new, path = tmp_path / "old", tmp_path / "new", tmp_path / "kith.backup"
    made = json.loads(kith(old, "manage", "create_business_account", "Moved Bank"))
    kith(old, "backup", path, "--keys", "--passphrase-stdin", typed=PASSPHRASE)

    assert "is missing" in kith(new, "restore", path, code=1)
    wrong = kith(new, "restore", path, "--keys", "--passphrase-stdin", typed="x" * 12, code=1)
    assert "not the passphrase" in wrong
    said = kith(new, "restore", path, "--keys", "--passphrase-stdin", typed=PASSPHRASE)
    assert "restored what Kith" in said
    assert (new / "secrets.env").read_text() == (old / "secrets.env").read_text()
    assert (new / "secrets.env").stat().st_mode & 0o777 == 0o600
    find = f"from customers.models import *; print(BusinessAccount.objects.get(pk='{made['id']}'))"
    assert "Moved Bank" in kith(new, "manage", "shell", "--no-imports", "-c", find)
    assert "web and worker see the rows of" in kith(new, "manage", "row_security", "--check")
    assert "has tables already" in kith(new, "restore", path, code=1)
    (new / "secrets.env").write_text((old / "secrets.env").read_text().replace("k1:", "k2:"))
    again = kith(new, "restore", path, "--keys", "--passphrase-stdin", typed=PASSPHRASE, code=1)
    assert "other keys than the backup" in again


def kith(data, *arguments, typed="", code=0):
    """What `./kith` says with this data directory: its output, or why it failed."""
    own = ("KITH_", "DATABASE_URL", "REDIS_URL", "PG")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "KITH_ROW_SECURITY" or not name.startswith(own)
    }
    done = subprocess.run(
        [sys.executable, "-m", "config.launcher", *map(str, arguments)],
        cwd=CHECKOUT,
        env=kept | {"KITH_DATA": str(data)},
        input=f"{typed}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def test_an_archive_is_read_in_pieces(tmp_path):
    path = tmp_path / "kith.backup"
    with archive.writing(path) as writer:
        size, _ = writer.add("a", (b"x" * 1000 for _ in range(3000)), lambda _size: None)
    assert size == 3_000_000
    with pytest.raises(archive.BackupError, match="no whole backup"), archive.reading(path):
        pass
