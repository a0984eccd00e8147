"""How people narrow down a list, and the pages they get it in."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, exists, literal, or_, select

from handoff_sync.store.tables import messages, sessions

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor of the next page; None where this was the last one."""

    items: tuple[T, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """None leaves a property open. `text` is looked for in the customer's data and in the transcript."""

    status: str | None = None
    phase: str | None = None
    needs_human: bool | None = None
    unassigned: bool | None = None
    assignee_id: str | None = None
    last_responder_class: str | None = None
    team: str | None = None
    channel: str | None = None
    label: str | None = None
    conversation_id: str | None = None
    text: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        plain = (
            "status",
            "phase",
            "needs_human",
            "assignee_id",
            "last_responder_class",
            "team",
            "channel",
            "conversation_id",
        )
        wanted = [sessions.c[name] == getattr(self, name) for name in plain if getattr(self, name) is not None]
        if self.unassigned is not None:
            nobody = sessions.c.assignee_id.is_(None)
            wanted.append(nobody if self.unassigned else ~nobody)
        if self.label is not None:
            wanted.append(_contains(sessions.c.labels, f"|{self.label}|"))
        if self.text is not None:
            wanted.append(_mentions(self.text))
        return wanted


def _mentions(text: str) -> ColumnElement[bool]:
    said = exists(
        select(literal(1))
        .select_from(messages)
        .where(messages.c.session_id == sessions.c.id, _contains(messages.c.body, text))
    )
    return or_(_contains(sessions.c.state, text), said)


def _contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return column.icontains(text, autoescape=True)


def session_cursor(at: datetime, id: str) -> str:
    """Where a page of sessions ended."""
    return encode_cursor(at.isoformat(), id)


def after_session(cursor: str) -> tuple[datetime, str]:
    """The last change and the id of the session where the page ended; ValueError when it is not our cursor."""
    at, id = decode_cursor(cursor, 2)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise ValueError(_FOREIGN) from error
    if moment.tzinfo is None or not id.isprintable():
        raise ValueError(_FOREIGN)
    return moment, id


def number_cursor(number: int) -> str:
    """Where a page of numbered rows ended."""
    return encode_cursor(str(number))


def after_number(cursor: str) -> int:
    """The number where the page ended; ValueError when it is not our cursor."""
    (number,) = decode_cursor(cursor, 1)
    if not number.isdecimal() or len(number) > _DIGITS:
        raise ValueError(_FOREIGN)
    return int(number)


_FOREIGN = "This cursor is not one of ours; start again without it."
_DIGITS = 18  # more does not fit into the databases' integers


def encode_cursor(*parts: str) -> str:
    """A cursor that means nothing to whoever holds it."""
    return base64.urlsafe_b64encode("\x1f".join(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """What `encode_cursor` was given, which must be that many parts; ValueError when it is not our cursor."""
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        found = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("\x1f")
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(_FOREIGN) from error
    if len(found) != parts:
        raise ValueError(_FOREIGN)
    return found
