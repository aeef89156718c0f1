"""The `search` app."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Names the app in the back office."""

    name = "search"
    verbose_name = "Searches"
