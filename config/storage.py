"""The bucket of an S3-compatible store, in which files are kept where no folder is shared."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore import exceptions as boto
from botocore.config import Config
from storages.backends.s3 import S3Storage

BLOCK_BYTES = 256 * 1024
TRIES = 3
LINK_SECONDS = 60
PART_BYTES = 8 * 1024 * 1024
# Of one upload, while the next part is being filled.
PARTS_IN_MEMORY = 2
INSUFFICIENT_STORAGE = 507


class StorageAway(ConnectionError):
    """The store did not answer, or not in time, however often it was asked."""


@contextmanager
def reached() -> Iterator[None]:
    """Tell a store that is away or full from one that refuses.

    Raises `StorageAway`, or `OSError` with ``ENOSPC``; a refusal as it comes.
    """
    try:
        yield
    except boto.ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status == INSUFFICIENT_STORAGE:
            raise OSError(errno.ENOSPC, "the bucket is full") from error
        if status >= 500:
            raise StorageAway from error
        raise
    except (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError) as error:
        raise StorageAway from error


class Bucket(S3Storage):  # type: ignore[misc] # django-storages has no types
    """Django's storage in a bucket, with bounds on memory, time and tries.

    Options are those of `S3Storage`; `presigned` tells whether clients can reach the bucket. Every
    request is tried `TRIES` times. All methods raise as `reached` does.
    """

    presigned: bool

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 -- Django's options
        """A store with an address of its own is asked by paths: few have a name per bucket."""
        config = Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            s3={"addressing_style": "path" if options.get("endpoint_url") else "auto"},
            # Not every store knows the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(client_config=config, transfer_config=transfer_config(), **options)

    def get_default_settings(self) -> dict[str, Any]:
        """What an option is when it is not given."""
        return {**super().get_default_settings(), "presigned": True}

    def link(self, name: str, *, file_name: str, content_type: str) -> str:
        """A URL under which anybody can fetch the file for `LINK_SECONDS`, whole or in ranges."""
        shown = {
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
            "ResponseContentType": content_type,
            "ResponseCacheControl": "private, no-cache",
        }
        return str(self.url(name, parameters=shown, expire=LINK_SECONDS))

    def blocks(self, name: str, first: int, length: int) -> Iterator[bytes]:
        """`length` bytes of a file from byte `first` on; nothing else of it is fetched."""
        last = first + length - 1
        for tries in range(1, TRIES + 1):
            try:
                for block in self._range(name, first, last):
                    yield block
                    first += len(block)
            except StorageAway:
                if tries == TRIES:
                    raise
            else:
                return

    def _range(self, name: str, first: int, last: int) -> Iterator[bytes]:
        if first > last:
            return
        with reached():
            found = self.bucket.Object(self._normalize_name(name))
            yield from found.get(Range=f"bytes={first}-{last}")["Body"].iter_chunks(BLOCK_BYTES)

    def _save(self, name: str, content: Any) -> str:  # noqa: ANN401 -- Django's signature
        with reached():
            return str(super()._save(name, content))

    def size(self, name: str) -> int:
        """Bytes of a file. Raises `FileNotFoundError`."""
        with reached():
            return int(super().size(name))

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""
        with reached():
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Names of folders and files."""
        with reached():
            folders, files = super().listdir(path)
        return folders, files


def transfer_config() -> TransferConfig:
    """How files are uploaded: in parts of `PART_BYTES`, each kept in memory until it is there."""
    config = TransferConfig(
        multipart_threshold=PART_BYTES,
        multipart_chunksize=PART_BYTES,
        max_concurrency=PARTS_IN_MEMORY,
        preferred_transfer_client="classic",
    )
    config.max_in_memory_upload_chunks = PARTS_IN_MEMORY
    return config
