"""The end of a worker process: what dramatiq stops is not all that runs in it."""

from __future__ import annotations

from collections.abc import Callable

import dramatiq
from dramatiq.middleware import Middleware


class _Ending(Middleware):
    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        self._stop()


def stop_with_worker(broker: dramatiq.Broker, stop: Callable[[], None]) -> None:
    """Calls `stop` once the worker's running lanes are settled. Interpreter exit hooks do not run in its processes."""
    broker.add_middleware(_Ending(stop))
