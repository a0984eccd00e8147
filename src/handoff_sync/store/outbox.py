"""Outbox rows: effects waiting for their turn. A row is pending, then done, parked or cancelled; parked can return."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from handoff_sync.core.effects import Effect
from handoff_sync.store.bulk import BulkInsert
from handoff_sync.store.codec import decode_effect, decode_object, encode_effect, encode_object
from handoff_sync.store.engine import Dialect
from handoff_sync.store.rows import AnyRow, OutboxRow, UnreadableEffect
from handoff_sync.store.statements import PARKED, PENDING
from handoff_sync.store.tables import lanes, outbox

CLAIM_ROWS = 100
"""How many rows of a lane one claim carries."""

FIRST = (
    select(
        outbox.c.id,
        outbox.c.session_id,
        outbox.c.key,
        outbox.c.payload,
        outbox.c.attempts,
        outbox.c.journal,
        outbox.c.created_at,
    )
    .where(outbox.c.lane_id == bindparam("lane"), PENDING)
    .order_by(outbox.c.id)
    .limit(bindparam("limit"))
)
_MOVE = update(outbox).where(outbox.c.id == bindparam("b_id"), PENDING)
_FAILED = (
    update(outbox)
    .where(outbox.c.id == bindparam("b_id"), PENDING)
    .values(attempts=outbox.c.attempts + bindparam("count"), error=bindparam("error"))
)
_JOURNAL_OF_LANE = (
    select(outbox.c.journal)
    .join(lanes, lanes.c.id == outbox.c.lane_id)
    .where(
        outbox.c.id == bindparam("row"),
        lanes.c.id == bindparam("lane"),
        lanes.c.token == bindparam("token"),
        lanes.c.lease_until.is_not(None),
    )
    .with_for_update()
)
_JOURNAL = select(outbox.c.journal).where(outbox.c.id == bindparam("row"))
_SET_JOURNAL = update(outbox).where(outbox.c.id == bindparam("b_id")).values(journal=bindparam("journal"))


def _revive(status: str) -> Any:
    return (
        update(outbox)
        .where(outbox.c.id == bindparam("b_id"), outbox.c.workspace_id == bindparam("b_workspace"), PARKED)
        .values(status=status)
        .returning(outbox.c.lane_id)
    )


_REPLAY = _revive("pending").values(attempts=0, error=None, done_at=None)
_SKIP = _revive("cancelled").values(done_at=bindparam("at", type_=outbox.c.done_at.type))


@cache
def _add(dialect: Dialect) -> BulkInsert:
    columns = ("workspace_id", "session_id", "lane_id", "key", "kind", "payload", "status", "created_at")
    # Without naming an index: a row of a session and one without are kept apart by two.
    return BulkInsert(dialect, outbox, columns, lambda new: new.on_conflict_do_nothing())


def readable_effect(payload: str) -> Effect | UnreadableEffect:
    """One strange row must neither keep its lane from being claimed nor a list of deliveries from being shown."""
    try:
        return decode_effect(payload)
    except ValueError:
        return UnreadableEffect()


def outbox_row(row: AnyRow) -> OutboxRow:
    return OutboxRow(
        id=row.id,
        session_id=row.session_id,
        key=row.key,
        effect=readable_effect(row.payload),
        attempts=row.attempts,
        journal=decode_object(row.journal),
        created_at=row.created_at,
    )


class Outbox:
    """The outbox of one transaction: new rows and changes of status are staged and written together."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._add = _add(dialect)
        self._new: list[dict[str, Any]] = []
        self._moves: list[dict[str, Any]] = []
        self._touched: set[str] = set()
        self._moved: dict[str, set[int]] = {}

    def add(self, *, workspace: str, session: str | None, lane: str, key: str, effect: Effect, now: datetime) -> None:
        """Stages an effect; one with the same key in the same session is there already and stays as it is.

        One that concerns no session has its key once within the workspace.
        """
        self._touched.add(lane)
        self._new.append(
            {
                "workspace_id": workspace,
                "session_id": session,
                "lane_id": lane,
                "key": key,
                "kind": effect.type,
                "payload": encode_effect(effect),
                "status": "pending",
                "created_at": now,
            }
        )

    def move(self, lane: str, ids: Iterable[int], status: str, now: datetime, notes: Mapping[int, str]) -> None:
        """Stages pending rows as done (`notes` are results), parked or cancelled (`notes` are reasons)."""
        self._touched.add(lane)
        self._moved.setdefault(lane, set()).update(ids)
        for id in ids:
            note = notes.get(id)
            self._moves.append(
                {
                    "b_id": id,
                    "status": status,
                    "result": note if status == "done" else None,
                    "error": None if status == "done" else note,
                    "done_at": now,
                }
            )

    def staged(self, lane: str) -> bool:
        """Whether the database does not know the newest about this lane's rows yet."""
        return lane in self._touched

    def moved(self, lane: str) -> frozenset[int]:
        """Rows of the lane that this transaction has moved on."""
        return frozenset(self._moved.get(lane, ()))

    def first(self, lane: str) -> tuple[OutboxRow, ...]:
        """The first pending rows of a lane, in order."""
        return tuple(outbox_row(row) for row in self._connection.execute(FIRST, {"lane": lane, "limit": CLAIM_ROWS}))

    def failed(self, id: int, error: str, *, count: bool, forget: Collection[str]) -> None:
        """Records a failed try of a row, and drops what its journal should no longer remember."""
        self._connection.execute(_FAILED, {"b_id": id, "count": int(count), "error": error})
        if not forget:
            return
        text = self._connection.execute(_JOURNAL, {"row": id}).scalar_one()
        kept = {name: value for name, value in decode_object(text).items() if name not in forget}
        self._connection.execute(_SET_JOURNAL, {"b_id": id, "journal": encode_object(kept)})

    def note(self, id: int, lane: str, token: int, name: str, value: str) -> bool:
        """Adds to a row's journal; False when the claim is not in force any more."""
        text = self._connection.execute(_JOURNAL_OF_LANE, {"row": id, "lane": lane, "token": token}).scalar()
        if text is None:
            return False
        journal = decode_object(text) | {name: value}
        self._connection.execute(_SET_JOURNAL, {"b_id": id, "journal": encode_object(journal)})
        return True

    def replay(self, workspace: str, id: int) -> str | None:
        """A parked row is pending again; its lane, or None where no such row is parked."""
        lane: str | None = self._connection.execute(_REPLAY, {"b_id": id, "b_workspace": workspace}).scalar()
        return lane

    def skip(self, workspace: str, id: int, now: datetime) -> str | None:
        """A parked row is cancelled; its lane, or None where no such row is parked."""
        params = {"b_id": id, "b_workspace": workspace, "at": now}
        lane: str | None = self._connection.execute(_SKIP, params).scalar()
        return lane

    def flush(self) -> None:
        if self._new:
            self._add.execute(self._connection, self._new)
            self._new = []
        if self._moves:
            self._connection.execute(_MOVE, self._moves)
            self._moves = []
        self._touched.clear()
