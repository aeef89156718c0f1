"""The counters of a process, by prometheus_client in its mode for several processes."""

from prometheus_client import CollectorRegistry, Counter, Histogram

# In seconds: a call takes milliseconds, a page a tenth of a second, and none more than ten.
BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Counters:
    """Made once in a process; what it counts is kept after its end."""

    def __init__(self) -> None:
        # Of its own: the library's registry of all would count its process, too.
        registry = CollectorRegistry()
        self.requests = Histogram(
            "kith_request_seconds",
            "Time that requests took, by route and status.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.failures = Counter(
            "kith_failed_authentications",
            "Wrong tokens, passwords, codes and secrets.",
            ("kind",),
            registry=registry,
        )
        self.ended = Counter(
            "kith_jobs_ended",
            "Searches, loads and conversions that have ended, by how.",
            ("kind", "status"),
            registry=registry,
        )
        self.rows = Counter(
            "kith_rows",
            "Customers written to files by searches, and created or updated by loads.",
            ("kind",),
            registry=registry,
        )

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self.requests.labels(method, route, status).observe(seconds)
