"""Ring for lanes that have work. Best effort by design: what is not heard, the sweeper finds."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection

import dramatiq
import structlog

from handoff_sync.worker.actors import ACTOR
from handoff_sync.worker.broker import QUEUE

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5.0
"""After a failed ring the broker is left alone for this long."""


class Doorbell:
    """Sends lane ids to the workers, from a thread of its own: a broker that hangs must not hold up whoever commits.

    `ok` is false while the broker does not answer.
    """

    def __init__(self, broker: dramatiq.Broker, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._monotonic = monotonic
        self._silent_until = 0.0
        self._lanes: queue.SimpleQueue[Collection[str] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def ok(self) -> bool:
        return self._monotonic() >= self._silent_until

    def start(self) -> None:
        self._thread = threading.Thread(target=self._serve, name="doorbell", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Rings what was asked for, then ends; waits at most as long as one call to a dead broker takes."""
        if self._thread is not None:
            self._lanes.put(None)
            self._thread.join(timeout=10)
            self._thread = None

    def ring(self, lane_ids: Collection[str]) -> None:
        """Never raises and never waits."""
        self._lanes.put(lane_ids)

    def _serve(self) -> None:
        while (lane_ids := self._lanes.get()) is not None:
            if self.ok:
                self._send(lane_ids)

    def _send(self, lane_ids: Collection[str]) -> None:
        try:
            for lane_id in lane_ids:
                self._broker.enqueue(
                    dramatiq.Message(queue_name=QUEUE, actor_name=ACTOR, args=(lane_id,), kwargs={}, options={})
                )
        except Exception as error:
            self._silent_until = self._monotonic() + RETRY_AFTER_S
            log.warning("broker does not answer", kind=type(error).__name__, lanes=len(lane_ids))
