"""Work in several threads, and those that wait."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, connections


def in_threads(count: int, work: Callable[[int], object]) -> list[object]:
    """Do something in several threads at once, each with connections of its own."""

    def alone(number: int) -> object:
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(alone, range(count)))


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])
