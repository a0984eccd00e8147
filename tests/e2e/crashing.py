"""A service process that kills itself at a point of a delivery: `open.answered`, or `append.before#2` for the second.

The kill is a real SIGKILL: no handler runs, no buffer is flushed, no lease is given back. Processes are forked from a
server that has imported everything and started nothing, because importing takes far longer than what is tested.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Thread

from handoff_sync.bootstrap import App, build
from handoff_sync.logs import configure_logs
from handoff_sync.settings import load_settings
from handoff_sync.web import serve_app
from handoff_sync.worker.actors import declare_actors
from handoff_sync.worker.embedded import EmbeddedWorker

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([
    __name__,
    *(f"handoff_connectors.{kind}" for kind in ("zendesk", "gorgias", "intercom")),
])  # fmt: skip


def started(role: str, point: str, environment: Mapping[str, str], log: Path) -> ForkServerProcess:
    """A process of this role (web, worker, or run for both in one). An empty point: it lives until it is killed."""
    process = _FORKS.Process(target=_main, args=(role, point, dict(environment), log), daemon=True)
    process.start()
    return process


def _main(role: str, point: str, environment: Mapping[str, str], log: Path) -> None:
    Thread(target=_end_with_the_test, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    words = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(words, 1)
    os.dup2(words, 2)

    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    app = build(settings, checkpoint=_killing(point))
    if role == "worker":
        _work(app)
    else:
        serve_app(app, workers=role == "run")


def _end_with_the_test() -> None:
    """A test run that is itself killed must leave nothing running."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)


def _killing(point: str) -> Callable[[str], None]:
    fatal, _, number = point.partition("#")
    seen = itertools.count(1)

    def checkpoint(name: str) -> None:
        if name == fatal and next(seen) == int(number or 1):
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint


def _work(app: App) -> None:
    declare_actors(app.broker, app.runner)
    app.start(workers=False)
    EmbeddedWorker(app.broker, app.settings.worker_threads).start()
    while True:
        time.sleep(60)
