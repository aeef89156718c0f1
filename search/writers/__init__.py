"""Programs that make workbooks and Parquet files of the rows of a search.

One is run for each file, in a process of its own, and knows no Django: what it imports and needs
is gone when the file is written. It reads the rows from standard input as PostgreSQL sends them, in
CSV without a header, an empty cell being one that has no value, and writes the file to standard
output. It ends with one of the codes below when it cannot.
"""

from typing import NamedTuple

FAILED = 1
TEXT_TOO_LONG = 3
NOT_INSTALLED = 4


class Column(NamedTuple):
    """A column's name, and what its cells are; see `search.columns.TYPES`."""

    name: str
    type: str
