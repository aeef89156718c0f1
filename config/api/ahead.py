"""What a call asks of the database together with whose token it has, in one round trip."""

from typing import Any, NamedTuple

Row = tuple[Any, ...]  # of values whose types only the statement tells


class Ahead(NamedTuple):
    """A statement of one row at most, and its values.

    `sql` reads the business accounts that the token sees from `TREE`, so that it finds nothing that
    whoever has the token may not see. What a client may do is judged before anybody looks at it.
    """

    sql: str
    values: tuple[object, ...]


# An array of ids.
TREE = "told.tree"
