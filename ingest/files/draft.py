"""A file that an operator uploads, in whatever form a program saved it, on its way to storage."""

from collections.abc import Iterator
from itertools import chain

from ingest.files.table import TableUpload


class DraftUpload(TableUpload):
    """A table in any encoding and under any header, or NDJSON: its first character tells."""

    def _split(self, plain: Iterator[bytes]) -> Iterator[list[bytes]]:
        first = next(plain, b"")
        whole = chain([first], plain)
        if first.lstrip().startswith(b"{"):
            # Not as a table: as what that is made of.
            yield from super(TableUpload, self)._split(whole)
        else:
            yield from super()._split(whole)
