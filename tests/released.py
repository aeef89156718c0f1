"""The document of the last release, to which clients were written; without its examples.

It is renewed when a version is released: `./kith manage shell -c "from tests import released;
released.write()"`.
"""

import json
from pathlib import Path
from typing import Any

from tests import documented

FILE = Path(__file__).parent / "openapi/released.json"
EXAMPLES = {"example", "examples"}


def document() -> Any:
    """It as it is kept."""
    return json.loads(FILE.read_text())


def write() -> None:
    """Keep the present document."""
    FILE.write_text(json.dumps(bare(documented.document()), separators=(",", ":")) + "\n")


def bare(part: Any, at: str = "") -> Any:
    """A part of the document without examples; members of these names stay what they are."""
    if isinstance(part, list):
        return [bare(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: bare(value, name)
        for name, value in part.items()
        if at == "properties" or name not in EXAMPLES
    }
