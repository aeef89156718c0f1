"""Code and collection that are made of the document: each call is in them, and works."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import requests
import yaml
from django.test import Client as Browser

from config.openapi import story
from config.openapi.calls import calls
from config.openapi.samples import samples
from customers.examples import NEW_INDIVIDUAL
from tests import factories, node
from tests.documented import document, operations
from tests.inventory import make_inventory

HERE = Path(__file__).parent / "openapi"
CALLS = [pytest.param(call, id=call.name) for call in calls(document())]
GLOBALS = "declare const url: string, token: string, key: string, secret: string, file: Blob;\n"


def collection():
    return Browser().get("/docs/collection.json").json()


def requests_of(folder):
    """Every request of the collection."""
    return [item["request"] for section in folder["item"] for item in section["item"]]


@pytest.mark.parametrize("call", CALLS)
def test_code_of_each_call_can_be_read_by_its_language(call):
    code = samples(call)
    assert list(code) == ["curl", "Python", "TypeScript"]
    words = shlex.split(code["curl"].replace("\\\n", " "))
    assert words[0] == "curl"
    if call.content_type == "application/json":
        assert json.loads(words[words.index("--data") + 1]) == call.body
    compile(code["Python"], call.name, "exec")


def test_the_page_gets_code_for_every_call():
    answer = Browser().get("/docs/samples.json")
    assert list(answer.json()) == [f"{method} {path}" for path, method, _ in operations()]
    assert (
        Browser().get("/docs/samples.json", headers={"If-None-Match": answer["ETag"]}).status_code
        == 304
    )


@pytest.mark.django_db(transaction=True)
def test_the_code_for_python_runs(live_server, account, capsys):
    key = factories.make_api_key(account)
    token = factories.make_token(key.client)
    code = {call.name: samples(call)["Python"] for call in calls(document())}
    known = {"url": live_server.url, "key": key.id, "secret": key.secret, "token": token}
    for name, says in (
        ("exchangeApiKey", "access_token"),
        ("createCustomer", "businessAccountId"),
        ("listCustomers", "totalElements"),
        ("searchCustomers", ""),
    ):
        exec(compile(code[name], name, "exec"), {**known})
        assert says in capsys.readouterr().out
    url = f"{live_server.url}/v1/customers?name={NEW_INDIVIDUAL['lastName']}"
    found = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30).json()
    assert found["totalElements"] <= 1


@pytest.mark.node
def test_the_code_for_typescript_type_checks(tmp_path):
    for call in calls(document()):
        names = "".join(f"declare const {name}: string;\n" for name in call.variables)
        code = f"export {{}};\n{GLOBALS}{names}{samples(call)['TypeScript']}\n"
        (tmp_path / f"{call.name}.ts").write_text(code)
    shutil.copy(HERE / "tsconfig.json", tmp_path)
    node.run("tsc", "--project", tmp_path / "tsconfig.json")


def test_the_collection_has_every_call_once():
    sent = [
        (each["method"], re.sub(r":(\w+)", r"{\1}", "/" + "/".join(each["url"]["path"])))
        for each in requests_of(collection())
    ]
    assert sorted(sent) == sorted((method, path) for path, method, _ in operations())
    assert collection()["info"]["schema"].endswith("/v2.1.0/collection.json")


@pytest.mark.django_db
def test_requests_of_the_collection_do_what_they_are_for(confidant, storage):
    things = {
        "".join([words[0], *map(str.title, words[1:])]): value
        for name, value in make_inventory(confidant).items()
        if (words := name.split("_"))
    }
    for each in requests_of(collection()):
        path = "/" + "/".join(
            str(things[step[1:]]) if step.startswith(":") else step for step in each["url"]["path"]
        )
        if each["method"] != "GET" or "auth" in each:
            continue
        query = {
            one["key"]: one["value"] for one in each["url"]["query"] if not one.get("disabled")
        }
        answer = confidant.api.get(path, query)
        assert answer.status_code in {200, 404}, (path, answer.content)


def test_the_guide_has_the_settings_that_the_generated_client_is_tested_with():
    shown = re.search(r"```yaml\n(.*?)```", story.told(), re.DOTALL).group(1)
    assert yaml.safe_load(shown) == yaml.safe_load((HERE / "client.yaml").read_text())
