"""A worker process in production: dramatiq's own command line, which calls `setup` in each of its processes."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import dramatiq

from handoff_sync.bootstrap import build
from handoff_sync.delivery.shares import spare
from handoff_sync.logs import configure_logs
from handoff_sync.settings import load_settings
from handoff_sync.worker.actors import declare_actors
from handoff_sync.worker.broker import POLL_MS
from handoff_sync.worker.ending import stop_with_worker

SHUTDOWN_MS = 20_000


def setup() -> None:
    """Runs in each worker process after the fork: engines, clients and threads are made here and nowhere earlier."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    app = build(settings)
    declare_actors(app.broker, app.runner)
    app.start(workers=False)
    stop_with_worker(app.broker, app.stop)
    dramatiq.set_broker(app.broker)


def serve(processes: int, threads: int) -> NoReturn:
    """Becomes dramatiq's master process, which runs until SIGTERM.

    dramatiq reads these two from the environment, and at import: hence a fresh interpreter. With its default an idle
    worker would hear of a new lane a quarter of a second late.
    """
    tuning = {
        "dramatiq_worker_timeout": str(POLL_MS),
        "dramatiq_queue_prefetch": str(threads + spare(threads)),
        "HANDOFF_WORKER_THREADS": str(threads),  # by which each process divides its threads
    }
    command = [
        *(sys.executable, "-m", "dramatiq", "handoff_sync.work:setup"),
        *("--processes", str(processes)),
        *("--threads", str(threads + spare(threads))),
        *("--worker-shutdown-timeout", str(SHUTDOWN_MS)),
        "--skip-logging",
    ]
    sys.stdout.flush()
    os.execve(sys.executable, command, {**os.environ, **tuning})
