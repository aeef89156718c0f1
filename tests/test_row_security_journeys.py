"""The main journeys with row-level security on: the tests of others, run once more as the role."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.workers import ROOT

# One call, list, search, load and page of each kind, and what was found to be missing at first.
JOURNEYS = (
    "tests/test_customers_queries.py",
    "tests/test_lookup_actors.py",
    "tests/test_search_exports.py",
    "tests/test_search_api.py::test_the_manifest_travels_with_the_file",
    "tests/test_ingest_files.py",
    "tests/test_undo.py::test_an_undo_can_be_undone",
    "tests/test_dashboard.py",
)


@pytest.mark.long
@pytest.mark.no_cover
def test_the_main_journeys_work_with_row_level_security():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *JOURNEYS]
    # Beside the database of this run.
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path="/journeys").geturl()
    environment = os.environ | {"KITH_ROW_SECURITY": "1", "DATABASE_URL": url}
    for name in [name for name in environment if name.startswith(("PYTEST_", "COV_"))]:
        del environment[name]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]
