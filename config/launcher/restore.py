"""`./kith restore`: the keys first, then empty servers, then the database and its files."""

import argparse
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from config.launcher.instance import SECRET_NAMES, Instance, InstanceError, is_given


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """`file`, `keys` and `passphrase_stdin`."""
    parser = argparse.ArgumentParser(
        prog="./kith restore",
        description="Put a backup into an empty registry: a data directory without a database, or"
        " an empty database at DATABASE_URL.",
    )
    parser.add_argument("file", type=Path, help="what `./kith backup` has written")
    parser.add_argument(
        "--keys", action="store_true", help="take the keys from the backup, by their passphrase"
    )
    parser.add_argument(
        "--passphrase-stdin", action="store_true", help="read it from standard input"
    )
    return parser.parse_args(arguments)


def put_keys(instance: Instance, path: Path, options: argparse.Namespace) -> None:
    """Have the keys of a backup where the registry looks for them, before it makes new ones.

    Raises `InstanceError` where they are missing, or others are there.
    """
    if not options.keys:
        if not (instance.has_secrets or all(is_given(name) for name in SECRET_NAMES)):
            raise InstanceError(
                f"{instance.secrets_file} is missing, and without the keys of the backup nothing"
                " sealed in it opens: put that file there, or use --keys if they are in the backup"
            )
        return
    from config.backup.keys import KeysError, keys_in  # noqa: PLC0415 -- brings cryptography

    try:
        instance.adopt(keys_in(path, passphrase(options)))
    except KeysError as error:
        raise InstanceError(str(error)) from error


def passphrase(options: argparse.Namespace) -> str:
    """What is typed in, or the first line of standard input."""
    if options.passphrase_stdin:
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("Passphrase of the keys: ")
