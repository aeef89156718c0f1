"""Values that keep a secret: sealed ones and their blind index.

A sealed value is AES-256-GCM under a key from `KITH_ENCRYPTION_KEYS`, bound to where it lives as
associated data, so that a ciphertext copied to another row or column does not open. Its bytes are
``version(1) | length of key id(1) | key id | nonce(12) | ciphertext and tag``.
"""

import hashlib
import hmac
import logging
import secrets
import unicodedata
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

SEALED_VERSION = 1
NONCE_BYTES = 12
logger = logging.getLogger(__name__)


class SealError(Exception):
    """A sealed value does not open: its key is not configured, or it was tampered with."""


def seal(text: str, bound_to: str) -> bytes:
    """Encrypt `text` under the active key, bound to data that `associated_data` gives."""
    return seal_bytes(text.encode(), bound_to)


def unseal(sealed: bytes, bound_to: str) -> str:
    """The text. Raises `SealError` when no configured key opens it, or other data was given."""
    return unseal_bytes(sealed, bound_to).decode()


def unseal_if_possible(sealed: bytes, bound_to: str) -> str | None:
    """The text; None, and an error in the log, when no configured key opens it.

    For whatever must go on without it: a page of many customers, or the next value in its stead.
    """
    content = unseal_bytes_if_possible(sealed, bound_to)
    return None if content is None else content.decode()


def unseal_bytes_if_possible(sealed: bytes, bound_to: str) -> bytes | None:
    """The bytes; None, and an error in the log, as `unseal_if_possible` does."""
    try:
        return unseal_bytes(sealed, bound_to)
    except SealError as error:
        reason = str(error)
    logger.error("a sealed value cannot be read: %s", reason)
    return None


def seal_bytes(content: bytes, bound_to: str) -> bytes:
    """Encrypt any bytes likewise."""
    key = next(iter(settings.ENCRYPTION_KEYS.values()))
    header, nonce = active_header(), secrets.token_bytes(NONCE_BYTES)
    return header + nonce + AESGCM(key).encrypt(nonce, content, header + bound_to.encode())


def unseal_bytes(sealed: bytes, bound_to: str) -> bytes:
    """The bytes. Raises `SealError` as `unseal` does."""
    sealed = bytes(sealed)
    end = 2 + sum(sealed[1:2])
    header, nonce, ciphertext = sealed[:end], sealed[end:][:NONCE_BYTES], sealed[end:][NONCE_BYTES:]
    key = settings.ENCRYPTION_KEYS.get(header[2:].decode(errors="replace"))
    if key is None or header[0] != SEALED_VERSION:
        raise SealError(f"no key opens {bound_to}")
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, header + bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise SealError(f"{bound_to} was changed, or sealed for another column or row") from error


def active_header() -> bytes:
    """The bytes with which every value sealed under the active key begins."""
    name = next(iter(settings.ENCRYPTION_KEYS)).encode()
    return bytes([SEALED_VERSION, len(name)]) + name


def blind_index(text: str) -> bytes:
    """A keyed hash by which a sealed value is found by its exact value; 32 bytes.

    Spaces, dashes and case do not count: ``123-45-6789`` finds ``123 45 6789``.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(character for character in plain if character.isalnum())
    return hmac.new(settings.BLIND_INDEX_KEY, plain.encode(), hashlib.sha256).digest()


def associated_data(model: type[models.Model], column: str, row_id: UUID) -> str:
    """Where a sealed value lives, such as ``customers_contact.social_id_sealed:<row id>``."""
    return f"{model._meta.db_table}.{column}:{row_id}"


class SealedField(models.BinaryField):  # type: ignore[type-arg] # not generic at run time
    """A value of `seal`, or NULL; named ``*_sealed``, which the change log masks."""
