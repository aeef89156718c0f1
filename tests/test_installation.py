"""A database is served by the release and with the keys that it belongs to, and by no other."""

import base64
import os
import secrets
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config import health, installation
from config.db.crypto import associated_data, seal
from config.launcher.guard import CHECKOUT
from config.models import InstallationFact
from customers.models import Contact
from tests import factories

pytestmark = pytest.mark.django_db
VERSION = django_settings.VERSION


def make_secretive_customer(account) -> Contact:
    """A customer with a sealed value."""
    contact = Contact.objects.get(customer=factories.make_customer(account))
    sealed = seal("123-45-6789", associated_data(Contact, "social_id_sealed", contact.id))
    Contact.objects.filter(pk=contact.pk).update(social_id_sealed=sealed)
    return Contact.objects.get(pk=contact.pk)


def new_key() -> bytes:
    return secrets.token_bytes(32)


def kept() -> dict[str, str]:
    """What the database says."""
    return dict(InstallationFact.objects.values_list("name", "value"))


def test_a_migrated_database_keeps_fingerprints_and_the_release(settings):
    facts = kept()
    assert facts["release"] == settings.VERSION
    assert set(facts) == {"release", "KITH_BLIND_INDEX_KEY", "KITH_ENCRYPTION_KEYS:k1"}
    assert installation.problems() == []


def test_a_fingerprint_does_not_hold_the_key():
    key = new_key()
    told = installation.fingerprint(key)
    assert len(told) == 32
    assert key.hex()[:8] not in told
    assert told == installation.fingerprint(key) != installation.fingerprint(new_key())


def test_a_key_of_the_same_name_and_other_content_is_refused(settings):
    settings.ENCRYPTION_KEYS = {"k1": new_key()}
    with pytest.raises(ImproperlyConfigured, match="the key 'k1' in KITH_ENCRYPTION_KEYS is not"):
        installation.require()


def test_a_missing_key_is_named_with_the_place_where_it_is_looked_for(settings):
    settings.ENCRYPTION_KEYS = {"k2": new_key()}
    before = kept()
    with pytest.raises(ImproperlyConfigured, match=r"lacks the key 'k1'.*secrets\.env.*KITH_DATA"):
        installation.require()
    assert kept() == before


def test_another_blind_index_key_is_refused(settings):
    settings.BLIND_INDEX_KEY = new_key()
    with pytest.raises(ImproperlyConfigured, match="KITH_BLIND_INDEX_KEY is not the key"):
        installation.require()


def test_a_new_key_is_taken_up_and_the_old_one_needed_until_the_rotation(account, settings):
    make_secretive_customer(account)
    old, new = settings.ENCRYPTION_KEYS["k1"], new_key()
    settings.ENCRYPTION_KEYS = {"k2": new, "k1": old}
    installation.require()
    assert {"KITH_ENCRYPTION_KEYS:k1", "KITH_ENCRYPTION_KEYS:k2"} <= kept().keys()

    settings.ENCRYPTION_KEYS = {"k2": new}
    assert any("lacks the key 'k1'" in problem for problem in installation.problems())

    settings.ENCRYPTION_KEYS = {"k2": new, "k1": old}
    call_command("rotate_encryption_keys", stdout=StringIO(), stderr=StringIO())
    settings.ENCRYPTION_KEYS = {"k2": new}
    installation.require()
    assert "KITH_ENCRYPTION_KEYS:k1" not in kept()


def test_keys_that_do_not_open_an_older_database_are_not_noted(account, settings):
    make_secretive_customer(account)
    InstallationFact.objects.all().delete()
    settings.ENCRYPTION_KEYS = {"k1": new_key()}
    with pytest.raises(ImproperlyConfigured, match="do not open this database"):
        call_command("migrate", stdout=StringIO())
    assert kept() == {}


def test_a_database_of_a_newer_release_is_refused_with_both_versions(settings):
    InstallationFact.objects.filter(name="release").update(value="9.4.0")
    MigrationRecorder(connection).record_applied("customers", "0999_of_the_future")
    with pytest.raises(ImproperlyConfigured, match=rf"9\.4\.0.*Kith {settings.VERSION}.*0999_of"):
        installation.require()
    with pytest.raises(ImproperlyConfigured, match=r"9\.4\.0"):
        call_command("migrate", stdout=StringIO())
    assert kept()["release"] == "9.4.0"


@pytest.mark.parametrize(
    ("release", "by"), [("9.4.0", "Kith 9.4.0"), (VERSION, "a newer Kith"), (None, "a newer Kith")]
)
def test_the_check_of_health_names_both_releases_and_their_migrations(release, by):
    InstallationFact.objects.filter(name="release").delete()
    if release:
        InstallationFact.objects.create(name="release", value=release)
    newest = max(
        name for app, name in MigrationLoader(connection).disk_migrations if app == "search"
    )
    MigrationRecorder(connection).record_applied("search", "0999_of_the_future")
    state, problem = health.state_of(health.check_installation)
    assert state == "unavailable"
    assert f"migrated by {by}, and this is Kith {VERSION}, " in problem
    assert "does not know search.0999_of_the_future" in problem
    assert f"(its newest: search.{newest})" in problem


def test_a_database_that_lacks_migrations_is_not_served():
    MigrationRecorder(connection).record_unapplied("ingest", "0001_bulk_requests")
    with pytest.raises(ImproperlyConfigured, match=r"lacks 1 migrations .* `manage\.py migrate`"):
        installation.require()


@pytest.mark.django_db(transaction=True)
def test_the_first_session_is_judged_when_the_database_was_away_at_the_start(settings, monkeypatch):
    own_key = settings.BLIND_INDEX_KEY
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", "/nowhere")
        installation.require()

    settings.BLIND_INDEX_KEY = new_key()
    for _ in range(2):
        with pytest.raises(ImproperlyConfigured):
            connection.ensure_connection()
    settings.BLIND_INDEX_KEY = own_key
    connection.ensure_connection()
    connection.close()
    settings.BLIND_INDEX_KEY = new_key()
    connection.ensure_connection()


PROGRAMS = {
    "web": ("-c", "import config.asgi"),
    "worker": ("-m", "config.jobs", "worker", "--pool", "solo"),
    "beat": ("-m", "config.jobs", "beat", "--schedule", "schedule"),
    "migrate": (str(CHECKOUT / "manage.py"), "migrate"),
}


def refused(program: str, folder: Path, **environ: str) -> str:
    """What a program says that does not start with the database of the tests."""
    name = connection.settings_dict["NAME"]
    url = f"postgresql://{connection.settings_dict['USER']}@/{name}"
    url += f"?host={connection.settings_dict['HOST']}"
    own = {"DATABASE_URL": url, "KITH_DATA": str(folder), "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [sys.executable, *PROGRAMS[program]],
        cwd=folder,
        env=os.environ | own | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("program", ["web", "worker", "beat"])
@pytest.mark.django_db(transaction=True)
def test_no_program_starts_with_keys_that_do_not_open_what_is_there(program, tmp_path):
    call_command("migrate", stdout=StringIO())
    keys = f"k1:{base64.b64encode(new_key()).decode()}"
    said = refused(program, tmp_path, KITH_ENCRYPTION_KEYS=keys)
    assert "the key 'k1' in KITH_ENCRYPTION_KEYS is not the 'k1'" in said


@pytest.mark.parametrize("program", ["web", "migrate"])
@pytest.mark.django_db(transaction=True)
def test_no_program_starts_with_a_database_of_a_newer_release(program, tmp_path):
    """Nor `./kith up`, which migrates before it starts any."""
    call_command("migrate", stdout=StringIO())
    InstallationFact.objects.filter(name="release").update(value="9.4.0")
    recorder = MigrationRecorder(connection)
    recorder.record_applied("customers", "0999_of_the_future")
    try:
        said = refused(program, tmp_path)
    finally:
        recorder.record_unapplied("customers", "0999_of_the_future")
    assert "9.4.0" in said
    assert f"Kith {VERSION}" in said
    assert InstallationFact.objects.get(name="release").value == "9.4.0"
