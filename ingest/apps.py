"""The `ingest` app."""

from typing import ClassVar

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Names the app in the back office, and counts its jobs there."""

    name = "ingest"
    verbose_name = "Loads"
    open_rows: ClassVar[dict[str, str]] = {
        "ingest.BulkUpload": "ids of files that are on their way, and nothing else",
    }

    def ready(self) -> None:
        """Show figures of loads on the dashboard."""
        from customers import figures, job_figures
        from ingest.models import BulkRequest

        figures.register(
            job_figures.section_of(BulkRequest, name="loads", title="Loads", total="failed")
        )
