"""The read side: committed rows, without locks and without waiting for a writer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from handoff_sync.core.effects import PauseLog, StoredMessage
from handoff_sync.core.model import AiMode, Session
from handoff_sync.store.clock import Clock, system_clock
from handoff_sync.store.codec import decode_event, decode_message, decode_object, decode_session
from handoff_sync.store.columns import Moment
from handoff_sync.store.engine import Database
from handoff_sync.store.faults import in_our_words, is_unavailable, not_ready
from handoff_sync.store.filters import (
    Page,
    SessionFilter,
    after_number,
    after_session,
    number_cursor,
    session_cursor,
)
from handoff_sync.store.lanes import CLOCK_TOLERANCE_S, free_at
from handoff_sync.store.links import link_row
from handoff_sync.store.outbox import FIRST, outbox_row, readable_effect
from handoff_sync.store.routing import place_of
from handoff_sync.store.rows import AnyRow, DeliveryRow, EventRow, GateRow, LinkRow, OutboxRow, TimelineRow
from handoff_sync.store.statements import PARKED, PENDING, Prepared, moment
from handoff_sync.store.tables import (
    ai_pause_logs,
    connections,
    lanes,
    messages,
    outbox,
    sessions,
    ticket_links,
    timeline,
)

_GATE = select(
    sessions.c.id,
    sessions.c.phase,
    sessions.c.copilot,
    sessions.c.control_epoch,
    sessions.c.agent_running,
    sessions.c.channel_running,
).where(
    sessions.c.workspace_id == bindparam("workspace"),
    sessions.c.conversation_id == bindparam("conversation"),
    sessions.c.is_current.is_(True),
)
_STATE = select(sessions.c.state).where(sessions.c.id == bindparam("id"))
_STATE_IN = _STATE.where(sessions.c.workspace_id == bindparam("workspace"))
_CURRENT = select(sessions.c.state).where(
    sessions.c.workspace_id == bindparam("workspace"),
    sessions.c.conversation_id == bindparam("conversation"),
    sessions.c.is_current.is_(True),
)
_MESSAGES = (
    select(messages.c.body)
    .where(messages.c.session_id == bindparam("session"), messages.c.seq > bindparam("after"))
    .order_by(messages.c.seq)
    .limit(bindparam("limit"))
)
_MESSAGE = select(messages.c.body).where(
    messages.c.session_id == bindparam("session"), messages.c.message_id == bindparam("message")
)
_TIMELINE = (
    select(timeline)
    .where(
        timeline.c.session_id == bindparam("session"), timeline.c.id > bindparam("after"), timeline.c.shown.is_(True)
    )
    .order_by(timeline.c.id)
    .limit(bindparam("limit"))
)
_EVENTS = (
    select(timeline.c.event, timeline.c.decided_at)
    .where(timeline.c.session_id == bindparam("session"), timeline.c.event.is_not(None))
    .order_by(timeline.c.id)
)
_PAUSE_LOG = (
    select(ai_pause_logs)
    .where(ai_pause_logs.c.workspace_id == bindparam("workspace"), ai_pause_logs.c.id > bindparam("after"))
    .order_by(ai_pause_logs.c.id)
    .limit(bindparam("limit"))
)
_PAUSE_LOG_OF = _PAUSE_LOG.where(ai_pause_logs.c.session_id == bindparam("session"))
_LINK = select(ticket_links).where(ticket_links.c.id == bindparam("id"))
_LINKS = select(ticket_links).where(ticket_links.c.session_id == bindparam("session")).order_by(ticket_links.c.id)
_SWEEP_CURSOR = select(connections.c.sweep_cursor).where(connections.c.id == bindparam("id"))
_DUE_SESSIONS = (
    select(sessions.c.id)
    .where(sessions.c.next_timer_at <= moment("now"))
    .order_by(sessions.c.next_timer_at)
    .limit(bindparam("limit"))
)
_LANE = select(lanes.c.connection_id, lanes.c.destination).where(lanes.c.id == bindparam("id"))
_DUE_COUNT = select(func.count()).select_from(lanes).where(lanes.c.due_at <= moment("now"), lanes.c.blocked.is_(False))
_PARKED_COUNT = select(func.count()).select_from(outbox).where(PARKED)
_WAITING_AT = (
    select(func.count())
    .select_from(outbox.join(lanes, lanes.c.id == outbox.c.lane_id))
    .where(lanes.c.connection_id == bindparam("connection"), PENDING)
)
_DELIVERY = select(outbox, lanes.c.destination).join(lanes, lanes.c.id == outbox.c.lane_id)
_DATABASE_TIME = select(func.clock_timestamp(type_=Moment()))

ALL = 1_000_000
"""More rows than a session has."""


class Reads:
    """Every read that is not part of a unit of work. NotReady when the database does not answer."""

    def __init__(self, db: Database, clock: Clock | None = None) -> None:
        self._db = db
        self._clock = clock
        self._gate = Prepared(db.dialect, _GATE)
        free = free_at(db.dialect, moment("now"), moment("future"))
        self._due_lanes = (
            select(lanes.c.id)
            .where(lanes.c.due_at <= moment("now"), lanes.c.blocked.is_(False), free)
            .order_by(lanes.c.due_at)
            .limit(bindparam("limit"))
        )

    # --- sessions -----------------------------------------------------------------------------

    def gate(self, workspace: str, conversation_id: str) -> GateRow | None:
        """What decides whether the AI may speak; None where the conversation has no session."""
        rows = self._rows(self._gate, {"workspace": workspace, "conversation": conversation_id})
        return _gate_row(rows[0]) if rows else None

    def session(self, workspace: str, session_id: str) -> Session | None:
        """None where it is unknown, or another workspace's."""
        return self._state(_STATE_IN, {"id": session_id, "workspace": workspace})

    def session_by_id(self, session_id: str) -> Session | None:
        """For our own use only: it does not look at the workspace."""
        return self._state(_STATE, {"id": session_id})

    def current_session(self, workspace: str, conversation_id: str) -> Session | None:
        return self._state(_CURRENT, {"workspace": workspace, "conversation": conversation_id})

    def sessions(
        self, workspace: str, filters: SessionFilter | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Session]:
        """Newest change first. ValueError for a cursor that is not ours."""
        order = (sessions.c.updated_at, sessions.c.id)
        query = select(sessions.c.state, *order).where(sessions.c.workspace_id == workspace)
        if filters is not None:
            query = query.where(*filters.conditions())
        if cursor is not None:
            at, id = after_session(cursor)
            query = query.where(tuple_(*order) < tuple_(_literal(at), id))
        rows = self._rows(query.order_by(*(column.desc() for column in order)).limit(limit + 1))
        more = session_cursor(rows[limit - 1].updated_at, rows[limit - 1].id) if len(rows) > limit else None
        return Page(tuple(decode_session(row.state) for row in rows[:limit]), more)

    def messages(self, session_id: str, after_seq: int = 0, limit: int = ALL) -> tuple[StoredMessage, ...]:
        """The transcript, in the order of `seq`."""
        rows = self._rows(_MESSAGES, {"session": session_id, "after": after_seq, "limit": limit})
        return tuple(decode_message(row.body) for row in rows)

    def message(self, session_id: str, message_id: str) -> StoredMessage | None:
        rows = self._rows(_MESSAGE, {"session": session_id, "message": message_id})
        return decode_message(rows[0].body) if rows else None

    def timeline(self, session_id: str, after_id: int = 0, limit: int = ALL) -> tuple[TimelineRow, ...]:
        rows = self._rows(_TIMELINE, {"session": session_id, "after": after_id, "limit": limit})
        return tuple(_timeline_row(row) for row in rows)

    def events(self, session_id: str) -> tuple[EventRow, ...]:
        """Every event that the session was decided by, in order: replaying them gives the stored state."""
        return tuple(
            EventRow(event=decode_event(text), decided_at=at)
            for text, at in self._rows(_EVENTS, {"session": session_id})
        )

    def pause_log(
        self, workspace: str, session_id: str | None = None, after_id: int = 0, limit: int = ALL
    ) -> tuple[tuple[int, PauseLog], ...]:
        """Rows of `ai_pause_logs` with their ids, oldest first; of one session or of the whole workspace."""
        params: dict[str, Any] = {"workspace": workspace, "after": after_id, "limit": limit}
        if session_id is None:
            rows = self._rows(_PAUSE_LOG, params)
        else:
            rows = self._rows(_PAUSE_LOG_OF, params | {"session": session_id})
        return tuple((row.id, _pause_row(row)) for row in rows)

    # --- tickets ------------------------------------------------------------------------------

    def link(self, link_id: str) -> LinkRow | None:
        rows = self._rows(_LINK, {"id": link_id})
        return link_row(rows[0]) if rows else None

    def links(self, session_id: str) -> tuple[LinkRow, ...]:
        return tuple(link_row(row) for row in self._rows(_LINKS, {"session": session_id}))

    def sweep_cursor(self, connection_id: str) -> str | None:
        """How far the list of changed tickets was read; None: never."""
        rows = self._rows(_SWEEP_CURSOR, {"id": connection_id})
        return rows[0].sweep_cursor if rows else None

    # --- what is due --------------------------------------------------------------------------

    def due_lanes(self, limit: int) -> tuple[str, ...]:
        """Lanes that somebody could claim now, the longest due first."""
        now = self.now()
        params = {"now": now, "future": now + timedelta(seconds=CLOCK_TOLERANCE_S), "limit": limit}
        return tuple(row.id for row in self._rows(self._due_lanes, params))

    def place_of(self, lane_id: str) -> str | None:
        """Where the lane's work goes; None for an unknown lane."""
        rows = self._rows(_LANE, {"id": lane_id})
        return place_of(rows[0].connection_id, rows[0].destination) if rows else None

    def waiting(self, lane_id: str, limit: int) -> tuple[OutboxRow, ...]:
        """The first pending rows of a lane, in order: more than a claim carries."""
        return tuple(map(outbox_row, self._rows(FIRST, {"lane": lane_id, "limit": limit})))

    def waiting_at(self, connection_id: str) -> int:
        """How many deliveries to a connection wait."""
        count: int = self._rows(_WAITING_AT, {"connection": connection_id})[0][0]
        return count

    def due_sessions(self, limit: int) -> tuple[str, ...]:
        """Sessions with a timer to fire, the longest due first."""
        return tuple(row.id for row in self._rows(_DUE_SESSIONS, {"now": self.now(), "limit": limit}))

    def backlog(self) -> tuple[int, int]:
        """How many lanes are due (leased ones included), and how many deliveries are parked."""
        due = self._rows(_DUE_COUNT, {"now": self.now()})[0][0]
        return due, self._rows(_PARKED_COUNT)[0][0]

    def deliveries(
        self, workspace: str, status: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[DeliveryRow]:
        """Newest first. `status`: pending, done, parked or cancelled. ValueError for a cursor that is not ours."""
        query = _DELIVERY.where(outbox.c.workspace_id == workspace)
        if status == "parked":
            query = query.where(PARKED)
        elif status is not None:
            query = query.where(outbox.c.status == status)
        if cursor is not None:
            query = query.where(outbox.c.id < after_number(cursor))
        rows = self._rows(query.order_by(outbox.c.id.desc()).limit(limit + 1))
        more = number_cursor(rows[limit - 1].id) if len(rows) > limit else None
        return Page(tuple(_delivery_row(row) for row in rows[:limit]), more)

    def delivery(self, workspace: str, delivery_id: int) -> DeliveryRow | None:
        rows = self._rows(_DELIVERY.where(outbox.c.workspace_id == workspace, outbox.c.id == delivery_id))
        return _delivery_row(rows[0]) if rows else None

    # --- how ----------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The time that leases and timers go by: the injected clock, else the database's (PostgreSQL) or ours."""
        if self._clock is not None:
            return self._clock()
        if self._db.dialect == "sqlite":
            return system_clock()
        now: datetime = self._rows(_DATABASE_TIME)[0][0]
        return now

    def _state(self, query: Select[*tuple[Any, ...]], params: Mapping[str, object]) -> Session | None:
        rows = self._rows(query, params)
        return decode_session(rows[0].state) if rows else None

    def _rows(
        self, query: Select[*tuple[Any, ...]] | Prepared, params: Mapping[str, object] | None = None
    ) -> list[AnyRow]:
        try:
            with self._db.read.connect() as connection:
                if isinstance(query, Prepared):
                    return list(query.execute(connection, params or {}))
                return list(connection.execute(query, params))
        except SQLAlchemyError as error:
            raise (not_ready(error) if is_unavailable(error) else in_our_words(error)) from None


def _literal(at: datetime) -> Any:
    return bindparam(None, at, type_=Moment())


def _gate_row(row: AnyRow) -> GateRow:
    session_id, phase, copilot, epoch, agent, channel = row
    return GateRow(
        session_id=session_id,
        phase=phase,
        copilot=bool(copilot),  # SQLite's driver knows numbers only
        control_epoch=epoch,
        agent_running=bool(agent),
        channel_running=bool(channel),
    )


def _timeline_row(row: AnyRow) -> TimelineRow:
    return TimelineRow(
        id=row.id,
        version=row.version,
        kind=row.kind,
        rule=row.rule,
        text=row.text,
        at=row.at,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        via=row.via,
        data=decode_object(row.data),
    )


def _pause_row(row: AnyRow) -> PauseLog:
    return PauseLog(
        conversation_id=row.conversation_id,
        action=row.action,
        reason=row.reason,
        duration_minutes=row.duration_minutes,
        triggered_by=row.triggered_by,
        previous_ai_mode=AiMode(row.previous_ai_mode),
        new_ai_mode=AiMode(row.new_ai_mode),
        via=row.via,
        handoff=row.handoff,
        at=row.at,
        version=row.version,
    )


def _delivery_row(row: AnyRow) -> DeliveryRow:
    return DeliveryRow(
        id=row.id,
        workspace_id=row.workspace_id,
        session_id=row.session_id,
        lane_id=row.lane_id,
        destination=row.destination,
        key=row.key,
        kind=row.kind,
        effect=readable_effect(row.payload),
        status=row.status,
        attempts=row.attempts,
        error=row.error,
        result=row.result,
        created_at=row.created_at,
        done_at=row.done_at,
    )
