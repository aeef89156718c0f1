"""Storing and reading a large file in a bucket takes no more memory than a small one takes."""

import subprocess
import sys

import pytest

from tests import buckets
from tests.workers import ROOT, environment

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.long]
MEGABYTE = 1024 * 1024
SIZE = 160 * MEGABYTE
# Parts on their way, and a few copies of one block of 8 MB.
MOST = 80 * MEGABYTE

PROGRAM = """
import random, sys, uuid
import django
django.setup()
from config import files as stored
from ingest.files.frames import frames, opened
from ingest.files.upload import Upload

LETTERS = bytes(65 + each % 58 for each in range(256))

class Lines:
    left = int(sys.argv[1])
    def read(self, size):
        size = min(size, self.left)
        self.left -= size
        return random.randbytes(size - 1).translate(LETTERS) + b"\\n" if size else b""

def peak():
    status = open("/proc/self/status").read()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024

def load(size):
    Lines.left = size
    request_id = uuid.uuid4()
    upload = Upload(Lines(), request_id)
    stored.store("bulk/large", upload)
    written = peak()
    found = frames("bulk/large", request_id, blocks=upload.blocks, lines=upload.lines,
                         skipped=frozenset())
    assert sum(opened(sealed, request_id, number).count for number, sealed in found)
    stored.remove("bulk/large")
    return written, peak()

load(2**20)
before = peak()
print(*(each - before for each in load(int(sys.argv[1]))))
"""


def test_a_large_file_is_stored_and_read_in_little_memory(bucket, endpoint, own_queue, tmp_path):
    url = f"http://{endpoint.server}"
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(SIZE)],
        cwd=ROOT,
        env=environment(own_queue, tmp_path)
        | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        | buckets.variables(url),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    written, read = map(int, found.stdout.split())
    assert written <= read < MOST
