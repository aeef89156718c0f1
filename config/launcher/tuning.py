"""The embedded PostgreSQL's settings, by the size of the machine. Standard library only."""

import os
import shutil
from pathlib import Path

MEGABYTE = 1024 * 1024
GIGABYTE = 1024 * MEGABYTE

# Unsafe in a power cut and twice as fast: for servers that live as long as one test run.
THROWAWAY_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "256MB",
}


def postgres_options(cluster: Path, *, durable: bool) -> dict[str, str]:
    """Settings of a PostgreSQL that shares this machine with the rest, by name.

    `cluster` is the folder of its data.
    """
    memory = _memory()
    # With an eighth, a COPY into 1,000,000 customers was half as fast on a machine with 24 GB.
    buffers = min(max(memory // 6, 256 * MEGABYTE), 8192 * MEGABYTE)
    maintenance = min(max(memory // 32, 64 * MEGABYTE), 512 * MEGABYTE)
    options = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "shared_preload_libraries": "pg_stat_statements",
        "max_connections": "200",
        "shared_buffers": f"{buffers // MEGABYTE}MB",
        "effective_cache_size": f"{memory // 2 // MEGABYTE}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": f"{maintenance // MEGABYTE}MB",
        "max_wal_size": f"{wal_size(shutil.disk_usage(cluster).free) // MEGABYTE}MB",
        "checkpoint_timeout": "15min",
        "wal_buffers": "8MB",
        # A load fills those buffers in less than the usual 200 ms; then each of its sessions has to
        # write them itself, and waits for the one that does. At rest nobody wakes up so often.
        "wal_writer_delay": "40ms",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Statements and details of errors hold customers' data, which has no place in a log.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }
    if _is_small(Path("/dev/shm")):  # noqa: S108 -- asked for its size, not written to
        options["dynamic_shared_memory_type"] = "mmap"
    return options if durable else options | THROWAWAY_OPTIONS


def wal_size(free: int) -> int:
    """How many bytes the log of changes (WAL) may take of a disk with so many free.

    When half of it is written, all changed pages are, too, and are logged as wholes when they
    change again: in the middle of a load of a million customers that took 6 % of its rate. A
    database that was killed reads what came since, 6 GB in 35 s, before it serves anybody.
    """
    return min(max(free // 5, GIGABYTE), 16 * GIGABYTE)


def _is_small(shared_memory: Path) -> bool:
    """Whether parallel queries could exhaust `shared_memory`, as in a container with 64 MB."""
    try:
        return shutil.disk_usage(shared_memory).total < 256 * MEGABYTE
    except OSError:
        return False


def _memory() -> int:
    """Bytes of memory of this machine or of the control group that limits it."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return physical
    return min(physical, int(limit)) if limit.isdigit() else physical
