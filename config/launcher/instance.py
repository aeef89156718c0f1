"""One data directory: its lock, its secrets, and the environment of the programs that use it.

Standard library only.
"""

import base64
import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from config.launcher.guard import is_running

SECRET_NAMES = ("KITH_SECRET_KEY", "KITH_ENCRYPTION_KEYS", "KITH_BLIND_INDEX_KEY")
SERVER_NAMES = ("DATABASE_URL", "REDIS_URL")
WAIT_FOR_LEFTOVERS = 90.0
DYING_SECONDS = 0.5


class InstanceError(Exception):
    """The data directory cannot be used; the message says why."""


class BusyError(InstanceError):
    """Another process of ours uses the data directory."""

    def __init__(self, data: Path, holder: "Holder") -> None:
        super().__init__(
            f"`./kith {holder.purpose}` (process {holder.pid}) is already running on {data}"
        )
        self.holder = holder


@dataclass(frozen=True)
class Holder:
    """Who holds a data directory: written in its lock file.

    `environment` is what it made for its programs, once its servers answer; until then empty.
    `given` names those of them that its own environment had, whose values are nobody else's.
    """

    pid: int
    purpose: str
    environment: Mapping[str, str]
    given: Sequence[str]


class Lock:
    """The held lock of a data directory."""

    def __init__(self, descriptor: int, purpose: str, *, after_crash: bool) -> None:
        self.descriptor = descriptor
        self.after_crash = after_crash
        self._purpose = purpose
        self.publish({})

    def publish(self, environment: Mapping[str, str]) -> None:
        """Tell other commands how to reach the running servers."""
        given = [name for name in (*SECRET_NAMES, *SERVER_NAMES) if is_given(name)]
        holder = Holder(os.getpid(), self._purpose, environment, given)
        self._write(json.dumps(asdict(holder)).encode())

    def release(self) -> None:
        """Give the data directory free."""
        self._write(b"")
        os.close(self.descriptor)

    def _write(self, content: bytes) -> None:
        # In place: a new file would not be the locked one. A reader that sees half of it waits.
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, content, 0)


class Instance:
    """The data directory `data`, an absolute path; made with mode 0700 where missing."""

    def __init__(self, data: Path) -> None:
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InstanceError(f"cannot use {data}: {error.strerror}") from error
        self.data = data.resolve()
        self._lock_file = self.data / "kith.lock"
        self.secrets_file = self.data / "secrets.env"
        # Root could go on, but its files would then lock the owner out.
        if self._lock_file.exists() and (owner := self._lock_file.stat().st_uid) != os.geteuid():
            raise InstanceError(f"{data} belongs to user {owner}: run ./kith as that user")

    def holder(self) -> Holder | None:
        """Who holds the lock, or None when nobody does or has not said so yet."""
        try:
            fields = json.loads(self._lock_file.read_text())
            return Holder(**fields)
        except (OSError, ValueError, TypeError):
            return None

    @contextmanager
    def lock(self, purpose: str, say: Callable[[str], None]) -> Iterator[Lock]:
        """Hold the data directory for the `./kith` command `purpose`.

        What a killed command left running is waited for. Raises BusyError when a living one holds
        it.
        """
        try:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InstanceError(f"cannot use {self.data}: {error.strerror}") from error
        try:
            self._take(descriptor, say)
            lock = Lock(descriptor, purpose, after_crash=os.fstat(descriptor).st_size > 0)
        except BaseException:
            os.close(descriptor)
            raise
        try:
            yield lock
        finally:
            lock.release()

    def secrets(self, *, has_data_elsewhere: bool = False) -> dict[str, str]:
        """The secrets of this data directory, by variable name; made for an empty database only.

        Raises InstanceError when there is a database with data, in this directory or elsewhere, and
        no secrets: new ones could not open what is in it.
        """
        if not self.secrets_file.exists():
            if has_data_elsewhere:
                raise InstanceError(
                    f"the database of DATABASE_URL holds data, and {self.secrets_file}, which"
                    " would have its keys, is missing: put that file there, name its directory by"
                    f" KITH_DATA, or set {', '.join(SECRET_NAMES)}"
                )
            if (self.data / "postgres").exists():
                raise InstanceError(
                    f"{self.secrets_file} is missing, and without it the encrypted values in"
                    f" {self.data / 'postgres'} cannot be read: restore it from a backup"
                )
            lines = "".join(f"{name}={value}\n" for name, value in new_secrets().items())
            write_private(self.secrets_file, lines)
        pairs = (line.split("=", 1) for line in self.secrets_file.read_text().splitlines() if line)
        return dict(pairs)

    @property
    def has_secrets(self) -> bool:
        """Whether this data directory has secrets."""
        return self.secrets_file.exists()

    def adopt(self, secrets: Mapping[str, str]) -> None:
        """Keep these secrets, of a backup. Raises InstanceError where there are others."""
        if self.has_secrets:
            if self.secrets() != dict(secrets):
                raise InstanceError(f"{self.secrets_file} has other keys than the backup")
            return
        lines = "".join(f"{name}={secrets[name]}\n" for name in SECRET_NAMES)
        write_private(self.secrets_file, lines)

    def _take(self, descriptor: int, say: Callable[[str], None]) -> None:
        started = time.monotonic()
        said = False
        while not _try_lock(descriptor):
            holder = self.holder()
            waited = time.monotonic() - started
            # A process that was killed a moment ago may not be dead yet.
            if holder is not None and is_running(holder.pid):
                if waited > DYING_SECONDS:
                    raise BusyError(self.data, holder)
                threading.Event().wait(0.1)
                continue
            if waited > WAIT_FOR_LEFTOVERS:
                raise InstanceError(f"{self._lock_file} is locked by an unknown process")
            if holder is not None and not said:
                say("waiting for the processes of a killed run to end")
                said = True
            threading.Event().wait(0.1)


def new_secrets() -> dict[str, str]:
    """New random secrets, by variable name."""

    def key() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    values = (secrets.token_urlsafe(48), f"k1:{key()}", key())
    return dict(zip(SECRET_NAMES, values, strict=True))


def write_private(path: Path, content: str) -> None:
    """Write `content` to `path`, whole or not at all, readable by this user alone."""
    unfinished = path.with_name(path.name + ".new")
    with suppress(FileNotFoundError):
        unfinished.unlink()
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)


def is_given(name: str, source: Mapping[str, str] = os.environ) -> bool:
    """Whether the user set variable `name`, or `NAME_FILE` in its place."""
    return bool(source.get(name) or source.get(f"{name}_FILE"))


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
