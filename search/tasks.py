"""The worker's tasks: shells around the runner and the services."""

from uuid import UUID

from celery import shared_task

from search import runner, services


@shared_task(name="search.tasks.run_search")  # type: ignore[untyped-decorator]
def run_search(search_id: str) -> None:
    """Do one search."""
    runner.run(UUID(search_id))


@shared_task(name="search.tasks.delete_dead_files")  # type: ignore[untyped-decorator]
def delete_dead_files() -> int:
    """Delete the files of expired and failed searches."""
    return services.delete_dead_files()


@shared_task(name="search.tasks.delete_old_searches")  # type: ignore[untyped-decorator]
def delete_old_searches() -> int:
    """Delete searches whose time is over."""
    return services.delete_old_searches()
