"""The product's settings, with the benchmarks' table of contents and no limit on requests."""

from config.settings import *  # noqa: F403
from config.settings import MIDDLEWARE as PRODUCT

MIDDLEWARE = ["tests.benchmarks.statements.Counted", *PRODUCT]
ROOT_URLCONF = "tests.benchmarks.server"
REQUESTS_PER_MINUTE = 0
