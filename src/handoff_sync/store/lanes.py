"""Lanes: who may work on what, and when. Leases with fencing tokens; every change by a claim checks its token.

A lane is due at `due_at`. A retry also sets `hold_until`: no wake may pull the lane forward past it. `woken_at`
remembers the earliest wake since the last claim, so that settling cannot erase it. A blocked lane is never due.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Text,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy import update as update_table

from handoff_sync.store.bulk import BulkInsert, Insert
from handoff_sync.store.clock import Clock
from handoff_sync.store.codec import encode_moments
from handoff_sync.store.columns import Moment
from handoff_sync.store.engine import Dialect
from handoff_sync.store.rows import AnyRow, Claim
from handoff_sync.store.statements import PENDING, earlier, later, moment, not_while_blocked
from handoff_sync.store.tables import lanes, outbox

CLOCK_TOLERANCE_S = 1.0
"""A lease taken further in the future than this was taken by a clock that has been set back since (SQLite)."""


def free_at(dialect: Dialect, now: ColumnElement[Any], future: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether nobody holds the lane. `future` is `now` plus the clock's tolerance.

    On PostgreSQL the database's own clock is the only one, and a transaction's `now` may lie before a lease that was
    taken by one that started later: there a lease from the future is a valid one.
    """
    free = or_(lanes.c.lease_until.is_(None), lanes.c.lease_until <= now)
    return or_(free, lanes.c.leased_at > future) if dialect == "sqlite" else free


@dataclass(frozen=True, slots=True)
class _Statements:
    wake: BulkInsert
    claim: Any
    finish: Any
    retry: Any
    renew: Any
    block: Any
    unblock: Any
    release: Any
    turn_back: Any


@cache
def _statements(dialect: Dialect) -> _Statements:
    held = update_table(lanes).where(
        lanes.c.id == bindparam("b_id"),
        lanes.c.token == bindparam("b_token"),
        or_(lanes.c.lease_until.is_not(None), bindparam("ended", type_=Boolean()).is_(True)),
    )
    ended = held.values(lease_until=None, leased_at=None, expiries=0)
    unblocked = update_table(lanes).where(lanes.c.id == bindparam("b_id"))
    return _Statements(
        wake=_wake(dialect),
        claim=_claim(dialect),
        finish=ended.values(
            attempts=0,
            recent=func.coalesce(bindparam("recent", type_=Text()), lanes.c.recent),
            due_at=not_while_blocked(_next_due(dialect)),
        ).returning(lanes.c.due_at),
        retry=ended.values(
            attempts=lanes.c.attempts - bindparam("uncount", type_=Integer()),
            expiries=lanes.c.expiries * bindparam("uncount", type_=Integer()),  # waiting is no proof that it can end
            hold_until=moment("at"),
            due_at=not_while_blocked(moment("at")),
        ).returning(lanes.c.due_at),
        renew=held.values(lease_until=moment("until"), leased_at=moment("now")).returning(lanes.c.id),
        block=held.values(blocked=True, reason=bindparam("reason"), due_at=None).returning(lanes.c.id),
        unblock=unblocked.values(
            blocked=False,
            reason=None,
            hold_until=None,
            due_at=moment("now"),
            woken_at=moment("now"),
            attempts=0,
            expiries=0,
        ),
        release=_release(dialect),
        turn_back=_turn_back(dialect),
    )


def _wake(dialect: Dialect) -> BulkInsert:
    columns = ("id", "workspace_id", "session_id", "connection_id", "destination", "due_at", "woken_at")

    def merge(new: Insert) -> Insert:
        wanted = earlier(dialect, func.coalesce(lanes.c.due_at, new.excluded.due_at), new.excluded.due_at)
        woken = earlier(dialect, func.coalesce(lanes.c.woken_at, new.excluded.woken_at), new.excluded.woken_at)
        return new.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "due_at": not_while_blocked(later(dialect, wanted, func.coalesce(lanes.c.hold_until, wanted))),
                "woken_at": woken,
                "connection_id": func.coalesce(lanes.c.connection_id, new.excluded.connection_id),
            },
        )

    return BulkInsert(dialect, lanes, columns, merge)


def _claim(dialect: Dialect) -> Any:
    # A row that someone else is changing is skipped: they ring again when they are through.
    free = (
        select(lanes.c.id)
        .where(
            lanes.c.id == bindparam("b_id"),
            lanes.c.due_at <= moment("now"),
            lanes.c.blocked.is_(False),
            free_at(dialect, moment("now"), moment("future")),
        )
        .with_for_update(skip_locked=True)
    )
    return (
        update_table(lanes)
        .where(lanes.c.id == free.scalar_subquery())
        .values(
            token=lanes.c.token + 1,
            attempts=lanes.c.attempts + 1,
            expiries=lanes.c.expiries + case((lanes.c.lease_until.is_not(None), 1), else_=0),
            lease_until=moment("until"),
            leased_at=moment("now"),
            woken_at=None,
            hold_until=None,
        )
        .returning(lanes)
    )


def _next_due(dialect: Dialect) -> ColumnElement[Any]:
    """At once while rows wait, else when it was woken for or is wanted next; never before a hold."""
    waiting = exists(
        select(literal_column("1"))
        .select_from(outbox)
        .where(outbox.c.lane_id == lanes.c.id, PENDING, outbox.c.id.not_in(bindparam("gone", expanding=True)))
    )
    next_due = moment("next_due")
    asked = earlier(dialect, func.coalesce(lanes.c.woken_at, next_due), func.coalesce(next_due, lanes.c.woken_at))
    wanted = case((waiting, moment("now")), else_=asked)
    held = later(dialect, func.coalesce(wanted, lanes.c.hold_until), lanes.c.hold_until)
    return case((lanes.c.hold_until.is_(None), wanted), else_=held)


def _release(dialect: Dialect) -> Any:
    return (
        update_table(lanes)
        .where(
            lanes.c.connection_id == bindparam("b_connection"),
            lanes.c.due_at.is_not(None),
            lanes.c.blocked.is_(False),
        )
        .values(due_at=earlier(dialect, lanes.c.due_at, moment("now")), hold_until=None)
        .returning(lanes.c.id)
    )


def _turn_back(dialect: Dialect) -> Any:
    by = bindparam("by", type_=BigInteger())

    def earlier_by(moment: ColumnElement[Any]) -> ColumnElement[Any]:
        return type_coerce(type_coerce(moment, BigInteger()) - by, Moment())

    return (
        update_table(lanes)
        .where(lanes.c.due_at > moment("now"))
        .values(due_at=earlier_by(lanes.c.due_at), hold_until=earlier_by(lanes.c.hold_until))
    )


class Lanes:
    """The lanes of one transaction. Wakes are staged; what a claim does happens at once, for its answer matters."""

    def __init__(self, connection: Connection, dialect: Dialect, now: Clock, rung: set[str]) -> None:
        self._connection = connection
        self._do = _statements(dialect)
        self._now = now
        self._rung = rung
        self._woken: dict[str, dict[str, Any]] = {}
        self._ended: set[tuple[str, int]] = set()

    def wake(
        self, id: str, at: datetime, *, workspace: str, destination: str, session: str | None, connection: str | None
    ) -> None:
        staged = self._woken.get(id)
        if staged is not None:
            at = min(at, staged["due_at"])
        self._woken[id] = {
            "id": id,
            "workspace_id": workspace,
            "session_id": session,
            "connection_id": connection or (staged or {}).get("connection_id"),
            "destination": destination,
            "due_at": at,
            "woken_at": at,
        }
        if at <= self._now():
            self._rung.add(id)

    def staged(self, id: str) -> bool:
        return id in self._woken

    def claim(self, id: str, lease_s: float) -> AnyRow | None:
        """The lane as leased to us now; None where it is not due, held by someone else, or blocked."""
        now = self._now()
        self._ended = {ended for ended in self._ended if ended[0] != id}
        return self._connection.execute(
            self._do.claim,
            {
                "b_id": id,
                "now": now,
                "future": now + timedelta(seconds=CLOCK_TOLERANCE_S),
                "until": now + timedelta(seconds=lease_s),
            },
        ).one_or_none()

    def finish(
        self, claim: Claim, gone: Collection[int], recent: Sequence[datetime] | None, next_due: datetime | None
    ) -> bool:
        """Ends the lease. `gone` are rows that are not pending any more, whether that is written yet or not."""
        params = {
            "gone": tuple(gone),
            "recent": None if recent is None else encode_moments(tuple(recent)),
            "next_due": next_due,
            "now": self._now(),
        }
        return self._end(self._do.finish, claim, params)

    def retry(self, claim: Claim, at: datetime, *, count: bool) -> bool:
        return self._end(self._do.retry, claim, {"at": at, "uncount": 0 if count else 1})

    def renew(self, claim: Claim, lease_s: float) -> bool:
        now = self._now()
        params = {"until": now + timedelta(seconds=lease_s), "now": now}
        return self._connection.execute(self._do.renew, self._key(claim, live=True) | params).first() is not None

    def block(self, claim: Claim, reason: str) -> bool:
        """Nothing of the lane runs until a person replays or skips what blocks it."""
        return self._connection.execute(self._do.block, self._key(claim) | {"reason": reason}).first() is not None

    def unblock(self, id: str) -> None:
        self._connection.execute(self._do.unblock, {"b_id": id, "now": self._now()})
        self._rung.add(id)

    def release(self, connection_id: str) -> None:
        """Every lane of the connection that waits for its time is due now."""
        params = {"b_connection": connection_id, "now": self._now()}
        self._rung.update(self._connection.execute(self._do.release, params).scalars())

    def turn_back(self, by: timedelta) -> None:
        """The clock was set back: what was to happen in ten minutes still is (SQLite, where the clock is ours)."""
        self._connection.execute(self._do.turn_back, {"now": self._now(), "by": by // timedelta(microseconds=1)})

    def flush(self) -> None:
        if self._woken:
            # Sorted, so that two transactions that wake the same lanes never wait for each other.
            self._do.wake.execute(self._connection, [self._woken[id] for id in sorted(self._woken)])
            self._woken = {}

    def _end(self, statement: Any, claim: Claim, params: dict[str, Any]) -> bool:
        row = self._connection.execute(statement, self._key(claim) | params).first()
        if row is None:
            return False
        self._ended.add((claim.lane_id, claim.token))
        if row.due_at is not None and row.due_at <= self._now():
            self._rung.add(claim.lane_id)
        return True

    def _key(self, claim: Claim, *, live: bool = False) -> dict[str, Any]:
        """What a claim proves itself with. One that this very transaction has ended may still be worked on by it."""
        ended = not live and (claim.lane_id, claim.token) in self._ended
        return {"b_id": claim.lane_id, "b_token": claim.token, "ended": ended}
