"""JSON of requests and responses."""

import uuid
from datetime import datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.api.errors import Unreadable
from config.api.json import MAX_DEPTH, from_json, to_json, wire_time


def test_dates_leave_in_one_form():
    moment = datetime.fromisoformat("2026-03-01T01:30:00.123999+02:00")
    assert wire_time(moment) == "2026-02-28T23:30:00.123Z"
    assert to_json([moment, moment.date(), uuid.UUID(int=5)]) == (
        b'["2026-02-28T23:30:00.123Z","2026-03-01","00000000-0000-0000-0000-000000000005"]'
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_survives_the_way_in_and_out(value):
    assert from_json(to_json(value)) == value


@given(st.integers(1, 3 * MAX_DEPTH), st.sampled_from("[{"))
def test_depth_is_counted_exactly(depth, bracket):
    text = "[" * depth + "]" * depth if bracket == "[" else '{"a":' * depth + "1" + "}" * depth
    if depth <= MAX_DEPTH:
        assert from_json(text.encode()) == orjson.loads(text)
    else:
        with pytest.raises(Unreadable, match="nested more than"):
            from_json(text.encode())


def test_many_brackets_are_not_depth():
    assert len(from_json(b"[" + b",".join([b"[]"] * 1000) + b"]")) == 1000
