"""A migrated database for runs on servers of their own: a copy of that of the tests, if told so.

Migrating an empty one takes a processor 13 seconds.
"""

import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from config.backup.database import dumped, restore
from config.backup.services import one_moment
from config.models import InstallationFact
from tests.upgrades import release

# Names a file with a dump of the tests' database.
VARIABLE = "TEST_DUMP"


@pytest.fixture
def migrated(transactional_db, tmp_path, monkeypatch) -> None:
    """Programs that this test starts find the dump."""
    path = tmp_path / "migrated.dump"
    with release.entered(connection.settings_dict["NAME"]), one_moment() as moment:
        path.write_bytes(b"".join(dumped(moment)))
    monkeypatch.setenv(VARIABLE, str(path))


def migrate() -> None:
    """Bring the empty database of this process up to date; it belongs to this one's keys."""
    if path := os.environ.get(VARIABLE):
        restore([Path(path).read_bytes()])
        InstallationFact.objects.all().delete()
    call_command("migrate", verbosity=0)
