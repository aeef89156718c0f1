"""Result files of searches: there whole, or not at all."""

import io
import json

from config import files
from config.files import Stream
from config.jobs.models import JobFailed
from search.models import CustomerSearch


def name_for(search: CustomerSearch) -> str:
    """Where the file of the current attempt goes: no two attempts share a name."""
    return f"{folder_of(search)}/{search.claim_id}/{search.file_name}"


def manifest_name(name: str) -> str:
    """Where the manifest of the file `name` lies."""
    return f"{name}.manifest.json"


def folder_of(search: CustomerSearch) -> str:
    """The folder of all attempts of a search."""
    return f"searches/{search.pk}"


def store(name: str, stream: Stream) -> None:
    """Write a stream to storage under `name`, where it can be seen only when it is complete.

    Raises `JobFailed` when there is no space, and whatever the stream raises.
    """
    try:
        files.store(name, stream)
    except files.StorageFull as error:
        raise JobFailed("STORAGE_FULL", "There is no space left for result files.") from error


def store_manifest(name: str, manifest: bytes) -> None:
    """Write the manifest of the file `name`; it makes the file complete."""
    store(manifest_name(name), io.BytesIO(manifest))


def unknown_ids(name: str) -> list[str]:
    """The external ids that nobody has, by the manifest of the file `name`.

    Raises `FileNotFoundError` and `StorageAway`.
    """
    with files.Reader(manifest_name(name)) as manifest:
        found: list[str] = json.load(manifest)["unknownIds"]
    return found


def remove(search: CustomerSearch) -> None:
    """Delete all that was ever written for a search. Raises what the storage raises."""
    files.remove_folder(folder_of(search))


def remove_attempt(name: str) -> None:
    """Delete the file `name` and its manifest, if they are there."""
    files.remove_folder(name.rpartition("/")[0])
