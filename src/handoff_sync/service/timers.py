"""Fire the timers of a session that are due, each once: the row lock and the epoch see to it."""

from __future__ import annotations

from dataclasses import replace

from handoff_sync.core.events import TimerFired
from handoff_sync.core.model import SYSTEM
from handoff_sync.service.apply import step
from handoff_sync.store.committer import Job
from handoff_sync.store.unit import UnitOfWork

_BY_TIMER = replace(SYSTEM, via="timer")


def fire_due(session_id: str) -> Job[int]:
    """Fires what is due, in order of time; a timer that an earlier one cancelled does not fire. Returns how many."""

    def run(uow: UnitOfWork) -> int:
        fired = 0
        while (session := uow.session(session_id)) is not None:
            due = sorted((t for t in session.timers if t.fires_at <= uow.now), key=lambda t: t.fires_at)
            if not due:
                break
            timer = due[0]
            event = TimerFired(
                id=f"timer:{session_id}:{timer.kind}:{timer.epoch}:{timer.fires_at.isoformat()}",
                at=uow.now,
                actor=_BY_TIMER,
                kind=timer.kind,
                epoch=timer.epoch,
            )
            outcome = step(uow, session, event)
            if timer in outcome.session.timers:  # a rule that keeps a fired timer would make this loop endless
                raise AssertionError(f"Timer {timer.kind} of {session_id} is still set after it fired.")
            fired += 1
        return fired

    return Job(run=run, sessions=(session_id,))
