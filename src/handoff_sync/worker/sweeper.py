"""Find what is due: lanes whose doorbell was lost, timers, sweeps. May run in every process; each job happens once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

import structlog

from handoff_sync.delivery.runner import where
from handoff_sync.errors import NotReady
from handoff_sync.service.timers import fire_due
from handoff_sync.store.committer import Committer
from handoff_sync.store.reads import Reads

log = structlog.get_logger(__name__)

BATCH = 500


class Sweeper:
    """A thread that ticks every `interval_s`. `tick` may also be called by hand."""

    def __init__(
        self,
        committer: Committer,
        reads: Reads,
        remind: Callable[[Collection[str]], None],
        interval_s: float,
        plan: Callable[[], None] = lambda: None,
    ) -> None:
        self._committer = committer
        self._reads = reads
        self._remind = remind
        self._interval_s = interval_s
        self._plan = plan
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
        """One look at plans, timers and lanes: what goes wrong with one of them holds up no other.

        Cost follows what is due, not what exists.
        """
        for look in (self._plan, self._fire_timers, self._remind_of_lanes):
            try:
                look()
            except NotReady as error:
                log.warning("sweeper waits for the database", error=str(error))
            except Exception as error:  # noqa: BLE001 - the next look may do better
                log.error("a look of the sweeper failed", **where(error))

    def _fire_timers(self) -> None:
        fired = {session: self._committer.submit(fire_due(session)) for session in self._reads.due_sessions(BATCH)}
        for session, timer in fired.items():
            if (error := timer.exception(timeout=60)) is not None:
                log.error("timer failed", session=session, **where(error))

    def _remind_of_lanes(self) -> None:
        if due := self._reads.due_lanes(BATCH):
            self._remind(due)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.tick()
            self._stopping.wait(self._interval_s)
