"""A way to the database that breaks at the worst moment: when nobody knows what was committed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import connection


class Cable:
    """A way to the database that is cut when a COMMIT has gone through, before its answer."""

    def __init__(self, folder: Path) -> None:
        info = connection.connection.info
        self.host, self.port = info.host, info.port
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(folder / ".s.PGSQL.5432"))
        self.server.listen()
        self.is_armed = self.is_committing = False

    def serve(self) -> None:
        while True:
            try:
                ours, _ = self.server.accept()
            except OSError:
                return
            if self.host.startswith("/"):
                theirs = socket.socket(socket.AF_UNIX)
                theirs.connect(f"{self.host}/.s.PGSQL.{self.port}")
            else:
                theirs = socket.create_connection((self.host, self.port))
            for way in ((ours, theirs, True), (theirs, ours, False)):
                threading.Thread(target=self.forward, args=way, daemon=True).start()

    def forward(self, source: socket.socket, target: socket.socket, is_question: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if is_question and self.is_armed and b"COMMIT" in data:
                    self.is_committing = True
                elif not is_question and self.is_committing:
                    break
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def cable(folder: Path) -> Iterator[Cable]:
    """The database of this thread is reached through it meanwhile."""
    connection.ensure_connection()
    found = Cable(folder)
    thread = threading.Thread(target=found.serve, daemon=True)
    thread.start()
    before = {name: connection.settings_dict[name] for name in ("HOST", "PORT")}
    connection.close()
    connection.settings_dict.update(HOST=str(folder), PORT="5432")
    try:
        yield found
    finally:
        connection.close()
        connection.settings_dict.update(before)
        found.server.close()
