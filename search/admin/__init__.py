"""The back office's pages of queued searches; importing it registers them."""

from search.admin import searches

__all__ = ["searches"]
