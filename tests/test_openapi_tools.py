"""What well-kept tools say of the document, and whether clients of the last release work on."""

import json

import pytest

from tests import node, released
from tests.documented import document, operations


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The document as a file."""
    path = tmp_path_factory.mktemp("openapi") / "kith.json"
    path.write_text(json.dumps(document()))
    return path


def test_redocly_finds_nothing(file):
    output = node.run("redocly", "lint", "--config", "rules.yaml", "--format", "json", file)
    found = json.loads(output[output.index("{") : output.rindex("}") + 1])
    assert found["problems"] == []


def test_spectral_finds_nothing(file):
    arguments = ("--ruleset", "spectral.yaml", "--fail-severity", "hint", "--format", "text")
    assert "No results" in node.run("spectral", "lint", *arguments, file)


def test_a_client_of_the_last_release_still_works(file):
    node.run("redocly", "diff", "--config", "rules.yaml", released.FILE, file)
    names = {(path, method): operation["operationId"] for path, method, operation in operations()}
    for path, item in released.document()["paths"].items():
        for method, operation in item.items():
            assert names[path, method.upper()] == operation["operationId"], path


def test_what_breaks_a_client_is_noticed(tmp_path):
    broken = released.document()
    del broken["paths"]["/v1/search/customer-accounts"]["get"]
    schemas = broken["components"]["schemas"]
    schemas["NewIndividual"]["required"].append("suffix")
    schemas["PhoneType"]["enum"].remove("HOME")
    del schemas["Individual"]["properties"]["lastName"]
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))
    output = node.run("redocly", "diff", "--config", "rules.yaml", released.FILE, file, fails=True)
    for rule in (
        "operation-removed",
        "required-properties-added",
        "enum-values-removed",
        "property-removed",
    ):
        assert rule in output
