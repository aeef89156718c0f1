"""An ASGI scope as the environ of a WSGI application."""

import sys
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from asgiref.typing import HTTPScope

# Headers that WSGI knows without `HTTP_`.
BARE = {"CONTENT_TYPE", "CONTENT_LENGTH"}
NAMES: dict[bytes, str] = {}
KNOWN_NAMES = 1000
CONSTANT = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    # The stream ends where the body does, whether its length was announced or not.
    "wsgi.input_terminated": True,
}


def environ_of(scope: HTTPScope) -> WSGIEnvironment:
    """The environ of a request, without `wsgi.input`.

    Header names with an underscore are left out: they could pass for those with a hyphen, which a
    proxy in front may have set or removed.
    """
    host, port = scope.get("server") or ("", "")
    client = scope.get("client") or ("", "")
    environ: WSGIEnvironment = CONSTANT | {
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.url_scheme": scope["scheme"],
    }
    for name, value in scope["headers"]:
        if b"_" in name:
            continue
        key = NAMES.get(name) or _key(name)
        text = value.decode("latin-1")
        if key in environ:
            text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    return environ


def _key(name: bytes) -> str:
    """The key of a header; the usual ones are made once."""
    key = name.decode("latin-1").upper().replace("-", "_")
    key = key if key in BARE else f"HTTP_{key}"
    if len(NAMES) < KNOWN_NAMES:
        NAMES[name] = key
    return key
