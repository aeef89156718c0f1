"""The product's settings, with the benchmarks' table of contents and no limit on requests."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.server"
REQUESTS_PER_MINUTE = 0
