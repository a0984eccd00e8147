"""The sessions of one transaction: loaded and locked once, changed in memory, written together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select, tuple_, union_all, update

from handoff_sync.core.model import Phase, Session
from handoff_sync.store.bulk import BulkInsert, BulkUpdate
from handoff_sync.store.codec import decode_session, encode_keys, encode_session
from handoff_sync.store.engine import Dialect
from handoff_sync.store.rows import AnyRow
from handoff_sync.store.statements import Prepared, keys
from handoff_sync.store.tables import sessions

ConversationKey = tuple[str, str]
"""Workspace id and conversation id."""

_BIRTH = ("id", "workspace_id", "conversation_id", "channel", "created_at", "is_current")
_CHANGING = (
    "phase",
    "status",
    "copilot",
    "agent_running",
    "channel_running",
    "team",
    "assignee_id",
    "needs_human",
    "last_responder_class",
    "labels",
    "control_epoch",
    "version",
    "next_timer_at",
    "state",
    "updated_at",
)
_RETIRE = update(sessions).where(sessions.c.id == bindparam("b_id")).values(is_current=False)


@cache
def _locked(dialect: Dialect) -> Prepared:
    """Loads and locks sessions, ordered, so that two transactions that want the same ones never wait for each other."""
    key = tuple_(sessions.c.workspace_id, sessions.c.conversation_id)
    current = select(sessions.c.id).where(key.in_(keys(dialect, "conversations", 2)), sessions.c.is_current.is_(True))
    wanted = union_all(current, keys(dialect, "ids", 1))
    columns = (
        sessions.c.id,
        sessions.c.workspace_id,
        sessions.c.conversation_id,
        sessions.c.is_current,
        sessions.c.state,
    )
    found = select(*columns).where(sessions.c.id.in_(wanted)).order_by(sessions.c.id)
    return Prepared(dialect, found.with_for_update())


@cache
def _insert(dialect: Dialect) -> BulkInsert:
    return BulkInsert(dialect, sessions, _BIRTH + _CHANGING)


@cache
def _update(dialect: Dialect) -> BulkUpdate:
    return BulkUpdate(dialect, sessions, _CHANGING)


@dataclass(slots=True)
class _Entry:
    """`stored` is the session as the database has it, None while it has none."""

    session: Session
    stored: Session | None
    current: bool


class SessionMap:
    """Identity map: one object per session, however many events a batch has for it."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect: Dialect = dialect
        self._entries: dict[str, _Entry | None] = {}
        self._current: dict[ConversationKey, str | None] = {}
        self._changed: dict[str, None] = {}
        self._retired: dict[str, None] = {}

    def prefetch(self, conversations: Collection[ConversationKey], ids: Collection[str]) -> None:
        """Loads and locks all of them in one statement, in the order of their ids."""
        wanted = sorted(key for key in set(conversations) if key not in self._current)
        unknown = sorted(id for id in set(ids) if id not in self._entries)
        if not wanted and not unknown:
            return
        params = {"conversations": encode_keys(wanted), "ids": encode_keys([(id,) for id in unknown])}
        rows = _locked(self._dialect).execute(self._connection, params)
        self._take(rows)
        for key in wanted:
            self._current.setdefault(key, None)
        for id in unknown:
            self._entries.setdefault(id, None)

    def of_conversation(self, key: ConversationKey) -> Session | None:
        if key not in self._current:
            self.prefetch((key,), ())
        id = self._current[key]
        return None if id is None else self._found(id)

    def get(self, id: str) -> Session | None:
        if id not in self._entries:
            self.prefetch((), (id,))
        return self._found(id)

    def put(self, session: Session) -> Session | None:
        """Stages the session; what the database holds of it is returned. A new one becomes the current one."""
        key = (session.workspace, session.conversation_id)
        if self.get(session.id) is None:
            self._make_current(key, session)
        entry = self._entries[session.id]
        assert entry is not None
        entry.session = session
        if entry.stored is not session and entry.stored != session:
            self._changed[session.id] = None
        return entry.stored

    def retire(self, session: Session) -> None:
        """The session is no longer the one that its conversation's events belong to."""
        entry = self._entries.get(session.id)
        if entry is None or not entry.current:
            return
        entry.current = False
        self._current[(session.workspace, session.conversation_id)] = None
        if entry.stored is not None:
            self._retired[session.id] = None

    def flush(self, now: datetime) -> None:
        """Writes what changed: retired ones first, for a conversation has only one current session."""
        if self._retired:
            self._connection.execute(_RETIRE, [{"b_id": id} for id in sorted(self._retired)])
            self._retired.clear()
        if not self._changed:
            return
        changed = [entry for entry in map(self._entries.get, self._changed) if entry is not None]
        self._changed.clear()
        self._insert([entry for entry in changed if entry.stored is None], now)
        self._update([entry for entry in changed if entry.stored is not None], now)
        for entry in changed:
            entry.stored = entry.session

    def _insert(self, entries: list[_Entry], now: datetime) -> None:
        if entries:
            # In the order of the unique index: two transactions that create the same ones cannot deadlock on it.
            entries.sort(key=lambda entry: (entry.session.workspace, entry.session.conversation_id))
            rows = [_columns(entry.session, now) | _birth(entry) for entry in entries]
            _insert(self._dialect).execute(self._connection, rows)

    def _update(self, entries: list[_Entry], now: datetime) -> None:
        if entries:
            rows = [_columns(entry.session, now) | {"id": entry.session.id} for entry in entries]
            _update(self._dialect).execute(self._connection, rows)

    def _make_current(self, key: ConversationKey, session: Session) -> None:
        previous = self.of_conversation(key)
        if previous is not None:
            self.retire(previous)
        self._entries[session.id] = _Entry(session, None, current=True)
        self._current[key] = session.id

    def _found(self, id: str) -> Session | None:
        entry = self._entries[id]
        return None if entry is None else entry.session

    def _take(self, rows: Iterable[AnyRow]) -> None:
        for id, workspace, conversation, is_current, state in rows:
            if id not in self._entries:
                session = decode_session(state)
                self._entries[id] = _Entry(session, session, bool(is_current))
                if is_current:
                    self._current.setdefault((workspace, conversation), id)


def _birth(entry: _Entry) -> dict[str, Any]:
    session = entry.session
    return {
        "is_current": entry.current,
        "id": session.id,
        "workspace_id": session.workspace,
        "conversation_id": session.conversation_id,
        "channel": session.channel,
        "created_at": session.created_at,
    }


def _columns(session: Session, now: datetime) -> dict[str, Any]:
    return {
        "phase": session.phase.value,
        "status": session.status.value,
        "copilot": session.copilot,
        "agent_running": session.agent_running,
        "channel_running": session.channel_running,
        "team": session.team,
        "assignee_id": session.assignee.id if session.assignee else None,
        "needs_human": session.phase in (Phase.WAITING, Phase.HUMAN),
        "last_responder_class": session.last_responder.author_class.value if session.last_responder else None,
        "labels": label_text(session.labels),
        "control_epoch": session.control_epoch,
        "version": session.version,
        "next_timer_at": min((timer.fires_at for timer in session.timers), default=None),
        "state": encode_session(session),
        "updated_at": now,
    }


def label_text(labels: Iterable[str]) -> str:
    """Labels as one text in which each can be found as `|label|`."""
    return "".join(f"|{label}" for label in labels) + "|"
