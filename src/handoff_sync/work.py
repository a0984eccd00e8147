"""A worker process in production: started by `handoff-sync worker` through dramatiq's own command line."""

from __future__ import annotations

import dramatiq

from handoff_sync.bootstrap import build
from handoff_sync.logs import configure_logs
from handoff_sync.settings import load_settings
from handoff_sync.worker.actors import declare_actors
from handoff_sync.worker.ending import stop_with_worker


def setup() -> None:
    """Runs in each worker process after the fork: engines, clients and threads are made here and nowhere earlier."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    app = build(settings)
    declare_actors(app.broker, app.runner)
    app.start(workers=False)
    stop_with_worker(app.broker, app.stop)
    dramatiq.set_broker(app.broker)


def serve(processes: int, threads: int) -> int:
    """Runs worker processes until SIGTERM; returns the exit code."""
    from dramatiq import cli

    arguments = cli.make_argument_parser().parse_args(
        [
            "handoff_sync.work:setup",
            *("--processes", str(processes)),
            *("--threads", str(threads)),
            *("--worker-shutdown-timeout", "20000"),
            "--skip-logging",
        ]
    )
    return int(cli.main(arguments) or 0)
