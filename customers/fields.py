"""A column that keeps a hash instead of a token."""

import hashlib

from django.db import models


class Digest(str):
    """A hash as loaded from a `HashedField`, told apart from a plain value that a caller sends."""

    __slots__ = ()


class HashedField(models.CharField):  # type: ignore[type-arg] # not generic at run time
    """Stores and compares SHA-256 in hexadecimal instead of the value."""

    def from_db_value(self, value: str | None, *_args: object) -> Digest | None:
        """Mark what comes from the database, so that saving it again does not hash the hash."""
        return None if value is None else Digest(value)

    def get_prep_value(self, value: object) -> object:
        if value is None or isinstance(value, Digest):
            return value
        return hashlib.sha256(str(value).encode()).hexdigest()
