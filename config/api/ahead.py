"""What a call asks of the database together with whose token it has, in one round trip."""

from collections.abc import Sequence
from typing import Any, NamedTuple

Row = tuple[Any, ...]  # of values whose types only the statement tells


class Ahead(NamedTuple):
    """A statement of one row at most, and its values; first the business account whose the row is.

    `sql` reads the accounts that the token sees from `TREE`, so that it finds nothing that whoever
    has the token may not see. One that `is_apart` goes in the same message as the token's, for what
    lies elsewhere than the token; then the row of an account that the token does not see is not
    given to anybody. What a client may do is judged before anybody looks at it.
    """

    sql: str
    values: Sequence[object]
    is_apart: bool = False


# An array of ids.
TREE = "told.tree"

# What is given where nothing was found.
NOTHING: Row = (None,)
