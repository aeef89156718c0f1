"""Who runs `./kith`: where they stand, what they gave, what they are told."""

import argparse
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TextIO

from config.launcher import given, stack
from config.launcher.guard import CHECKOUT
from config.launcher.instance import SECRET_NAMES, Instance, is_given
from config.launcher.stack import Address

# Where the user stands: `./kith` itself works in the checkout.
CALLER_DIRECTORY = Path(os.environ.get("KITH_CALLER_DIRECTORY", ".")).absolute()

Say = Callable[[str], None]


def say_to(stream: TextIO, line: str) -> None:
    """Write a message; to nobody, where nobody reads any more."""
    # A closed terminal or pipe is no reason to leave children behind.
    with suppress(OSError):
        stream.write(f"kith: {line}\n")
        stream.flush()


def data_directory() -> Path:
    """Where the registry keeps its data, unless a command is told otherwise."""
    return caller_path(os.environ.get("KITH_DATA") or str(CHECKOUT / "var"))


def caller_path(text: str) -> Path:
    """A path that the user gave."""
    return CALLER_DIRECTORY / Path(text).expanduser()


def port_number(text: str) -> int:
    """A port that the user gave. Raises `ArgumentTypeError`."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def contract(instance: Instance, address: Address | None = None) -> dict[str, str]:
    """What programs are told by their environment, but for the servers that are started.

    Raises `GivenError` for a server that the user gave and that cannot be used, and what
    `Instance.secrets` raises.
    """
    address = address or Address(stack.LOCAL_ADDRESS, 8000)
    has_data = given.check_servers()
    has_keys = all(is_given(name) for name in SECRET_NAMES)
    secrets = {} if has_keys else instance.secrets(has_data_elsewhere=has_data)
    return stack.contract(instance.data, secrets, address.url)


def become(
    command: Sequence[str], made: dict[str, str], directory: Path = CALLER_DIRECTORY
) -> NoReturn:
    """Be another program from now on, in a directory, with what is `made` in its environment."""
    os.chdir(directory)
    os.execve(command[0], list(command), stack.with_given(made))  # noqa: S606 -- no shell is wanted
