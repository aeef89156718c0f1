"""Management commands, run and refused."""

import io
import json

import pytest
from django.core.management import CommandError, call_command


def run(name: str, *args: object, **options: object) -> dict[str, str]:
    """The JSON object that a command prints on standard output."""
    out = io.StringIO()
    call_command(name, *map(str, args), stdout=out, stderr=io.StringIO(), **options)
    assert out.getvalue().count("\n") == 1
    return json.loads(out.getvalue())


def refuse(name: str, *args: object, **options: object) -> str:
    """The message with which a command ends that changes nothing."""
    out = io.StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command(name, *map(str, args), stdout=out, stderr=io.StringIO(), **options)
    assert out.getvalue() == ""
    return str(refusal.value)
