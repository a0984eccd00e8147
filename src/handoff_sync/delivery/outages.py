"""A helpdesk that takes nothing for long, or refuses our login: people are told, once for each outage."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from handoff_sync.core.effects import AlertOps, MailConnectionDown
from handoff_sync.core.policy import MailKind
from handoff_sync.store.committer import Committer, Job
from handoff_sync.store.outages import Outage, failing, stopped, working
from handoff_sync.store.rows import ConnectionRow
from handoff_sync.store.unit import UnitOfWork

log = structlog.get_logger(__name__)

NOTED_AFTER: Final = timedelta(minutes=1)
"""Shorter trouble is not written down: it comes and goes all the time."""
TOLD_AFTER: Final = timedelta(minutes=10)


@dataclass(slots=True)
class _Trouble:
    """What this process knows of a connection that fails."""

    since: datetime
    noted: bool = False
    told: bool = False


class Outages:
    """Follows how connections fail and work. What all processes must know stands with the connection."""

    def __init__(self, committer: Committer, clock: Callable[[], datetime]) -> None:
        self._committer = committer
        self._clock = clock
        self._troubles: dict[str, _Trouble] = {}
        self._lock = threading.Lock()

    def stopped(self, connection_id: str, why: str) -> bool:
        """Stops the connection and tells people. False when it was stopped before."""

        def run(uow: UnitOfWork) -> bool:
            outage = stopped(uow, connection_id, why)
            if outage is not None:
                _tell(uow, outage, connection_id, why, stopped=True)
            return outage is not None

        return self._committer.run(Job(run=run))

    def failed(self, connection_id: str, why: str) -> None:
        """Something did not work. It is an outage when nothing has worked for long."""
        now = self._clock()
        with self._lock:
            trouble = self._troubles.setdefault(connection_id, _Trouble(now))
            lasts = now - trouble.since
            tells = lasts >= TOLD_AFTER and not trouble.told
            if not tells and (trouble.noted or lasts < NOTED_AFTER):
                return
        outage, told = self._committer.run(Job(run=partial(_failing, id=connection_id, since=trouble.since, why=why)))
        with self._lock:
            trouble.noted, trouble.told = True, told or trouble.told
            if outage is not None:
                trouble.since = min(trouble.since, outage.since)

    def worked(self, connection_id: str) -> None:
        """Something worked: whatever was is over."""
        if connection_id not in self._troubles:
            return
        with self._lock:
            trouble = self._troubles.pop(connection_id, None)
        if trouble is not None and trouble.noted:
            self._committer.run(Job(run=lambda uow: working(uow, connection_id)))
            log.info("connection works again", connection=connection_id, failed_since=trouble.since.isoformat())

    def seen(self, row: ConnectionRow) -> None:
        """Learns what other processes know: that the connection fails, or that it works again."""
        trouble = self._troubles.get(row.id)
        if row.failing_since is not None and trouble is None:
            with self._lock:
                self._troubles.setdefault(row.id, _Trouble(row.failing_since, noted=True))
        elif row.failing_since is None and trouble is not None and trouble.noted:
            with self._lock:
                self._troubles.pop(row.id, None)


def _failing(uow: UnitOfWork, id: str, since: datetime, why: str) -> tuple[Outage | None, bool]:
    """The outage as all processes know it, and whether people are told of it now."""
    outage = failing(uow, id, since)
    tells = outage is not None and uow.now - outage.since >= TOLD_AFTER
    if outage is not None and tells:
        _tell(uow, outage, id, why, stopped=False)
    return outage, tells


def _tell(uow: UnitOfWork, outage: Outage, connection_id: str, why: str, *, stopped: bool) -> None:
    """A second process that finds the same outage tells nobody again: the mails have its beginning in their keys."""
    recipients = uow.workspace(outage.workspace_id).policy.recipients
    chosen = [to for to in recipients if not to.kinds or MailKind.CONNECTION_DOWN in to.kinds]
    for to in chosen:
        mail = MailConnectionDown(recipient=to, connection=connection_id, since=outage.since, said=why, stopped=stopped)
        uow.tell(outage.workspace_id, mail.destination, mail.key, mail)
    if not chosen:
        cause = f"{connection_id}:{outage.since.isoformat()}"
        alert = AlertOps(kind="connection_down", cause=cause, detail=why)
        uow.tell(outage.workspace_id, alert.destination, alert.key, alert)
