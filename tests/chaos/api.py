"""A client that speaks to the registry as a careful one would: it repeats what was not answered."""

import json
import random
import re
import time
import zlib
from base64 import b64encode
from http.client import HTTPConnection, HTTPException
from threading import Event
from typing import NamedTuple

from tests.chaos.journal import Access, Journal

# Ids in paths, and what follows them in links to files.
NAMED = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}(/\d{10}:.*)?")
JSON = "application/json"
ANSWER_SECONDS = 8
PAUSE_SECONDS = 0.2
# After these nobody knows whether what was asked for has happened.
AWAY = {429, 503, 507}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """The body, an object."""
        found: dict[str, object] = json.loads(self.body)
        return found


class GaveUp(Exception):
    """No answer came until the very end."""


class Clock:
    """When clients stop to begin something new, and when they stop to wait for answers."""

    def __init__(self, seconds: float, patience: float) -> None:
        self.end = time.monotonic() + seconds
        self.very_end = self.end + patience
        self._pause = Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing new is to be begun."""
        return time.monotonic() >= self.end

    def pause(self, seconds: float) -> None:
        """Do nothing for a while. Raises `GaveUp` at the very end."""
        if time.monotonic() >= self.very_end:
            raise GaveUp
        self._pause.wait(seconds)


class Api:
    """One client with a connection and a token of its own."""

    def __init__(self, port: int, access: Access, journal: Journal, clock: Clock) -> None:
        self.access = access
        self.journal = journal
        self.clock = clock
        self._connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        self._token = ""

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        expected: tuple[int, ...] = (200,),
        **headers: str,
    ) -> Answer | None:
        """Ask once; None when no answer came, or one that says: not now.

        Any other status than those expected is a finding, and `GaveUp`.
        """
        answer = self._send(method, path, body, headers)
        if answer is None:
            return None
        if answer.status in AWAY and answer.status not in expected:
            if answer.status != 507 and "retry-after" not in answer.headers:
                self.journal.find(f"{method} {path}: {answer.status} without Retry-After")
            return None
        if answer.status not in expected:
            self.journal.find(
                f"{method} {path}: {answer.status} {answer.body[:300].decode(errors='replace')}"
                f" (request {answer.headers.get('x-request-id')})"
            )
            raise GaveUp
        return answer

    def insist(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        expected: tuple[int, ...] = (200,),
        **headers: str,
    ) -> Answer:
        """Ask until an answer comes. Raises `GaveUp`."""
        while True:
            answer = self.ask(method, path, body, expected=expected, **headers)
            if answer is not None:
                return answer
            self.clock.pause(PAUSE_SECONDS * random.uniform(0.5, 1.5))

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> Answer | None:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        if path != "/v1/api-keys/exchange":
            given["Authorization"] = f"Bearer {self.token()}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            given.setdefault("Content-Type", JSON)
        what = f"{method} {NAMED.sub('…', path.partition('?')[0])}"
        try:
            self._connection.request(method, path, data, headers=given)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            self.journal.count(f"no answer: {type(error).__name__}")
            return None
        self.journal.count(f"{what}: {response.status}")
        found = {name.lower(): text for name, text in response.getheaders()}
        return Answer(response.status, found, content)

    def token(self) -> str:
        """The access token; got with the key the first time. Raises `GaveUp`."""
        if not self._token:
            pair = b64encode(f"{self.access.key}:{self.access.secret}".encode()).decode()
            answer = self.insist("POST", "/v1/api-keys/exchange", Authorization=f"Basic {pair}")
            self._token = str(answer.json()["access_token"])
        return self._token


def gzipped(data: bytes) -> bytes:
    """A gzip file of the data."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()
