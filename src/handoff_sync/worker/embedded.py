"""dramatiq's own worker threads inside this process, for the embedded default."""

from __future__ import annotations

import dramatiq
from dramatiq import Worker

from handoff_sync.worker.broker import QUEUE, poll_ms


class EmbeddedWorker:
    """Starts in `start`, never in a constructor: threads do not survive a fork."""

    def __init__(self, broker: dramatiq.Broker, threads: int) -> None:
        self._broker = broker
        self._threads = threads
        self._worker: Worker | None = None

    def start(self) -> None:
        self._worker = Worker(
            self._broker, queues={QUEUE}, worker_threads=self._threads, worker_timeout=poll_ms(self._broker)
        )
        self._worker.start()

    def stop(self) -> None:
        """Waits for running lanes, at most 20 s; what is cut off comes back by its lease."""
        if self._worker is not None:
            self._worker.stop(timeout=20_000)
            self._worker = None
