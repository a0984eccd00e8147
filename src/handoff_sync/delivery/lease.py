"""The hold that a worker has on one lane, and the only ways to let go of it.

Every way out checks the fencing token in the transaction that writes: a worker that was frozen and wakes late
changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from handoff_sync.contract.connector import CALL_DEADLINE_S
from handoff_sync.errors import HandoffError
from handoff_sync.store.committer import Committer, Job
from handoff_sync.store.rows import Claim, OutboxRow
from handoff_sync.store.unit import UnitOfWork

Also = Callable[[UnitOfWork], None]
"""More to do in the transaction that settles; runs only while the lease is still ours."""


class LeaseLost(HandoffError):
    """Another worker holds the lane now; whatever we know is discarded."""


class Lease:
    """A claimed lane. `claim.rows` are its first pending rows, oldest first."""

    def __init__(self, committer: Committer, claim: Claim, lease_s: float) -> None:
        self.claim = claim
        self.sent_before = bool(claim.rows) and "sent" in claim.rows[0].journal
        """An earlier attempt at the first row may have reached the helpdesk."""
        self._journals = {row.id: dict(row.journal) for row in claim.rows}
        self._committer = committer
        self._lease_s = lease_s
        self._ends = time.monotonic() + lease_s

    def before_call(self, takes_s: float = CALL_DEADLINE_S) -> None:
        """Makes sure that a whole outside call of at most `takes_s` fits into the lease; LeaseLost when it is gone."""
        if self._ends - time.monotonic() < takes_s:
            renewed_at = time.monotonic()
            self._must(lambda uow: uow.renew(self.claim, self._lease_s))
            self._ends = renewed_at + self._lease_s

    def note(self, row: OutboxRow, lines: Mapping[str, str]) -> None:
        """Writes durable lines into the row's journal, all in one transaction."""
        self._must(lambda uow: all(uow.journal(self.claim, row.id, *line) for line in lines.items()))
        self._journals[row.id].update(lines)

    def noted(self, row: OutboxRow) -> Mapping[str, str]:
        """The row's journal as it is now, notes of earlier attempts included."""
        return self._journals[row.id]

    @property
    def undone(self) -> tuple[str, ...]:
        """What the first row's journal may forget when the other side said that it did nothing: this attempt's marks.

        Not those of an earlier attempt, which may have reached it; none when a part of what was to be said is there.
        """
        row = self.claim.rows[0] if self.claim.rows else None
        if row is None or any(name.startswith("comment ") for name in self._journals[row.id]):
            return ()
        marks = (name for name in self._journals[row.id] if name.partition(" ")[0] in ("sent", "resent"))
        return tuple(mark for mark in marks if mark not in row.journal)

    def settle(
        self,
        done: Mapping[int, str],
        also: Also | None = None,
        *,
        recent: Sequence[datetime] | None = None,
        next_due: datetime | None = None,
    ) -> None:
        """Marks rows as done, and applies what follows, in one transaction."""
        self._finish(lambda uow: uow.settle(self.claim, done, recent=recent, next_due=next_due), also)

    def retry(
        self, at: datetime, error: str, *, forget: Sequence[str] = (), count: bool = True, also: Also | None = None
    ) -> None:
        """Lets go until `at`. `forget` drops journal lines that are known not to have happened."""
        self._finish(lambda uow: uow.retry(self.claim, at, error, forget=forget, count=count), also)

    def park(self, rows: Sequence[OutboxRow], reason: str, *, block: bool, also: Also | None = None) -> None:
        """Sets rows aside for a person to see; `block` holds back everything behind them."""
        self._finish(lambda uow: uow.park(self.claim, [row.id for row in rows], reason, block), also)

    def cancel(self, rows: Sequence[OutboxRow], reason: str, also: Also | None = None) -> None:
        """Drops rows that have become pointless."""
        self._finish(lambda uow: uow.cancel(self.claim, [row.id for row in rows], reason), also)

    def _must(self, write: Callable[[UnitOfWork], bool]) -> None:
        if not self._committer.run(Job(run=write)):
            raise LeaseLost(self.claim.lane_id)

    def _finish(self, write: Callable[[UnitOfWork], bool], also: Also | None) -> None:
        def run(uow: UnitOfWork) -> bool:
            if not write(uow):
                return False
            if also is not None:
                also(uow)
            return True

        session = self.claim.session_id
        if not self._committer.run(Job(run=run, sessions=(session,) if session is not None else ())):
            raise LeaseLost(self.claim.lane_id)


class RowJournal:
    """The journal of one operation, kept in its outbox row."""

    def __init__(self, lease: Lease, row: OutboxRow) -> None:
        self._lease = lease
        self._row = row

    def get(self, name: str) -> str | None:
        return self._lease.noted(self._row).get(name)

    def put(self, name: str, value: str) -> None:
        self._lease.note(self._row, {name: value})
