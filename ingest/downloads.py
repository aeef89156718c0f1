"""Lines as a file that a client or a browser saves."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse

JSON_LINES, TABLE = "application/x-ndjson", "text/csv; charset=utf-8"


def download(
    lines: Iterable[bytes], name: str, content_type: str = JSON_LINES
) -> StreamingHttpResponse:
    """Lines as a file to be saved under this name."""
    return StreamingHttpResponse(
        lines,
        content_type=content_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )
