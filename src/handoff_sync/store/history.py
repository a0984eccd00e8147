"""What a session leaves behind: transcript, timeline with its events, and the pause log. Only ever added to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select

from handoff_sync.core.effects import Outcome, PauseLog, StoredMessage, TimelineEntry
from handoff_sync.core.events import Event
from handoff_sync.core.model import Session
from handoff_sync.store.bulk import BulkInsert
from handoff_sync.store.codec import encode_event, encode_message, encode_object
from handoff_sync.store.engine import Dialect
from handoff_sync.store.tables import ai_pause_logs, messages, timeline

_GIVEN_BY_THE_DATABASE = "id"


_KNOWN = select(messages.c.seq).where(
    messages.c.session_id == bindparam("session"), messages.c.message_id == bindparam("message")
)


@cache
def _messages(dialect: Dialect) -> BulkInsert:
    # Only a message id that is there already is a repeat; a `seq` that is taken would be a fault of ours.
    return BulkInsert(
        dialect,
        messages,
        messages.c.keys(),
        lambda new: new.on_conflict_do_nothing(index_elements=["session_id", "message_id"]),
    )


@cache
def _log(dialect: Dialect, table: Table) -> BulkInsert:
    return BulkInsert(dialect, table, [column.name for column in table.c if column.name != _GIVEN_BY_THE_DATABASE])


class History:
    """The history that one transaction adds."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect: Dialect = dialect
        self._messages: list[dict[str, Any]] = []
        self._timeline: list[dict[str, Any]] = []
        self._pause_log: list[dict[str, Any]] = []

    def has_message(self, session_id: str, message_id: str) -> bool:
        """Whether the session has this message, stored or staged."""
        wanted = (session_id, message_id)
        if any((row["session_id"], row["message_id"]) == wanted for row in self._messages):
            return True
        params = {"session": session_id, "message": message_id}
        return self._connection.execute(_KNOWN, params).first() is not None

    def add(self, outcome: Outcome, event: Event | None, now: datetime) -> None:
        session = outcome.session
        self._messages += [_message_columns(session, message) for message in outcome.messages]
        self._timeline += _timeline_columns(outcome, event, now)
        self._pause_log += [_pause_columns(session, row) for row in outcome.pause_log]

    def flush(self) -> None:
        if self._messages:
            _messages(self._dialect).execute(self._connection, self._messages)
            self._messages = []
        if self._timeline:
            _log(self._dialect, timeline).execute(self._connection, self._timeline)
            self._timeline = []
        if self._pause_log:
            _log(self._dialect, ai_pause_logs).execute(self._connection, self._pause_log)
            self._pause_log = []


def _message_columns(session: Session, stored: StoredMessage) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "seq": stored.seq,
        "message_id": stored.message.id,
        "author_class": stored.message.author_class.value,
        "visibility": stored.visibility.value,
        "kind": stored.kind,
        "body": encode_message(stored),
        "at": stored.message.at,
    }


def _timeline_columns(outcome: Outcome, event: Event | None, now: datetime) -> Iterable[dict[str, Any]]:
    """The entries, the first of which carries the event; an event without entries gets a row that is not shown."""
    entries: tuple[TimelineEntry, ...] = outcome.timeline
    shown = bool(entries)
    if not entries and event is not None:
        entries = (_bare(outcome, event),)
    text = None if event is None else encode_event(event)
    for entry in entries:
        yield {
            "workspace_id": outcome.session.workspace,
            "session_id": outcome.session.id,
            "version": entry.version or outcome.session.version,
            "kind": entry.kind,
            "rule": entry.rule,
            "text": entry.text,
            "at": entry.at,
            "actor_id": entry.actor_id,
            "actor_name": entry.actor_name,
            "via": entry.via,
            "data": encode_object(entry.data),
            "shown": shown,
            "event": text,
            "decided_at": now,
        }
        text = None


def _bare(outcome: Outcome, event: Event) -> TimelineEntry:
    actor = event.actor
    entry = TimelineEntry(kind=event.type, rule=outcome.rule, text=outcome.detail, at=event.at, actor_id=actor.id)
    return replace(entry, actor_name=actor.name, via=actor.via)


def _pause_columns(session: Session, row: PauseLog) -> dict[str, Any]:
    return {
        "workspace_id": session.workspace,
        "session_id": session.id,
        "conversation_id": row.conversation_id,
        "action": row.action,
        "reason": row.reason,
        "duration_minutes": row.duration_minutes,
        "triggered_by": row.triggered_by,
        "previous_ai_mode": row.previous_ai_mode.value,
        "new_ai_mode": row.new_ai_mode.value,
        "via": row.via,
        "handoff": row.handoff,
        "at": row.at,
        "version": row.version,
    }
