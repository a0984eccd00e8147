"""Ring for lanes that have work. Best effort by design: what is not heard, the sweeper finds."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Collection

import dramatiq
import structlog

from handoff_sync.worker.actors import ACTOR
from handoff_sync.worker.broker import QUEUE, waiting

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5.0
"""After a failed ring the broker is left alone for this long."""

REMIND_AFTER_S = 4.0
LONG_QUEUE = 500


class Doorbell:
    """Sends lane ids to the workers, from a thread of its own: a broker that hangs must not hold up whoever commits.

    `ok` is false while the broker does not answer.
    """

    def __init__(self, broker: dramatiq.Broker, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._monotonic = monotonic
        self._silent_until = 0.0
        self._rung: dict[str, float] = {}
        self._asked: queue.SimpleQueue[tuple[Collection[str], bool] | None] = queue.SimpleQueue()
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
            self._asked.put(None)
            self._thread.join(timeout=10)
            self._thread = None

    def ring(self, lane_ids: Collection[str]) -> None:
        """For lanes that have just become due. Never raises and never waits."""
        self._asked.put((lane_ids, False))

    def remind(self, lane_ids: Collection[str]) -> None:
        """For lanes that are due still, the longest first: their message was lost, or waits in a long queue.

        A lane is reminded of once in `REMIND_AFTER_S`, and none while the queue is long: where workers cannot keep
        up, more messages would only fill the broker.
        """
        self._asked.put((lane_ids, True))

    def _serve(self) -> None:
        while (asked := self._asked.get()) is not None:
            lane_ids, again = asked
            if self.ok:
                self._send(lane_ids, again)

    def _send(self, lane_ids: Collection[str], again: bool) -> None:
        try:
            for lane_id in self._unheard(lane_ids) if again else lane_ids:
                self._broker.enqueue(
                    dramatiq.Message(queue_name=QUEUE, actor_name=ACTOR, args=(lane_id,), kwargs={}, options={})
                )
        except Exception as error:  # noqa: BLE001 - whatever a broker raises, work must go on
            self._silent_until = self._monotonic() + RETRY_AFTER_S
            log.warning("broker does not answer", kind=type(error).__name__, lanes=len(lane_ids))

    def _unheard(self, lane_ids: Collection[str]) -> list[str]:
        now, room = self._monotonic(), max(0, LONG_QUEUE - waiting(self._broker))
        recent = {
            lane: at for lane in lane_ids if (at := self._rung.get(lane)) is not None and now - at < REMIND_AFTER_S
        }
        unheard = [lane for lane in lane_ids if lane not in recent][:room]
        self._rung = recent | dict.fromkeys(unheard, now)
        return unheard
