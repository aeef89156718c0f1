"""The worker's tasks: shells around the runner and the services."""

from uuid import UUID

from celery import shared_task

from ingest import cleanup, runner


@shared_task(name="ingest.tasks.run_bulk_request")  # type: ignore[untyped-decorator]
def run_bulk_request(request_id: str) -> None:
    """Do one request."""
    runner.run(UUID(request_id))


@shared_task(name="ingest.tasks.delete_old_content")  # type: ignore[untyped-decorator]
def delete_old_content() -> int:
    """Delete what was sent with requests that ended long ago."""
    return cleanup.delete_old_content()


@shared_task(name="ingest.tasks.delete_abandoned_uploads")  # type: ignore[untyped-decorator]
def delete_abandoned_uploads() -> int:
    """Delete what was stored of uploads that nobody will accept any more."""
    return cleanup.delete_abandoned_uploads()


@shared_task(name="ingest.tasks.delete_old_requests")  # type: ignore[untyped-decorator]
def delete_old_requests() -> int:
    """Delete bulk requests and ledgers whose time is over."""
    return cleanup.delete_old_requests()
