"""From the URL table to the OpenAPI document: what a view's own declarations tell of it."""

import re
from collections.abc import Mapping
from typing import Any, cast

from django.conf import settings
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import AllowAny

from config.api.actors import SCOPES
from config.api.dialects import base_of
from config.api.errors import ApiError
from config.api.json import Json
from config.api.pagination import DEFAULT_SIZE, MAX_OFFSET, MAX_SIZE
from config.api.views import ApiView
from config.openapi import ERRORS, IF_MATCH, components, refusals, story
from config.openapi.bodies import BodyDocumentation, OneOfDocumentation
from config.openapi.links import add_links
from config.openapi.names import with_names

# Known to drf-spectacular by being there.
EXTENSIONS = (BodyDocumentation, OneOfDocumentation)
EVERYWHERE = (400, 414, 429, 500, 503)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 6, "maxLength": 255, "pattern": "^[ -~]+$"},
    OpenApiParameter.HEADER,
    description="Makes the call safe to repeat: the same key and body get the first answer again, "
    "for 24 hours.",
)
PAGING = [
    OpenApiParameter(
        "page",
        # No `default`: generated clients would send it, beside a `cursor` too.
        {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET},
        description="Number of the page, from 0; the first one unless given.",
    ),
    OpenApiParameter(
        "size",
        {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
        description="Entries on a page.",
    ),
    OpenApiParameter(
        "cursor",
        str,
        description="Instead of `page`: the `nextCursor` of the page before, with the same "
        "filters and order, by a token of the same business account. A deep page costs no more "
        "than the first one.",
    ),
]


class ApiSchema(AutoSchema):
    """Documents a method of an `ApiView`; what `config.openapi.operation` says comes on top.

    From the view's `scopes` come security, 401 and 403; from `parameters`, `repeatable` and `sorts`
    the query; from `idempotent` the `Idempotency-Key`, 409 and 422; from variables of the path 404;
    from a body 408, 413 and 415; from `If-Match` 412.
    """

    @property
    def api(self) -> ApiView:
        """The view."""
        return cast("ApiView", self.view)

    @property
    def base(self) -> str:
        """The API base of the path, whose error body it has."""
        return base_of(self.path) or "/v1"

    @property
    def is_repeatable(self) -> bool:
        """Whether the method honours an `Idempotency-Key`."""
        return self.method == "POST" and self.api.idempotent and bool(self.api.get_authenticators())

    def get_operation(
        self,
        path: str,
        path_regex: str,
        path_prefix: str,
        method: str,
        registry: ComponentRegistry,
    ) -> Json | None:
        """The operation object; None for what is left out of the document."""
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        return None if operation is None else self._completed(operation)

    def _completed(self, operation: Json) -> Json:
        """The operation with what the view's declarations tell of it."""
        own = refusals.by_status(operation.pop(ERRORS, ()))
        if "/self" in self.path:
            operation["operationId"] = re.sub("^(read|list)", r"\1Own", operation["operationId"])
            operation["summary"] += " (of the token's own)"
        if body := operation.get("requestBody"):
            # A PUT is a merge, and may have nothing to say.
            body["required"] = self.method == "POST"
        if scope := self.api.scopes.get(self.method):
            operation["description"] += f"\n\nScope: `{scope}`"
        for response in operation["responses"].values():
            response.setdefault("headers", {}).update(self._headers())
        general = self._statuses(operation)
        for status in general | own.keys():
            response = self._refusal(status, own.get(status, []), is_general=status in general)
            operation["responses"][str(status)] = response
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return operation

    def get_summary(self) -> str | None:
        """The first line of the method's docstring."""
        return str(self.get_description()).partition("\n")[0]

    def get_tags(self) -> list[str]:
        """The section that the path belongs to; a new part of the API has one of its own."""
        for tag in story.TAGS:
            if re.match(tag.paths, self.path):
                return [tag.name]
        words = self.path.removeprefix(self.base).strip("/").partition("/")[0]
        return [words.replace("-", " ").capitalize()]

    def get_auth(self) -> list[Json]:
        """OAuth 2 with the scope, or the token that it gives."""
        view = self.api
        if not view.get_authenticators():
            return [{}]
        scope = view.scopes.get(self.method)
        names = ("bearer", *(["session"] if self.base == "/v2" else []))
        auth: list[Json] = [{name: []} for name in names]
        auth.append({"oauth2": [str(scope)] if scope else []})
        return [*auth, {}] if AllowAny in view.permission_classes else auth

    def get_override_parameters(self) -> list[Any]:  # the base's also gives serializers
        """Paging, order, `Idempotency-Key`."""
        view = self.api
        names = (view.parameters or {}).get(self.method, ())
        found = [parameter for parameter in PAGING if parameter.name in names]
        if "sort" in names:
            found.append(sort_parameter(getattr(view, "sorts", {})))
        if self.is_repeatable:
            found.append(IDEMPOTENCY_KEY)
        return found

    def _headers(self) -> Json:
        names = ["X-Request-Id"]
        if self.api.get_authenticators():
            names += ["RateLimit-Policy", "RateLimit"]
        if self.is_repeatable:
            names.append("Idempotent-Replayed")
        return refusals.headers(*names)

    def _statuses(self, operation: Json) -> set[int]:
        """The errors that every method with these declarations can give."""
        given = {*EVERYWHERE}
        if self.api.get_authenticators():
            given.add(401)
        if self.method in self.api.scopes:
            given.add(403)
        if "{" in self.path:
            given.add(404)
        if operation.get("requestBody"):
            given |= {408, 413, 415}
        if self.is_repeatable:
            given |= {409, 413, 422}
        if any(each["name"] == IF_MATCH.name for each in operation.get("parameters", ())):
            given.add(412)
        return given

    def _refusal(self, status: int, own: list[ApiError], *, is_general: bool) -> Json:
        name, schema = components.BODIES[self.base]
        self._component(name, ResolvedComponent.SCHEMA, schema)
        if part := components.PARTS.get(self.base):
            self._component(part[0], ResolvedComponent.SCHEMA, part[1])
        response = refusals.response(self.base, status, own, is_general=is_general)
        if own:
            return response
        return self._component(f"{name}{status}", ResolvedComponent.RESPONSE, response)

    def _component(self, name: str, kind: str, schema: Json) -> Json:
        component = ResolvedComponent(name, kind, schema, object=name)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return component.ref


def scopes() -> dict[str, str]:
    """The scopes, in words."""
    return {str(scope): words for scope, words in SCOPES.items()}


def sort_parameter(sorts: Mapping[str, str]) -> OpenApiParameter:
    """`sort`, with the names that a view sorts by."""
    pattern = f"^({'|'.join(sorts)})(,(ASC|DESC))?$"
    return OpenApiParameter(
        "sort",
        {"type": "array", "items": {"type": "string", "pattern": pattern}},
        explode=True,
        description=f"By what: {', '.join(f'`{name}`' for name in sorts)}, each with `,ASC` or "
        "`,DESC` behind it. Give it again for the next key.",
    )


def complete(result: Json, **_context: object) -> Json:
    """What stands once in the document: the story, sections, security, headers."""
    result["servers"] = [{"url": settings.PUBLIC_URL, "description": "This installation."}]
    result["info"] |= {
        "title": "Kith",
        "version": settings.VERSION,
        "summary": "A self-hosted customer account registry",
        "description": story.told(),
        "contact": {"name": "Whoever runs this installation", "url": settings.PUBLIC_URL},
        "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    }
    result["tags"] = [
        {"name": tag.name, "description": tag.description}
        for tag in story.TAGS
        if any(
            tag.name in each["tags"] for path in result["paths"].values() for each in path.values()
        )
    ]
    result["components"] |= {"headers": components.HEADERS, "securitySchemes": SECURITY}
    add_links(result["paths"])
    return with_names(result)


OAUTH2 = f"{settings.PUBLIC_URL}/oauth2"
SECURITY: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token, from `POST /v1/api-keys/exchange` or OAuth 2.",
    },
    "oauth2": {
        "type": "oauth2",
        "description": "The same access tokens. All endpoints are listed at "
        "`/.well-known/oauth-authorization-server`.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": f"{OAUTH2}/token",
                "scopes": scopes(),
            },
            "authorizationCode": {
                "authorizationUrl": f"{OAUTH2}/authorize",
                "tokenUrl": f"{OAUTH2}/token",
                "refreshUrl": f"{OAUTH2}/token",
                "scopes": scopes(),
            },
        },
    },
    "session": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CDLX-Session-Token",
        "description": "The same access tokens, under `/v2`; `POST /v2/session/startSession` gives "
        "one.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "basic",
        "description": "The id and the secret of an API key.",
    },
}
