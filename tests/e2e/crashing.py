"""A service process that kills itself at a named point: `python -m tests.e2e.crashing web|worker|run [POINT]`.

POINT is a checkpoint of the delivery, for example `open.answered`. The kill is a real SIGKILL: no handler runs, no
buffer is flushed, no lease is given back.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from handoff_sync.bootstrap import App, build
from handoff_sync.logs import configure_logs
from handoff_sync.settings import load_settings
from handoff_sync.web import serve_app
from handoff_sync.worker.actors import declare_actors
from handoff_sync.worker.embedded import EmbeddedWorker


def main(role: str, point: str) -> None:
    def checkpoint(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    app = build(settings, checkpoint=checkpoint)
    if role == "worker":
        _work(app)
    else:
        serve_app(app, workers=role == "run")


def _work(app: App) -> None:
    declare_actors(app.broker, app.runner)
    app.start(workers=False)
    worker = EmbeddedWorker(app.broker, app.settings.worker_threads)
    worker.start()
    print("ready", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
