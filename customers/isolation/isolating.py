"""What the check does without: the registry's files, cache, mail, limits and log."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings
from django.test.utils import override_settings


@contextmanager
def isolated() -> Iterator[None]:
    """Settings of this process by which nothing is left behind outside of the database.

    Files go to a folder that is deleted, mail goes nowhere, nothing is taken from a cache that
    others fill, and no limit of requests counts. Refusals are what the check is about, and not
    logged.
    """
    before = logging.root.manager.disable
    with tempfile.TemporaryDirectory(prefix="kith-isolation-") as folder:
        changed = override_settings(
            STORAGES=settings.STORAGES
            | {
                "default": {
                    "BACKEND": "django.core.files.storage.FileSystemStorage",
                    "OPTIONS": {"location": folder, "file_permissions_mode": 0o600},
                }
            },
            CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
            EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
            EMAIL_URL="",
            REQUESTS_PER_MINUTE=0,
            FAILED_AUTHENTICATIONS_PER_MINUTE=0,
            ALLOWED_HOSTS=[*settings.ALLOWED_HOSTS, urlsplit(settings.PUBLIC_URL).hostname],
        )
        logging.disable(logging.CRITICAL)
        try:
            with changed:
                yield
        finally:
            logging.disable(before)
