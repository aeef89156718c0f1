"""The back office's pages of loads; importing it registers them."""

from ingest.admin import loads

__all__ = ["loads"]
