"""Stored files: whole, and each belonging to something; and what logs say that nobody expects."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ingest.models import BulkFile, BulkRequest, BulkUpload
from search import results
from search.models import CustomerSearch
from tests.chaos.journal import say

BUGS = (
    "unhandled error",
    "the web layer failed",
    "the lease of a job cannot be kept",
    "a value that cannot be stored got through",
)


def findings(folder: Path) -> Iterator[str]:
    """Files that are missing, damaged, half, or nobody's."""
    wanted: dict[str, str] = {}
    for search in CustomerSearch.objects.filter(status="FINISHED").exclude(storage_name=""):
        wanted[search.storage_name] = search.sha256
        wanted[results.manifest_name(search.storage_name)] = ""
    files = BulkFile.objects.all()
    # Once a load has ended, nobody needs its upload, whatever its row says.
    uploads = files.filter(request__status__in=BulkRequest.OPEN).values_list("storage_name")
    names = uploads.union(files.values_list("result_name"), all=True)
    wanted |= {name: "" for (name,) in names if name}
    there = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    yield from (f"file {name} is missing" for name in wanted.keys() - there.keys())
    yield from (f"file {name} is nobody's" for name in there.keys() - wanted.keys())
    for name, sha256 in wanted.items():
        if sha256 and name in there:
            found = hashlib.sha256(there[name].read_bytes()).hexdigest()
            if found != sha256:
                yield f"file {name} is not what its search says"
    for name in wanted.keys() & there.keys():
        manifest = json.loads(there[name].read_bytes()) if name.endswith(".manifest.json") else {}
        if manifest.get("complete", True) is not True:
            yield f"manifest {name} is not complete"
    if count := BulkUpload.objects.count():
        yield f"{count} uploads are neither accepted nor cleaned up"


def causes(exception: object) -> Iterator[str]:
    """The types of an exception and of its causes, as a log line has them."""
    while isinstance(exception, dict):
        yield str(exception.get("type"))
        exception = exception.get("cause")


def logs(folder: Path) -> Iterator[str]:
    """Lines that tell of a bug."""
    counts: Counter[str] = Counter()
    for path in folder.glob("*.log*"):
        for line in path.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if not isinstance(entry, dict) or entry.get("level") not in {"ERROR", "CRITICAL"}:
                continue
            message = str(entry.get("message"))
            last = " ".join(causes(entry.get("exception")))
            counts[f"{path.stem}: {message[:80]}: {last}"] += 1
            if message in BUGS:
                yield f"{path.name}: {line[:3000]}"
    for text, count in counts.most_common(40):
        say(f"  {count:7,}  {text}")
