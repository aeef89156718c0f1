"""The worker and the scheduler of periodic tasks: `python -m config.jobs worker`, or `beat`.

Celery's own command line would load a shell, and what all of its other commands need: 19 MB and
half a second in each of them.
"""

import argparse
import sys
from collections.abc import Sequence

from celery.utils.nodenames import default_nodename, host_format

from config.celery import app
from config.jobs.beat import PeriodicTasks


def main(arguments: Sequence[str]) -> int:
    """Run one of them until a signal; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.jobs")
    programs = parser.add_subparsers(dest="program", required=True)
    worker = programs.add_parser("worker")
    worker.add_argument("--concurrency", type=int)
    worker.add_argument("--pool", default="prefork")
    worker.add_argument("--hostname")
    worker.add_argument("--schedule", help="send periodic tasks, too; when, is kept in this file")
    beat = programs.add_parser("beat")
    beat.add_argument("--schedule", required=True)
    options = parser.parse_args(arguments)
    if options.program == "beat":
        app.Beat(schedule=options.schedule, loglevel="INFO").run()
        return 0
    if options.schedule:
        app.conf.beat_schedule_filename = options.schedule
        app.steps["consumer"].add(PeriodicTasks)
    made = app.Worker(
        hostname=host_format(default_nodename(options.hostname)),
        concurrency=options.concurrency,
        pool_cls=options.pool,
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
    )
    made.start()
    return made.exitcode or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
