"""Whether a distributed database is whole: on the coordinator, on each node and each shard."""

from collections.abc import Iterator

from django.db import connection

from customers.distribution.catalog import Catalog, rows
from customers.distribution.layout import distributed, references
from customers.distribution.plan import SETTINGS, plan

# What a table's triggers come to: their functions, and when each fires. Names differ from shard to
# shard.
OF_TABLE = """
    SELECT coalesce(string_agg(concat_ws(' ', tgfoid::regproc, tgtype, tgenabled), ', '
        ORDER BY tgfoid::regproc::text, tgtype), '')
    FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = '{}'::regclass"""
OF_FUNCTIONS = """
    SELECT coalesce(string_agg(proname || ' ' || md5(prosrc), ', ' ORDER BY proname), '')
    FROM pg_proc WHERE proname LIKE 'kith\\_%'"""
ON_PLACEMENTS = """
    SELECT nodename || ':' || nodeport, shardid, success, result
    FROM run_command_on_placements(%s, %s)"""
ON_WORKERS = """
    SELECT nodename || ':' || nodeport, success, result FROM run_command_on_workers(%s)"""


def problems(catalog: Catalog) -> Iterator[str]:
    """What is wrong, each in a line; nothing where all is as it should be."""
    for step in plan(catalog):
        yield f"not done: {step.title}"
    beside = {catalog.colocation.get(table) for table in distributed()}
    if len(beside) > 1:
        yield "the tables of customers do not lie beside each other: their colocations differ"
    yield from nodes()
    for table in [*references(), *distributed()]:
        if catalog.kinds.get(table):
            yield from shards(table)


def nodes() -> Iterator[str]:
    """What nodes lack: bodies of functions, and settings."""
    with connection.cursor() as cursor:
        ((functions,),) = rows(cursor, OF_FUNCTIONS.replace("%", "%%"))
        wanted = {OF_FUNCTIONS: functions} | {
            f"SELECT current_setting('{name}')": value for name, value in SETTINGS.items()
        }
        for command, expected in wanted.items():
            for node, success, result in rows(cursor, ON_WORKERS, [command]):
                if not success:
                    yield f"node {node} cannot be asked: {result}"
                elif result != expected:
                    what = "the functions" if command == OF_FUNCTIONS else command
                    yield f"node {node} has something else than the coordinator of {what}"


def shards(table: str) -> Iterator[str]:
    """Which shards of a table have other triggers than the table."""
    with connection.cursor() as cursor:
        ((expected,),) = rows(cursor, OF_TABLE.format(table))
        command = OF_TABLE.format("%s")
        for node, shard, success, result in rows(cursor, ON_PLACEMENTS, [table, command]):
            if not success:
                yield f"shard {shard} of {table} on {node} cannot be asked: {result}"
            elif result != expected:
                yield f"shard {shard} of {table} on {node} has other triggers than the table"
