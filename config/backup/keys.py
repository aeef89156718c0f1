"""The keys of a registry under a passphrase, as they lie in a backup.

Fernet (AES-128-CBC and HMAC-SHA256) with a key that scrypt makes of the passphrase. Does not import
Django: the launcher puts keys in place before there is anything to start.
"""

import base64
import json
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MEMBER = "keys.json"
LEAST_CHARACTERS = 12
SALT_BYTES = 16
# 128 MB and a third of a second for each guess (OWASP's first choice).
COST = {"n": 2**17, "r": 8, "p": 1}


class KeysError(Exception):
    """Keys cannot be sealed or opened; the message says why."""


def sealed(keys: Mapping[str, str], passphrase: str) -> bytes:
    """Keys by the names of their variables. Raises `KeysError` for a passphrase that is short."""
    if len(passphrase) < LEAST_CHARACTERS:
        raise KeysError(f"a passphrase has at least {LEAST_CHARACTERS} characters")
    salt = secrets.token_bytes(SALT_BYTES)
    token = _fernet(passphrase, salt, COST).encrypt(json.dumps(dict(keys)).encode())
    envelope = {"kdf": "scrypt", "salt": base64.b64encode(salt).decode(), **COST}
    return json.dumps(envelope | {"fernet": token.decode()}).encode()


def opened(content: bytes, passphrase: str) -> dict[str, str]:
    """The keys. Raises `KeysError` for another passphrase, and for what was tampered with."""
    try:
        envelope = json.loads(content)
        salt = base64.b64decode(envelope["salt"])
        cost = {name: int(envelope[name]) for name in COST}
        token = envelope["fernet"].encode()
        if envelope["kdf"] != "scrypt" or any(cost[name] > COST[name] * 8 for name in COST):
            raise KeysError("the keys in this backup are sealed in a way that is not known here")
        keys: dict[str, str] = json.loads(_fernet(passphrase, salt, cost).decrypt(token))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeysError("the keys in this backup cannot be read") from error
    except InvalidToken as error:
        raise KeysError("this is not the passphrase of this backup's keys") from error
    return keys


def keys_in(path: Path, passphrase: str) -> dict[str, str]:
    """The keys of a backup. Raises `KeysError`, also where it has none."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(MEMBER)
    except KeyError as error:
        raise KeysError(f"{path} has no keys in it: it was made without --keys") from error
    except (OSError, zipfile.BadZipFile) as error:
        raise KeysError(f"{path} cannot be read as a backup: {error}") from error
    return opened(content, passphrase)


def _fernet(passphrase: str, salt: bytes, cost: Mapping[str, int]) -> Fernet:
    made = Scrypt(salt=salt, length=32, n=cost["n"], r=cost["r"], p=cost["p"])
    return Fernet(base64.urlsafe_b64encode(made.derive(passphrase.encode())))
