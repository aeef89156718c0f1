"""The `ingest` app."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    """Names the app in the back office."""

    name = "ingest"
    verbose_name = "Bulk requests"
