"""granian with its arguments, and Django loaded before it makes its processes."""

from granian.cli import entrypoint

from config.loading import load

load()
entrypoint()  # type: ignore[no-untyped-call] # granian declares no type for it
