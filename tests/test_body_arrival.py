"""When the body of a request is there for a thread, and who is told that its client is gone."""

import asyncio
from functools import wraps

import pytest

from config.server.bodies import Body, BodyNeeded, Disconnected, PendingInput, input_of

PART = {"type": "http.request", "body": b'{"a":1}', "more_body": True}
GONE = {"type": "http.disconnect"}


class Client:
    """Sends what it is told to, as a web server passes it on."""

    def __init__(self):
        self.asked = 0
        self.messages = []

    def receive(self):
        self.asked += 1
        self.messages.append(asyncio.get_running_loop().create_future())
        return self.messages[-1]

    def send(self, message):
        self.messages[-1].set_result(message)


def in_a_loop(scenario):
    """A test that runs in an event loop."""

    @wraps(scenario)
    def test():
        asyncio.run(scenario())

    return test


def body_of(client, length, **environ):
    return Body(client.receive, {"CONTENT_LENGTH": str(length), **environ})


def expected(length=7):
    """A client, the body that it is going to send, and what a thread reads it from."""
    client = Client()
    body = body_of(client, length)
    body.expect()
    return client, body, input_of(body, {})["wsgi.input"]


@in_a_loop
async def test_a_body_that_has_come_is_read_without_the_event_loop():
    client, body, source = expected()
    client.send(PART)
    assert await asyncio.to_thread(source.read, 3) == b'{"a'
    assert await asyncio.to_thread(source.read) == b'":1}'
    assert body.is_complete
    assert client.asked == 1


@in_a_loop
async def test_a_body_that_has_not_come_ends_the_call_and_is_there_for_the_next_one():
    client, body, source = expected()
    assert isinstance(source, PendingInput)
    assert not source.is_there()
    with pytest.raises(BodyNeeded):
        source.read()
    client.send(PART)
    await body.arrive_up_to(1000, seconds=1)
    assert input_of(body, {})["wsgi.input"].read() == PART["body"]
    assert client.asked == 1


@in_a_loop
async def test_the_first_part_of_a_body_is_not_all_of_it():
    client, body, source = expected(2 * len(PART["body"]))
    client.send(PART)
    with pytest.raises(BodyNeeded):
        source.read()
    body.expect()
    client.send(PART)
    assert source.read() == 2 * PART["body"]


@in_a_loop
async def test_a_client_that_is_gone_is_told_to_whoever_waits_for_it():
    client, body, _ = expected()
    client.send(GONE)
    assert not body.has_arrived()
    with pytest.raises(Disconnected):
        await body.arrive(1)


@pytest.mark.parametrize(
    ("length", "environ", "is_short"),
    [
        ("", {}, False),
        ("0", {}, False),
        ("1", {}, True),
        ("8192", {}, True),
        ("8193", {}, False),
        ("1", {"HTTP_EXPECT": "100-continue"}, False),
        ("1", {"HTTP_TRANSFER_ENCODING": "chunked"}, False),
        ("x", {}, False),
    ],
)
def test_a_short_body_is_announced_and_not_asked_for(length, environ, is_short):
    assert body_of(Client(), length, **environ).is_short is is_short
