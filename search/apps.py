"""The `search` app."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Names the app in the back office, and counts its jobs there."""

    name = "search"
    verbose_name = "Searches"

    def ready(self) -> None:
        """Show figures of searches on the dashboard."""
        from customers import figures, job_figures
        from search.models import CustomerSearch

        figures.register(
            job_figures.section_of(CustomerSearch, name="searches", title="Searches", total="rows")
        )
