"""The bucket of an S3-compatible store, in which files are kept where no folder is shared."""

import errno
import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore import exceptions as boto
from botocore.config import Config
from storages.backends.s3 import S3Storage

from config.files.base import BLOCK_BYTES, StorageAway, StorageFull, Stream, exactly

logger = logging.getLogger(__name__)

TRIES = 3
LINK_SECONDS = 60
# Files go up in parts, and come down in ranges, of so many bytes.
PART_BYTES = 8 * 1024 * 1024
INSUFFICIENT_STORAGE = 507
NOT_FOUND = 404


@contextmanager
def reached() -> Iterator[None]:
    """Tell apart why a store fails: unavailable, full, no such file, or a refusal.

    Raises `StorageAway`, `StorageFull` and `FileNotFoundError`; a refusal as boto3 raises it.
    """
    try:
        yield
    except boto.ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status == INSUFFICIENT_STORAGE:
            raise StorageFull(errno.ENOSPC, "the bucket is full") from error
        if status >= 500:
            raise StorageAway from error
        if status == NOT_FOUND:
            raise FileNotFoundError("the bucket or the file in it is not there") from error
        raise
    except (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError) as error:
        raise StorageAway from error


class Bucket(S3Storage):  # type: ignore[misc] # django-storages has no types
    """A bucket with bounds on memory, time and tries; see `config.files`.

    Options are those of `S3Storage`, of which connections and URLs are used; `presigned` tells
    whether clients can reach the bucket. Every request is tried `TRIES` times.
    """

    presigned: bool

    def __init__(self, **options: object) -> None:
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
        super().__init__(client_config=config, **options)

    def get_default_settings(self) -> dict[str, object]:
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

    def store(self, name: str, stream: Stream) -> None:
        """Write a stream; of a long one a part is sent while the next one is read."""
        target = self._object(name)
        part = exactly(stream, PART_BYTES)
        with reached():
            if len(part) < PART_BYTES:
                self._client.put_object(**target, Body=part)
            else:
                self._store_parts(target, part, stream)

    def _store_parts(self, target: dict[str, str], part: bytes, stream: Stream) -> None:
        client = self._client
        upload = target | {"UploadId": client.create_multipart_upload(**target)["UploadId"]}
        tags: list[str] = []

        def send(number: int, body: bytes) -> str:
            return str(client.upload_part(**upload, PartNumber=number, Body=body)["ETag"])

        try:
            with ThreadPoolExecutor(1, "upload") as sender:
                sent: Future[str] | None = None
                while part:
                    following = sender.submit(send, len(tags) + 1 + (sent is not None), part)
                    if sent is not None:
                        tags.append(sent.result())
                    sent, part = following, exactly(stream, PART_BYTES)
                if sent is not None:
                    tags.append(sent.result())
            numbered = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]
            client.complete_multipart_upload(**upload, MultipartUpload={"Parts": numbered})
        except BaseException:
            try:
                client.abort_multipart_upload(**upload)
            except (boto.BotoCoreError, boto.ClientError):
                logger.warning("parts of a file stay in the bucket until they are cleaned up")
            raise

    def size(self, name: str) -> int:
        """Bytes of a file."""
        with reached():
            return int(self._client.head_object(**self._object(name))["ContentLength"])

    def names(self) -> Iterator[str]:
        """The names of all complete files."""
        with reached():
            for found in self.bucket.objects.filter(Prefix=str(self.location)):
                yield found.key.removeprefix(f"{self.location}/" if self.location else "")

    def blocks(self, name: str, first: int, length: int) -> Iterator[bytes]:
        """Part of a file, by ranges: no connection is kept longer than one takes."""
        end = first + length
        tries = 1
        while first < end:
            try:
                for block in self._range(name, first, min(end, first + PART_BYTES) - 1):
                    yield block
                    first += len(block)
                    tries = 1
            except StorageAway:
                if tries == TRIES:
                    raise
                tries += 1

    def _range(self, name: str, first: int, last: int) -> Iterator[bytes]:
        with reached():
            found = self._client.get_object(**self._object(name), Range=f"bytes={first}-{last}")
            body = found["Body"]
        try:
            yield from self._chunks(body)
        finally:
            body.close()

    def _chunks(self, body: Stream) -> Iterator[bytes]:
        while True:
            with reached():
                chunk = body.read(BLOCK_BYTES)
            if not chunk:
                return
            yield chunk

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        with reached():
            self._client.delete_object(**self._object(name))

    def remove_folder(self, folder: str, *, keep: str = "") -> None:
        """Delete what is below a folder, and the parts of what was to be there."""
        kept = self._normalize_name(keep) if keep else ""
        with reached():
            for found in self.bucket.objects.filter(Prefix=self._prefix(folder)):
                if found.key != kept:
                    found.delete()
        self.abort_abandoned(folder, age=timedelta(0))

    def abort_abandoned(self, folder: str, *, age: timedelta) -> int:
        """Delete the parts of uploads that began so long ago; of a thousand uploads at most."""
        before = datetime.now(UTC) - age
        with reached():
            found = self._client.list_multipart_uploads(
                Bucket=self.bucket_name, Prefix=self._prefix(folder)
            )
            old = [each for each in found.get("Uploads", ()) if each["Initiated"] <= before]
            for each in old:
                self._client.abort_multipart_upload(
                    Bucket=self.bucket_name, Key=each["Key"], UploadId=each["UploadId"]
                )
        return len(old)

    def free_bytes(self) -> None:
        """A bucket does not tell."""

    @property
    def _client(self) -> Any:  # noqa: ANN401 -- botocore has no types
        return self.connection.meta.client

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": str(self._normalize_name(name))}

    def _prefix(self, folder: str) -> str:
        return f"{self._normalize_name(folder)}/"
