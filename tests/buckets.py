"""A bucket on a server that is spoken to over HTTP: moto's, or the one of `KITH_TEST_S3_URL`.

That one is given as ``http://key:secret@host:port``; its user may make and delete buckets.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.flaky import FlakyProxy, flaky_way_to

NAME = f"kith-test-{uuid4()}"
REGION = "us-east-1"
OTHER_SERVER = urlsplit(os.environ.get("KITH_TEST_S3_URL", ""))
KEY = unquote(OTHER_SERVER.username or "test")
SECRET = unquote(OTHER_SERVER.password or "test")


@contextmanager
def server() -> Iterator[str]:
    """The address of an S3-compatible server that runs meanwhile."""
    if OTHER_SERVER.hostname:
        yield f"{OTHER_SERVER.scheme}://{OTHER_SERVER.netloc.rpartition('@')[2]}"
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=port)
    moto.start()
    yield f"http://127.0.0.1:{port}"
    moto.stop()


def s3(url: str) -> Any:
    """The store at an address, as its owner sees it."""
    return boto3.resource(
        "s3",
        endpoint_url=url,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name=REGION,
    )


def storages(url: str) -> dict[str, Any]:
    """The value of `STORAGES["default"]` that leads to the bucket."""
    return {
        "BACKEND": "config.files.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": NAME,
            "endpoint_url": url,
            "region_name": REGION,
            "access_key": KEY,
            "secret_key": SECRET,
        },
    }


def variables(url: str) -> dict[str, str]:
    """What leads a program to the bucket."""
    return {
        "KITH_S3_BUCKET": NAME,
        "KITH_S3_ENDPOINT_URL": url,
        "KITH_S3_REGION": REGION,
        "KITH_S3_ACCESS_KEY": KEY,
        "KITH_S3_SECRET_KEY": SECRET,
    }


@pytest.fixture(scope="session")
def endpoint() -> Iterator[FlakyProxy]:
    """The way to the server."""
    with server() as url, flaky_way_to(url) as proxy:
        yield proxy


@pytest.fixture
def way(endpoint: FlakyProxy) -> Iterator[FlakyProxy]:
    """The way to the bucket, which can be broken."""
    endpoint.reset()
    yield endpoint
    endpoint.reset()


@pytest.fixture
def bucket(way: FlakyProxy, settings: Any) -> Iterator[Any]:
    """An empty bucket that files go to, and that clients can reach."""
    found = s3(way.url).Bucket(NAME)
    found.create()
    settings.STORAGES = settings.STORAGES | {"default": storages(way.url)}
    yield found
    way.reset()
    found.objects.delete()
    for upload in found.multipart_uploads.all():
        upload.abort()
    found.delete()
