"""The API documentation: valid, complete, true, and readable without a network."""

import base64
import json
import os
import re
import subprocess
from collections import Counter
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
import yaml
from django.core.management import call_command
from django.test import Client as Browser
from openapi_spec_validator import OpenAPIV31SpecValidator

from config.api.routes import api_routes
from config.openapi import story
from customers.examples import (
    BUSINESS,
    HOME,
    NEW_BUSINESS,
    NEW_INDIVIDUAL,
    PARCELS,
)
from tests import factories
from tests.documented import call, document, examples, operations, resolved, send, validator
from tests.inventory import make_documented
from tests.workers import worker

BROWSER = Browser()
CALLS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, method, operation in operations()
]
# Of these no example can be shown.
BINARY = {
    "application/gzip",
    "application/zstd",
    "application/vnd.apache.parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SHAPES = {"INDIVIDUAL": "Individual", "BUSINESS": "Business", "GROUP": "Business"}


def basic(key) -> str:
    """An `Authorization` header for a key and its secret."""
    return "Basic " + base64.b64encode(f"{key.id}:{key.secret}".encode()).decode()


def misshapen(value, schema):
    """Objects of a JSON value whose members are not the documented ones, in their order."""
    schema = resolved(schema)
    if "discriminator" in schema:
        schema = resolved({"$ref": schema["discriminator"]["mapping"][value["type"]]})
    for kind in schema.get("oneOf", ()):
        if kind != {"type": "null"}:
            schema = resolved(kind)
    if isinstance(value, list):
        return [wrong for item in value for wrong in misshapen(item, schema["items"])]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    members, needed = schema["properties"], set(schema.get("required", ()))
    is_right = list(value) == [name for name in members if name in value] and needed <= set(value)
    inner = [misshapen(value[name], members[name]) for name in value if name in members]
    return sum(inner, [] if is_right else [list(value)])


# --- The document ---------------------------------------------------------------------------------


def test_it_is_valid_openapi_3_1():
    assert document()["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document()).validate()


def test_it_is_made_without_a_warning():
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO())


def test_it_comes_as_json_and_on_request_as_yaml():
    default = BROWSER.get("/schema")
    assert default["Content-Type"] == "application/json"
    assert default.json() == document()
    for query, accept in (("?format=yaml", "*/*"), ("", "application/yaml")):
        response = BROWSER.get(f"/schema{query}", headers={"Accept": accept})
        assert response["Content-Type"] == "application/yaml"
        assert yaml.load(response.content, yaml.CSafeLoader) == document()
    assert BROWSER.get("/schema?format=json", headers={"Accept": "application/yaml"}).json()


def test_it_is_sent_again_only_when_it_has_changed():
    etag = BROWSER.get("/schema")["ETag"]
    assert BROWSER.get("/schema", headers={"If-None-Match": etag}).status_code == 304
    assert BROWSER.get("/schema?format=yaml", headers={"If-None-Match": etag}).status_code == 200


def test_each_call_has_a_name_of_its_own():
    for member in ("operationId", "summary"):
        counted = Counter(operation[member] for _, _, operation in operations())
        assert set(counted.values()) == {1}


@pytest.mark.parametrize(("path", "method", "operation"), CALLS)
def test_a_call_is_told_in_full(path, method, operation):
    assert operation["description"]
    assert operation["tags"][0] in {tag["name"] for tag in document()["tags"]}
    for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
        kinds = resolved(body).get("content", {}).keys() - BINARY
        assert {kind for kind, _, _ in examples(body)} == kinds
    for status, response in operation["responses"].items():
        answer = resolved(response)
        assert answer["description"], status
        assert "X-Request-Id" in answer["headers"], status
        if status >= "400":
            for code in answer["content"]["application/json"]["examples"]:
                assert f"- `{code}`: " in answer["description"], status


@pytest.mark.parametrize("route", api_routes(), ids=lambda route: route.pattern)
def test_scopes_and_parameters_are_those_of_the_view(route):
    for method in route.methods:
        operation = document()["paths"][route.path][method.lower()]
        named = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        assert sorted(named) == sorted((route.view.parameters or {}).get(method, ()))
        scope = route.view.scopes.get(method)
        ways = {name: scopes for way in operation["security"] for name, scopes in way.items()}
        assert ways.pop("oauth2", []) == ([scope] if scope else [])
        assert not any(ways.values())
        assert not scope or "bearer" in ways


def nodes(part, at=()):
    """Every object of a part of the document, with the steps that lead to it; no examples."""
    if isinstance(part, dict):
        yield at, part
    entries = part.items() if isinstance(part, dict) else enumerate(part)
    for step, value in entries:
        if step not in {"example", "examples"} and isinstance(value, dict | list):
            yield from nodes(value, (*at, step))


def test_generators_find_names_and_types_for_all_of_it():
    """Lists of words are components, and so are maps; no member is without a type."""
    refs = json.dumps(document())
    for at, node in nodes(document()):
        assert not [name for name in node if name.startswith("x-")], at
        assert "readOnly" not in node, at
        if isinstance(node.get("enum"), list) and "headers" not in at:
            assert at[:2] == ("components", "schemas"), at
            assert len(at) == 3, at
            assert "" not in node["enum"], at
            assert None not in node["enum"], at
        if at[-2:-1] == ("properties",) and at[-3] not in {"FieldChange", "if"}:
            assert node.keys() & {"type", "$ref", "allOf", "anyOf", "oneOf"}, at
        if at[:2] == ("components", "schemas") and len(at) == 3:
            assert f'"#/components/schemas/{at[2]}"' in refs, at


def test_a_parcel_has_to_say_for_whom_it_is():
    schema = {"$ref": "#/components/schemas/AddressBody"}
    without_name = {name: value for name, value in PARCELS.items() if name != "name"}
    assert list(validator(schema).iter_errors(PARCELS)) == []
    assert list(validator(schema).iter_errors(without_name))
    assert list(validator(schema).iter_errors(without_name | {"type": "MAILING"})) == []


@pytest.mark.parametrize(("path", "method", "operation"), CALLS)
def test_every_example_follows_its_schema(path, method, operation):
    for _, schema, value in examples(operation.get("requestBody", {})):
        assert list(validator(schema).iter_errors(value)) == []
    for response in operation["responses"].values():
        for kind, schema, value in examples(response):
            if kind == "application/xml":
                ET.fromstring(value)
                continue
            assert list(validator(schema).iter_errors(value)) == []
            assert kind != "application/json" or misshapen(value, schema) == []


# --- Is it true? ----------------------------------------------------------------------------------


@pytest.fixture
def everything(confidant, storage):
    """One thing of every kind, for paths, and the key that the examples show."""
    return make_documented(confidant)


@pytest.mark.django_db
@pytest.mark.parametrize("route", api_routes(), ids=lambda route: route.pattern)
def test_what_is_answered_is_what_is_documented(route, confidant, everything):
    """Down to the members and their order."""
    if "exchange" in route.pattern:
        confidant.api.credentials(HTTP_AUTHORIZATION=basic(confidant.key))
    for method in route.methods:
        responses = document()["paths"][route.path][method.lower()]["responses"]
        success = min(responses)
        answer = call(confidant.api, route, method, everything)
        assert str(answer.status_code) == success, answer.content
        if answer.get("Content-Type") == "application/json":
            schema = responses[success]["content"]["application/json"]["schema"]
            assert misshapen(answer.json(), schema) == []


@pytest.mark.django_db
@pytest.mark.parametrize("route", api_routes(), ids=lambda route: route.pattern)
def test_every_example_of_a_request_does_what_it_shows(route, confidant, everything):
    for method in route.methods:
        operation = document()["paths"][route.path][method.lower()]
        for kind, _, value in examples(operation.get("requestBody", {})):
            answer = send(confidant.api, method, route.url(everything), kind, value)
            assert str(answer.status_code) == min(operation["responses"]), answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["INDIVIDUAL", "BUSINESS", "GROUP"])
def test_a_customer_with_all_that_it_can_have_is_shown_as_documented(kind, owner, confidant):
    """The object is made by SQL; this is what keeps its documentation in step."""
    given = NEW_INDIVIDUAL if kind == "INDIVIDUAL" else NEW_BUSINESS | {"type": kind}
    addresses = [PARCELS, HOME, HOME | {"type": "PHYSICAL"}]
    created = owner.api.post("/v1/customers", given | {"addresses": addresses})
    schema = {"$ref": "#/components/schemas/CustomerObject"}
    for speaker in (owner, confidant):
        customer = speaker.api.get(created["Location"]).json()
        assert len(customer["addresses"]) == 3
        assert misshapen(customer, schema) == []
    documented = resolved({"$ref": f"#/components/schemas/{SHAPES[kind]}"})
    assert list(customer) == list(documented["properties"])
    assert set(documented["required"]) == set(customer)


def test_a_member_too_many_or_out_of_order_is_noticed():
    schema = {"$ref": "#/components/schemas/CustomerObject"}
    assert misshapen(BUSINESS, schema) == []
    assert misshapen(BUSINESS | {"new": 1}, schema)
    assert misshapen(dict(reversed(BUSINESS.items())), schema)
    assert misshapen({name: BUSINESS[name] for name in BUSINESS if name != "status"}, schema)
    contact = BUSINESS["contacts"][0] | {"new": 1}
    assert misshapen(BUSINESS | {"contacts": [contact]}, schema)


@pytest.mark.django_db(transaction=True)
def test_the_guide_runs_as_it_is_told(live_server, account, tmp_path, own_queue, settings):
    settings.PUBLIC_URL = live_server.url
    files = {"location": tmp_path / "results"}
    settings.STORAGES |= {"default": settings.STORAGES["default"] | {"OPTIONS": files}}
    key = factories.make_api_key(account)
    blocks = re.findall(r"```bash\n(.*?)```", story.told(), re.DOTALL)
    environ = {"KITH_URL": live_server.url, "KITH_KEY": key.id, "KITH_SECRET": key.secret}
    with worker(own_queue, tmp_path):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
            env=os.environ | environ | {"no_proxy": "*"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    assert done.returncode == 0, done.stderr + done.stdout
    assert '"extension":"31"' in done.stdout
    assert '"totalElements":1' in done.stdout
    assert '"field":"extension"' in done.stdout
    assert '"status":"FINISHED"' in done.stdout
    assert "id,businessAccountId,externalId,type" in done.stdout
    assert re.search(r"businessAccountId,externalId.*\n.*Lovelace", done.stdout)
    assert '"line":1,"sourceCustomerId":"C-1","outcome":"CREATED"' in done.stdout
    assert '"line":2,"errors":[' in done.stdout
    assert '"customerName":"Grace Hopper"' in done.stdout
    assert '"middleName":"King"' in done.stdout
