"""One shard of each logged table, as a distributed engine would have them on a node.

They are tables of this server, with the names, the triggers and the catalog that they have there.
"""

from django.db import connection

from customers import trigger_bodies
from customers.tracked import TRACKED

CATALOG = """
    CREATE TEMPORARY TABLE pg_dist_shard (
        logicalrelid regclass NOT NULL, shardid bigint PRIMARY KEY, shardminvalue text)
    ON COMMIT DROP"""
SHARD = """
    CREATE TABLE {shard} (LIKE {table} INCLUDING GENERATED INCLUDING DEFAULTS);
    INSERT INTO pg_dist_shard VALUES ('{table}', {number}, '-2147483648'),
        ('{table}', {number} + 100, '0')"""
TRIGGERS = """
    CREATE TRIGGER recorded_insert AFTER INSERT ON {shard}
        REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {function}();
    CREATE TRIGGER recorded_update AFTER UPDATE ON {shard}
        REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION {function}();
    CREATE TRIGGER recorded_delete AFTER DELETE ON {shard}
        REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION {function}()"""
FIRST = 102008


class Shards:
    """Made within the current transaction; the tables themselves stay as they are."""

    def __init__(self) -> None:
        tables = [*(each.table for each in TRACKED), "customers_change"]
        self._numbers = {table: FIRST + number for number, table in enumerate(tables)}
        with connection.cursor() as cursor:
            cursor.execute(CATALOG)
            for table, number in self._numbers.items():
                cursor.execute(SHARD.format(shard=self.of(table), table=table, number=number))
            for each in TRACKED:
                # The function of the table itself stays: here both are on one server.
                function = f"{each.function}_of_shards"
                made = trigger_bodies.create(each, trigger_bodies.sharded(each))
                cursor.execute(made.replace(f"{each.function}()", f"{function}()"))
                cursor.execute(TRIGGERS.format(shard=self.of(each.table), function=function))

    def of(self, table: str) -> str:
        """The name of the shard of a table."""
        return f"{table}_{self._numbers[table]}"
