"""What Schemathesis runs with: who calls, and which things it knows from the beginning.

`KITH_FUZZ` names a file of what `tests.fuzz.people` has made.
"""

import json
import os
import random
import re
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID
from zlib import crc32

import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import TestPhase

from tests.fuzz.allowed import (
    lead_to_files,
    may_accept_wrong_data,
    show_body,
    stays_when_deleted,
)

MADE = json.loads(Path(os.environ["KITH_FUZZ"]).read_text())
# So many calls somebody makes, on the average, before somebody else does: links are followed by one
# and the same mostly, and by others, who must not, now and then.
CALLS_IN_A_ROW = 12
# The operation that takes a key and no token.
WITH_KEY = "POST /v1/api-keys/exchange"
# One of so many calls keeps its idempotency key.
REPEATED = 8
GOOD_KEY = re.compile("[ -~]{6,200}")
turns = count(1)
WRITTEN = Path(MADE["answers"])
# Of the phases before, too.
answers: Counter[tuple[str, str]] = Counter(
    {(who, status): times for who, status, times in json.loads(WRITTEN.read_text())}
)


@schemathesis.auth(refresh_interval=None)
class Callers:
    """One after the other, each for some calls."""

    random = random.Random(MADE["seed"])
    current = ""

    def get(self, _case: Any, context: Any) -> str:
        """Whoever has their turn, as a header."""
        people = MADE["people"]
        if not self.current or self.random.random() < 1 / CALLS_IN_A_ROW:
            (Callers.current,) = self.random.choices(
                list(people), [each["weight"] for each in people.values()]
            )
        is_key = context.operation.label == WITH_KEY
        return str(people[self.current]["basic" if is_key else "bearer"])

    def set(self, case: Any, data: str, _context: object) -> None:
        """Send it."""
        case.headers["Authorization"] = data


@schemathesis.hook
def before_load_schema(_context: object, raw_schema: dict[str, Any]) -> None:
    """Links lead to files, too."""
    lead_to_files(raw_schema)


@schemathesis.hook
def before_call(_context: object, case: Any, _kwargs: object) -> None:
    """Most calls are no repetition of an earlier one, though the same few keys are made up."""
    turn = next(turns)
    is_right = case.meta.generation.mode == GenerationMode.POSITIVE
    if case.meta.phase.name == TestPhase.STATEFUL and is_right and turn % 2:
        # What is made up is mostly refused, and then nothing comes of it that could be linked to.
        show_body(case, turn)
    for name, value in list(case.headers.items()) if turn % REPEATED else ():
        if name == "Idempotency-Key" and GOOD_KEY.fullmatch(str(value)):
            case.headers[name] = f"{value}-{turn}"
        elif name == "X-CDLX-Request-Id" and is_id(value):
            case.headers[name] = str(UUID(int=turn))


@schemathesis.hook
def map_path_parameters(
    _context: object, path_parameters: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Of well-formed ids half are those of things that are there."""
    if not path_parameters:
        return path_parameters
    if crc32(repr(sorted(path_parameters.items())).encode(errors="replace")) % 2:
        return path_parameters
    return {
        name: MADE["things"].get(name, value) if is_id(value) else value
        for name, value in path_parameters.items()
    }


def is_id(value: object) -> bool:
    """Whether a value is a UUID."""
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


@schemathesis.hook
def filter_failure(_context: object, failure: Any, case: Any, response: Any) -> bool:
    """Whether a failure is one by the contract, too."""
    if "use_after_free" in failure.checks:
        return not stays_when_deleted(case)
    if "negative_data_rejection" in failure.checks:
        return not may_accept_wrong_data(case, response)
    return True


@schemathesis.hook
def after_call(_context: object, _case: object, response: Any) -> None:
    """Count answers, for the report."""
    answers[Callers.current, str(response.status_code)] += 1
    if sum(answers.values()) % 100 == 0:
        write_answers()


def write_answers() -> None:
    """Keep the counts; Schemathesis does not tell when it ends."""
    rows = [[*key, times] for key, times in sorted(answers.items())]
    WRITTEN.write_text(json.dumps(rows))
