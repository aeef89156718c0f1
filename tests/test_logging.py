"""Log lines that are written without a record are those of the logger."""

import json
import logging
import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.context import request_id
from config.logging import JSONFormatter, StandardError, log_quickly

LOGGER = logging.getLogger("kith.tests")
MEMBERS = {"route": "v1/customers", "status": 200, "path": "/\u2028\u202e\x1b[2J", "clientId": "é"}


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Stands for standard error."""
    monkeypatch.setattr(LOGGER, "level", logging.INFO)
    with (tmp_path / "log").open("w") as file:
        yield file


@contextmanager
def logging_to(stream, *others):
    """While it is entered, these are all that the loggers write to."""
    handler = StandardError(stream)
    handler.setFormatter(JSONFormatter())
    before, logging.root.handlers = logging.root.handlers, [handler, *others]
    try:
        yield
    finally:
        logging.root.handlers = before


def written(log):
    """The lines so far."""
    return Path(log.name).read_bytes().splitlines()


def test_a_line_without_a_record_is_that_of_the_logger(log):
    token = request_id.set("mine")
    with logging_to(log):
        log_quickly(LOGGER, "request", MEMBERS)
        LOGGER.info("request", extra=MEMBERS)
    request_id.reset(token)
    lines = written(log)
    quick, usual = (json.loads(line) | {"timestamp": ""} for line in lines)
    assert quick == usual == usual | MEMBERS | {"requestId": "mine", "logger": "kith.tests"}
    assert len(lines[0]) == len(lines[1])


def test_whoever_listens_to_a_logger_gets_its_records(log, caplog):
    with logging_to(log, caplog.handler):
        log_quickly(LOGGER, "request", MEMBERS)
    (record,) = caplog.records
    assert record.route == "v1/customers"
    assert len(written(log)) == 1


def test_a_level_that_is_off_writes_nothing(log):
    LOGGER.setLevel(logging.WARNING)
    with logging_to(log):
        log_quickly(LOGGER, "request", MEMBERS)
    assert written(log) == []


def test_a_log_that_cannot_be_written_fails_no_request():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe, logging_to(pipe):
        log_quickly(LOGGER, "request", MEMBERS)
