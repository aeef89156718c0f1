"""Code for each call in curl, Python and TypeScript, for the page of the documentation.

Whoever runs it sets `KITH_URL` and `TOKEN`, and the variables of the path.
"""

import json
import re

from inflection import underscore

from config.openapi.calls import JSON_TYPE, Call

VARIABLE = re.compile(r"\{(\w+)\}")


def samples(call: Call) -> dict[str, str]:
    """The code by the language's name."""
    return {"curl": curl(call), "Python": python(call), "TypeScript": typescript(call)}


def curl(call: Call) -> str:
    """For a shell."""
    path = VARIABLE.sub(lambda found: f"${underscore(found[1]).upper()}", call.path)
    lines = [f'curl --request {call.method} "$KITH_URL{path}"']
    if call.query:
        lines[0] = f'curl --get "$KITH_URL{path}"'
        lines += [f"--data-urlencode {quoted(f'{key}={text}')}" for key, text in call.query.items()]
    if call.security == "apiKey":
        lines.append('--user "$KITH_KEY:$KITH_SECRET"')
    elif call.security:
        lines.append('--header "Authorization: Bearer $TOKEN"')
    if call.content_type == JSON_TYPE:
        lines.append('--header "Content-Type: application/json"')
        lines.append(f"--data {quoted(json.dumps(call.body, indent=2, ensure_ascii=False))}")
    elif call.content_type:
        lines.append(f'--header "Content-Type: {call.content_type}"')
        lines.append("--data-binary @customers.ndjson")
    return " \\\n  ".join(lines)


def quoted(text: str) -> str:
    """A text as one word of a shell, also where it needs no quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def python(call: Call) -> str:
    """With requests."""
    path = VARIABLE.sub(lambda found: f"{{{underscore(found[1])}}}", call.path)
    given = [f'f"{{url}}{path}"']
    if call.query:
        given.append(f"params={call.query!r}")
    if call.security == "apiKey":
        given.append("auth=(key, secret)")
    headers = ['"Authorization": f"Bearer {token}"'] if call.security not in {"", "apiKey"} else []
    if call.content_type == JSON_TYPE:
        given.append(f"json={literal(call.body)}")
    elif call.content_type:
        headers.append(f'"Content-Type": "{call.content_type}"')
        given.append('data=open("customers.ndjson", "rb")')
    if headers:
        given.insert(1, f"headers={{{', '.join(headers)}}}")
    arguments = ",\n".join(indented(each) for each in given)
    return (
        f"import requests\n\nanswer = requests.{call.method.lower()}(\n{arguments},\n)\n"
        "answer.raise_for_status()\nprint(answer.text)"
    )


def literal(value: object, depth: int = 0) -> str:
    """A JSON value in Python's words, one member a line."""
    inner, outer = "    " * (depth + 1), "    " * depth
    match value:
        case dict():
            members = [f"{inner}{key!r}: {literal(each, depth + 1)}" for key, each in value.items()]
            return "{\n" + ",\n".join(members) + f",\n{outer}}}" if members else "{}"
        case list():
            entries = [f"{inner}{literal(each, depth + 1)}" for each in value]
            return "[\n" + ",\n".join(entries) + f",\n{outer}]" if entries else "[]"
        case _:
            return repr(value)


def typescript(call: Call) -> str:
    """With fetch, as browsers, Node and Deno have it."""
    path = VARIABLE.sub(lambda found: f"${{{found[1]}}}", call.path)
    query = "?${new URLSearchParams(query)}" if call.query else ""
    headers, lines = [], [f'method: "{call.method}"']
    if call.security == "apiKey":
        headers.append("Authorization: `Basic ${btoa(`${key}:${secret}`)}`")
    elif call.security:
        headers.append("Authorization: `Bearer ${token}`")
    if call.content_type:
        headers.append(f'"Content-Type": "{call.content_type}"')
    if headers:
        lines.append(f"headers: {{ {', '.join(headers)} }}")
    if call.content_type == JSON_TYPE:
        body = json.dumps(call.body, indent=2, ensure_ascii=False)
        lines.append(f"body: JSON.stringify({body})")
    elif call.content_type:
        lines.append("body: file")
    options = ",\n".join(indented(each, "  ") for each in lines)
    before = f"const query = {json.dumps(call.query)};\n" if call.query else ""
    return (
        f"{before}const answer = await fetch(`${{url}}{path}{query}`, {{\n{options},\n}});\n"
        "if (!answer.ok) throw new Error(await answer.text());\nconsole.log(await answer.text());"
    )


def indented(text: str, by: str = "    ") -> str:
    """A text with this before each of its lines."""
    return "\n".join(by + line for line in text.splitlines())
