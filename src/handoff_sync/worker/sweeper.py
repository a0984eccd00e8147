"""Find what is due: lanes whose doorbell was lost, timers, sweeps. May run in every process; each job happens once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

import structlog

from handoff_sync.errors import NotReady
from handoff_sync.service.timers import fire_due
from handoff_sync.store.committer import Committer
from handoff_sync.store.reads import Reads

log = structlog.get_logger(__name__)

BATCH = 500
RING_AGAIN_S = 4.0
"""A lane that stays due is rung again after this long, not at every tick: its message may wait in a long queue."""


class Sweeper:
    """A thread that ticks every `interval_s`. `tick` may also be called by hand."""

    def __init__(
        self,
        committer: Committer,
        reads: Reads,
        ring: Callable[[Collection[str]], None],
        interval_s: float,
        plan: Callable[[], None] = lambda: None,
    ) -> None:
        self._committer = committer
        self._reads = reads
        self._ring = ring
        self._interval_s = interval_s
        self._plan = plan
        self._rung: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="sweeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the running tick is over."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=20)
            self._thread = None

    def tick(self) -> None:
        """One look at timers and lanes. Cost follows what is due, not what exists."""
        self._plan()
        fired = [self._committer.submit(fire_due(session_id)) for session_id in self._reads.due_sessions(BATCH)]
        for timer in fired:
            timer.result(timeout=60)
        now = time.monotonic()
        due = self._reads.due_lanes(BATCH)
        self._rung = {lane: at for lane in due if now - (at := self._rung.get(lane, -RING_AGAIN_S)) < RING_AGAIN_S}
        unheard = [lane for lane in due if lane not in self._rung]
        if unheard:
            self._rung.update(dict.fromkeys(unheard, now))
            self._ring(unheard)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tick()
            except NotReady as error:
                log.warning("sweeper waits for the database", error=str(error))
            except Exception:
                log.exception("sweeper tick failed")
            self._stopping.wait(self._interval_s)
