"""Files of customers, sent and loaded by the API."""

import json
from pathlib import Path

from tests import bulk

FILES = "/v2/data/files"
NDJSON = "application/x-ndjson"


def lines(*values: object) -> bytes:
    return b"".join(
        (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n"
        for value in values
    )


def send(speaker, body: bytes, content_type: str = NDJSON, **headers: str) -> str:
    return bulk.accepted(speaker.api.post(FILES, body, content_type=content_type, headers=headers))


def results(speaker, public_id: str) -> list[dict]:
    answer = speaker.api.get(f"{bulk.REQUESTS}/{public_id}/results")
    assert answer.status_code == 200
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def ended(speaker, public_id: str) -> dict:
    """Do a load, and give its ledger, however it ends."""
    bulk.run(public_id)
    return bulk.ledger(speaker, public_id)


def stored(storage: Path) -> list[str]:
    return sorted(path.name for path in storage.rglob("*") if path.is_file())
