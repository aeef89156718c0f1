"""`/schema` and `/docs`."""

from functools import cache

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import conditional_page, require_safe
from django.views.decorators.vary import vary_on_headers
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.settings import spectacular_settings

TYPES = {"json": "application/json", "yaml": "application/yaml"}
YAML = ("application/yaml", "application/vnd.oai.openapi", "text/yaml", "application/x-yaml")


@cache
def document(kind: str) -> bytes:
    """The OpenAPI document as `json` or `yaml`; made once, for it only changes with the code."""
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
    """`/docs`: the document for people, rendered by Redoc without anything from elsewhere."""
    return render(request, "docs.html")
