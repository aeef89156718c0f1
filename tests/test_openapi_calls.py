"""Code and collection that are made of the document: each call is in them, and works."""

import base64
import json
import re
import shlex
import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
import yaml
from django.db import transaction
from django.test import Client as Browser

from config.openapi import story
from config.openapi.calls import calls
from config.openapi.samples import samples
from customers.examples import NEW_INDIVIDUAL
from tests import factories, node
from tests.documented import document, documented_routes, operations
from tests.inventory import make_documented

HERE = Path(__file__).parent / "openapi"
CALLS = [pytest.param(call, id=call.name) for call in calls(document())]
GLOBALS = "declare const url: string, token: string, key: string, secret: string, file: Blob;\n"


def collection():
    return Browser().get("/docs/collection.json").json()


def items(whole):
    """Every request of a collection with its name and script, in its order."""
    return [item for section in whole["item"] for item in section["item"]]


def path_of(request):
    """Its path as the document spells it."""
    return re.sub(r":(\w+)", r"{\1}", "/" + "/".join(request["url"]["path"]))


def authorization(auth, variables):
    """The header that Postman makes of the way in which a request proves itself."""
    given = {each["key"]: filled(each["value"], variables) for each in auth.get(auth["type"], ())}
    if auth["type"] == "basic":
        pair = f"{given['username']}:{given['password']}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    return {"Authorization": f"Bearer {given['token']}"} if auth["type"] == "bearer" else {}


def filled(text, variables):
    """A text with the variables of the collection."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: variables[found[1]], text)


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


def test_the_code_for_typescript_type_checks(tmp_path):
    for call in calls(document()):
        names = "".join(f"declare const {name}: string;\n" for name in call.variables)
        code = f"export {{}};\n{GLOBALS}{names}{samples(call)['TypeScript']}\n"
        (tmp_path / f"{call.name}.ts").write_text(code)
    shutil.copy(HERE / "tsconfig.json", tmp_path)
    node.run("tsc", "--project", tmp_path / "tsconfig.json")


def test_the_collection_has_every_call_once():
    whole = collection()
    sent = [(item["request"]["method"], path_of(item["request"])) for item in items(whole)]
    assert sorted(sent) == sorted((method, path) for path, method, _ in operations())
    assert whole["info"]["schema"].endswith("/v2.1.0/collection.json")


@pytest.mark.django_db
def test_each_request_of_the_collection_does_what_it_is_for(confidant, storage, anonymous):
    """Sent as it is by somebody who has a key and, for the paths, ids of what there is."""
    things = make_documented(confidant)
    routes = {route.path: route for route in documented_routes().values()}
    whole = collection()
    variables = {"key": confidant.key.id, "secret": confidant.key.secret}
    for item in items(whole):
        request = item["request"]
        url, method = request["url"], request["method"]
        query = {each["key"]: each["value"] for each in url["query"] if not each.get("disabled")}
        path = routes[path_of(request)].url(things)
        with transaction.atomic():
            answer = anonymous.generic(
                method,
                f"{path}?{urlencode(query)}" if query else path,
                request.get("body", {}).get("raw", ""),
                content_type=next((each["value"] for each in request["header"]), ""),
                headers=authorization(request.get("auth", whole["auth"]), variables),
            )
            transaction.set_rollback("event" not in item)
        success = min(document()["paths"][path_of(request)][method.lower()]["responses"])
        assert str(answer.status_code) == success, (item["name"], answer.content)
        if "event" in item:
            variables["token"] = answer.json()["access_token"]


def test_the_guide_has_the_settings_that_the_generated_client_is_tested_with():
    shown = re.search(r"```yaml\n(.*?)```", story.told(), re.DOTALL).group(1)
    assert yaml.safe_load(shown) == yaml.safe_load((HERE / "client.yaml").read_text())
