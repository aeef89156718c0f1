"""The calls as a collection for Postman, which Bruno, Insomnia and Hoppscotch import as well.

Its variables are `baseUrl`, `key` and `secret`; the first request, for a token, sets `token`.
"""

import json
from collections.abc import Iterable, Mapping

from django.conf import settings

from config.api.json import Json
from config.openapi.calls import JSON_TYPE, Call, by_tag

FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
KEEP_TOKEN = {
    "listen": "test",
    "script": {
        "type": "text/javascript",
        "exec": [
            "if (pm.response.code === 200) {",
            '  pm.collectionVariables.set("token", pm.response.json().access_token);',
            "}",
        ],
    },
}


def collection(document: Json) -> Json:
    """The collection, in its format 2.1."""
    texts = {tag["name"]: tag["description"] for tag in document["tags"]}
    return {
        "info": {
            "name": document["info"]["title"],
            "version": document["info"]["version"],
            "description": "Set `key` and `secret`, and send “Get an access token” first.",
            "schema": FORMAT,
        },
        "auth": credentials("bearer", {"token": "{{token}}"}),
        "variable": [
            {"key": "baseUrl", "value": settings.PUBLIC_URL},
            *({"key": name, "value": ""} for name in ("key", "secret", "token")),
        ],
        "item": [
            {"name": tag, "description": texts[tag], "item": [request(call) for call in group]}
            for tag, group in by_tag(document)
        ],
    }


def credentials(kind: str, values: Mapping[str, str]) -> Json:
    """How a request proves itself."""
    return {"type": kind, kind: pairs(values.items())}


def pairs(values: Iterable[tuple[str, str]]) -> list[Json]:
    """Names with values, as the format has them."""
    return [{"key": key, "value": value} for key, value in values]


def request(call: Call) -> Json:
    """One call; what is optional in its query is there, and switched off."""
    query = pairs(call.query.items()) + [
        {"key": name, "value": "", "description": words, "disabled": True}
        for name, words in call.optional.items()
    ]
    steps = [f":{step[1:-1]}" if step[:1] == "{" else step for step in call.path[1:].split("/")]
    sent = "?" + "&".join(f"{key}={value}" for key, value in call.query.items())
    made: Json = {
        "method": call.method,
        "description": call.description,
        "header": pairs([("Content-Type", call.content_type)] if call.content_type else []),
        "url": {
            "raw": "{{baseUrl}}/" + "/".join(steps) + (sent if call.query else ""),
            "host": ["{{baseUrl}}"],
            "path": steps,
            "query": query,
            "variable": pairs((name, "") for name in call.variables),
        },
    }
    if call.security == "apiKey":
        made["auth"] = credentials("basic", {"username": "{{key}}", "password": "{{secret}}"})
    elif not call.security:
        made["auth"] = {"type": "noauth"}
    if call.content_type:
        is_json = call.content_type == JSON_TYPE
        made["body"] = {
            "mode": "raw",
            "raw": json.dumps(call.body, indent=2, ensure_ascii=False) if is_json else call.body,
            "options": {"raw": {"language": "json" if is_json else "text"}},
        }
    item: Json = {"name": call.summary, "request": made}
    return item | {"event": [KEEP_TOKEN]} if call.security == "apiKey" else item
