"""Ring for lanes that have work. Best effort by design: what is not heard, the sweeper finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import dramatiq
import structlog

from handoff_sync.worker.actors import ACTOR
from handoff_sync.worker.broker import QUEUE

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5.0
"""After a failed ring the broker is left alone for this long, so that accepting events stays fast."""


class Doorbell:
    """Sends lane ids to the workers. `ok` is false while the broker does not answer."""

    def __init__(self, broker: dramatiq.Broker, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._monotonic = monotonic
        self._silent_until = 0.0

    @property
    def ok(self) -> bool:
        return self._monotonic() >= self._silent_until

    def ring(self, lane_ids: Collection[str]) -> None:
        """Never raises: a broker that is away delays work until the sweeper's next tick, and loses none."""
        if not self.ok:
            return
        try:
            for lane_id in lane_ids:
                self._broker.enqueue(
                    dramatiq.Message(queue_name=QUEUE, actor_name=ACTOR, args=(lane_id,), kwargs={}, options={})
                )
        except Exception as error:
            self._silent_until = self._monotonic() + RETRY_AFTER_S
            log.warning("broker does not answer", kind=type(error).__name__, lanes=len(lane_ids))
