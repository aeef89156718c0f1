"""Searches, and the rows of their files."""

import csv
import io

from customers.criteria import Criteria
from search import runner, services
from search.models import CustomerSearch


def search(
    speaker,
    result_format: str = "CSV",
    *,
    columns=(),
    compression="NONE",
    external_ids=(),
    **criteria,
) -> CustomerSearch:
    """A search that was submitted and run."""
    submitted = services.submit_search(
        actor=speaker.actor,
        criteria=Criteria(**{"customer_account_type": "INDIVIDUAL"} | criteria),
        result_format=result_format,
        columns=columns,
        compression=compression,
        external_ids=external_ids,
    )
    runner.run(submitted.pk)
    submitted.refresh_from_db()
    return submitted


def content(storage, done: CustomerSearch) -> bytes:
    return (storage / done.storage_name).read_bytes()


def rows(storage, done: CustomerSearch) -> list[dict[str, str]]:
    text = content(storage, done).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
