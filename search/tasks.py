"""The worker's tasks: shells around the runner and the services."""

from uuid import UUID

from celery import shared_task

from search import runner, services


@shared_task(name="search.tasks.run_search")  # type: ignore[untyped-decorator]
def run_search(search_id: str) -> None:
    """Do one search."""
    runner.run(UUID(search_id))


@shared_task(name="search.tasks.delete_dead_files")  # type: ignore[untyped-decorator]
def delete_dead_files() -> None:
    """Delete the files of expired and failed searches."""
    services.delete_dead_files()
