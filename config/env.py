"""Typed readers of environment variables: a bad value stops the start and says what was read.

django-environ, for one, takes any word that it does not know for False.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

# What may follow `Bearer` in a header, and is long enough not to be guessed.
BEARER = re.compile(r"[A-Za-z0-9._~+/=-]{16,200}")
NEEDS_HOST = ("http", "https", "redis", "rediss", "amqp", "amqps", "smtp", "smtp+tls", "smtps")


class Env:
    """Reads variables by type, and remembers their names for a test that reads the README.

    Every variable may also be given as ``NAME_FILE``, the path of a file that holds the value,
    as container platforms mount secrets.
    """

    def __init__(self, source: Mapping[str, str] = os.environ) -> None:
        self.source = source
        self.names: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        """The value as it stands; ``""`` counts as not given, but a file that is named has one."""
        self.names.add(name)
        if path := self.source.get(f"{name}_FILE", ""):
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ImproperlyConfigured(f"{name}_FILE: cannot read {path!r}: {error}") from error
            if not value:
                raise ImproperlyConfigured(f"{name}_FILE: there is nothing in {path!r}")
            return value
        return self.source.get(name, "") or default

    def required(self, name: str) -> str:
        """A value without which nothing can start."""
        if value := self.text(name):
            return value
        raise ImproperlyConfigured(
            f"{name} is not set. `./kith up` and `./kith manage` set it; "
            "elsewhere see the configuration table of the README."
        )

    def integer(
        self, name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1
    ) -> int:
        """A whole number from `minimum` to `maximum`."""
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from None
        if number < minimum:
            raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {number}")
        if number > maximum:
            raise ImproperlyConfigured(f"{name} must be at most {maximum}, not {number}")
        return number

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One of a few words."""
        value = self.text(name, default)
        if value not in choices:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}")
        return value

    def url(self, name: str, default: str = "", *, schemes: Sequence[str]) -> str:
        """A URL with a scheme of these, or nothing; never repeated, for it may hold a password."""
        value = self.text(name, default)
        try:
            parts = urlsplit(value)
            is_good = not value or (
                parts.scheme in schemes and bool(parts.hostname or parts.scheme not in NEEDS_HOST)
            )
            _ = parts.port
        except ValueError:
            is_good = False
        if not is_good:
            known = ", ".join(f"{scheme}://" for scheme in schemes)
            raise ImproperlyConfigured(f"{name} must be a URL that begins with {known}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """``1``, ``true``, ``yes``, ``on`` or their opposites, in any case."""
        value = self.text(name, "1" if default else "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}")

    def words(self, name: str, default: str = "") -> list[str]:
        """A comma-separated list; blanks are dropped."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def bearer(self, name: str) -> str:
        """A secret that is sent as a bearer token, or nothing; never repeated."""
        value = self.text(name)
        if value and not BEARER.fullmatch(value):
            raise ImproperlyConfigured(
                f"{name} must be 16 to 200 letters, digits or any of - . _ ~ + / ="
            )
        return value

    def key(self, name: str) -> bytes:
        """A 256-bit key in base64."""
        return decode_key(name, self.required(name))

    def keys(self, name: str) -> dict[str, bytes]:
        """Named 256-bit keys, ``id:base64,id:base64``; the first one is the active one."""
        keys: dict[str, bytes] = {}
        for entry in self.required(name).split(","):
            key_id, separator, encoded = entry.strip().partition(":")
            if not separator or not key_id.isalnum() or len(key_id) > 16 or key_id in keys:
                raise ImproperlyConfigured(
                    f"{name} must be `id:base64[,id:base64…]`, "
                    "with distinct ids of 1 to 16 letters or digits"
                )
            keys[key_id] = decode_key(f"{name} {key_id}", encoded)
        return keys


def decode_key(name: str, encoded: str) -> bytes:
    """32 bytes from base64; the message never repeats the value, for it is a secret."""
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ImproperlyConfigured(f"{name} is not base64") from None
    if len(key) != 32:
        raise ImproperlyConfigured(f"{name} must be 32 bytes in base64, not {len(key)}")
    return key
