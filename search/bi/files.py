"""A file from storage as an HTTP response: whole, a range of it, where it is, or nothing new.

Django's `FileResponse` knows no ranges.
"""

import re

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from config import files
from config.api.errors import ApiError
from config.api.preconditions import is_known


class RangeNotSatisfiable(ApiError):
    """The range begins behind the end of the file."""

    status = 416
    code = "RANGE_NOT_SATISFIABLE"


def file_response(
    request: Request | HttpRequest, name: str, *, file_name: str, content_type: str, etag: str
) -> HttpResponseBase:
    """The stored file `name`, offered under `file_name`; `etag` without its quotes.

    One range of bytes is 206; several, or a range in another unit, get the whole file, as RFC 9110
    allows. A bucket that clients can reach sends the file itself: 302. Raises `FileNotFoundError`
    when storage does not have it.
    """
    headers = {
        "ETag": f'"{etag}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{file_name}"',
    }
    if is_known(etag, request.headers.get("If-None-Match", "")):
        return HttpResponse(status=304, headers=headers)
    size = files.size(name)
    if request.method == "HEAD":
        headers["Content-Length"] = str(size)
        return HttpResponse(content_type=content_type, headers=headers)
    if link := files.link(name, file_name=file_name, content_type=content_type):
        return HttpResponseRedirect(link, headers={"Cache-Control": "no-store"})
    asked = request.headers.get("Range", "")
    if request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"':
        asked = ""
    part = byte_range(asked, size)
    first, last = part or (0, size - 1)
    if part:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    return StreamingHttpResponse(
        files.blocks(name, first, last - first + 1),
        status=206 if part else 200,
        content_type=content_type,
        headers=headers,
    )


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a `Range` header; None when it asks for nothing we give in parts.

    Raises `RangeNotSatisfiable`.
    """
    match = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", header.replace(" ", ""), re.ASCII)
    if match is None or match[0] == "bytes=-":
        return None
    start, end = match.groups()
    if start:
        first, last = int(start), min(int(end or size), size - 1)
        if end and int(end) < first:
            return None
    else:
        first, last = max(0, size - int(end)), size - 1
    if first >= size:
        raise RangeNotSatisfiable(
            f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"}
        )
    return first, last
