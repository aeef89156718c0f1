"""`/schema` and `/docs`."""

from collections.abc import Callable
from functools import cache
from threading import Lock

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import conditional_page, require_safe
from django.views.decorators.vary import vary_on_headers
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.settings import spectacular_settings

from config.api.json import Json
from config.openapi.calls import by_tag, calls
from config.openapi.collection import collection
from config.openapi.samples import samples

TYPES = {"json": "application/json", "yaml": "application/yaml"}
YAML = ("application/yaml", "application/vnd.oai.openapi", "text/yaml", "application/x-yaml")


# drf-spectacular finds its extensions when it is first asked, and stumbles when two threads ask.
one_at_a_time = Lock()


def document(kind: str) -> bytes:
    """The OpenAPI document as `json` or `yaml`; made once, for it only changes with the code."""
    with one_at_a_time:
        return made(kind)


@cache
def made(kind: str) -> bytes:
    """It, made by whoever is first."""
    generator = spectacular_settings.DEFAULT_GENERATOR_CLASS()
    content = generator.get_schema(request=None, public=True)
    if kind == "yaml":
        return bytes(OpenApiYamlRenderer().render(content))  # type: ignore[no-untyped-call]
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


@require_safe
@conditional_page
@vary_on_headers("Accept")
def schema(request: HttpRequest) -> HttpResponse:
    """`/schema`: JSON, or YAML where `Accept` or `?format=yaml` asks for it."""
    kind = request.GET.get("format", "")
    if kind not in TYPES:
        preferred = request.get_preferred_type(["application/json", *YAML])
        kind = "yaml" if preferred in YAML else "json"
    return HttpResponse(
        document(kind), content_type=TYPES[kind], headers={"Cache-Control": "no-cache"}
    )


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """`/docs`: the document for people, drawn by Swagger UI without anything from elsewhere."""
    return render(request, "docs.html", {"sections": by_tag(orjson.loads(document("json")))})


@require_safe
def signed_in(request: HttpRequest) -> HttpResponse:
    """`/docs/oauth2-redirect`: a sign-in from `/docs` ends here; a script hands the code over."""
    return render(request, "docs_signed_in.html")


@require_safe
@conditional_page
def code(_request: HttpRequest) -> HttpResponse:
    """`/docs/samples.json`: code for each call, by its method and path."""
    return made_json(made_of_document(code_of_calls))


@require_safe
@conditional_page
def postman(_request: HttpRequest) -> HttpResponse:
    """`/docs/collection.json`: the calls for Postman and its like."""
    return made_json(made_of_document(collection))


@cache
def made_of_document(make: Callable[[Json], Json]) -> bytes:
    """What `make` makes of the document; once, as the document itself."""
    return orjson.dumps(make(orjson.loads(document("json"))))


def code_of_calls(content: Json) -> Json:
    """Code in each language by method and path."""
    return {f"{call.method} {call.path}": samples(call) for call in calls(content)}


def made_json(content: bytes) -> HttpResponse:
    """An answer that is asked for again each time, and sent only when it has changed."""
    return HttpResponse(
        content, content_type="application/json", headers={"Cache-Control": "no-cache"}
    )
