"""The `ingest` app."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Names the app in the back office, and counts its jobs there."""

    name = "ingest"
    verbose_name = "Loads"

    def ready(self) -> None:
        """Show figures of loads on the dashboard."""
        from customers import figures, job_figures
        from ingest.models import BulkRequest

        figures.register(
            job_figures.section_of(BulkRequest, name="loads", title="Loads", total="failed")
        )
