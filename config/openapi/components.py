"""The bodies of errors and the headers of answers: components that every document has."""

from config.api.errors import RETRY_SECONDS
from config.api.json import Json

REQUEST_ID = {"type": "string", "description": "The request's id, as in `X-Request-Id`."}
BODIES: dict[str, tuple[str, Json]] = {
    "/v1": (
        "Error",
        {
            "type": "object",
            "description": "What went wrong, and in which places of the request.",
            "properties": {
                "timestamp": {"type": "string", "format": "date-time"},
                "traceId": REQUEST_ID,
                "message": {"type": "string", "description": "For a person; may change."},
                "errorCode": {
                    "type": "string",
                    "pattern": "^[A-Z][A-Z0-9_]*$",
                    "description": "For a program; does not change.",
                },
                "errors": {
                    "type": "array",
                    "description": "Every wrong place; empty when it is not about one.",
                    "items": {"$ref": "#/components/schemas/WrongPlace"},
                },
            },
            "required": ["timestamp", "traceId", "message", "errorCode", "errors"],
        },
    ),
    "/core": (
        "CoreError",
        {
            "type": "object",
            "description": "What went wrong, as eGain's customer manager says it.",
            "properties": {
                "code": {"type": "string", "pattern": r"^\d{3}-\d{3}$"},
                "developerMessage": {"type": "string", "maxLength": 2048},
                "details": {
                    "type": "array",
                    "maxItems": 30,
                    "items": {"$ref": "#/components/schemas/CoreErrorDetail"},
                },
                "userMessage": {
                    "type": "string",
                    "maxLength": 1024,
                    "description": "When the request has `X-egain-error-message: yes`.",
                },
            },
            "required": ["code", "developerMessage", "details"],
        },
    ),
    "/v2": (
        "DataError",
        {
            "type": "object",
            "description": "What went wrong, as Cardlytics' data API says it.",
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "validationErrors": {
                    "type": "array",
                    "items": {
                        "type": "string",
                        "description": "Begins with a JSON Pointer: `/customers/3: …`.",
                    },
                },
                "requestId": REQUEST_ID,
            },
            "required": ["type", "title", "status", "validationErrors", "requestId"],
        },
    ),
}

# What the bodies consist of.
PARTS: dict[str, tuple[str, Json]] = {
    "/v1": (
        "WrongPlace",
        {
            "type": "object",
            "description": "A wrong place of a request.",
            "properties": {
                "path": {
                    "type": "string",
                    "description": "Such as `addresses[1].stateCode`; a parameter's name; "
                    '`""` for the body itself.',
                },
                "message": {"type": "string"},
                "errorCode": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
                "id": {"type": "string", "description": "Of the thing that is in the way."},
            },
            "required": ["path", "message", "errorCode"],
        },
    ),
    "/core": (
        "CoreErrorDetail",
        {
            "type": "object",
            "description": "Something to know about an error.",
            "properties": {
                "key": {"type": "string", "maxLength": 255},
                "value": {"type": "string", "maxLength": 255},
            },
            "required": ["key", "value"],
        },
    ),
}

# Headers of answers, and which of them only some errors have.
HEADERS: dict[str, Json] = {
    "X-Request-Id": {
        "description": "The request's id: the caller's, if it is a sane one, or a new one.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The client's limit: `q` requests in `w` seconds.",
        "schema": {"type": "string", "examples": ['"client";q=60000;w=60']},
    },
    "RateLimit": {
        "description": "What is left of it: `r` requests for `t` seconds.",
        "schema": {"type": "string", "examples": ['"client";r=59999;t=41']},
    },
    "WWW-Authenticate": {
        "description": "How to say who asks.",
        "required": True,
        "schema": {"type": "string", "examples": ["Bearer"]},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "string", "examples": [str(RETRY_SECONDS)]},
    },
    "Accept-Encoding": {
        "description": "How a body may be compressed.",
        "schema": {"type": "string", "examples": ["gzip, identity"]},
    },
    "Idempotent-Replayed": {
        "description": "`true` when this is the first answer again.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
