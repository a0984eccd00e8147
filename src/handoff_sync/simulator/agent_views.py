"""What the agent page shows and may do, in words that fit every helpdesk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Tone(StrEnum):
    """Colour of a status."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    HOLD = "hold"
    SOLVED = "solved"
    CLOSED = "closed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Status:
    label: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """A ticket in the list. `preview` is the newest comment's text."""

    id: str
    subject: str
    requester: str
    status: Status
    updated_at: datetime
    assignee: str | None = None
    preview: str = ""
    comments: int = 0


class EntryKind(StrEnum):
    CUSTOMER = "customer"
    REPLY = "reply"  # an agent's public comment
    NOTE = "note"  # internal: the customer never sees it
    EVENT = "event"  # something happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the ticket's history. `text` is plain; the page escapes it."""

    id: str
    kind: EntryKind
    author: str
    at: datetime
    text: str
    via: str = ""
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusChoice:
    """A button that moves the ticket to another state."""

    action: str
    value: str
    label: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What people of this helpdesk say. `done` and `gone` name the lists of what is finished and what was deleted."""

    thing: str = "ticket"
    done: str = "Solved"
    gone: str = "Deleted"
    delete: str = "Delete"
    deleting: str = "It goes to the deleted ones and can be restored."
    restore: str | None = "Restore"
    merging: str = "This ticket is closed and goes on in the other one. There is no way back."


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketView:
    """One ticket. `facts` are shown as name and value; `locked` says in a sentence why nothing can be written.

    `merged_into` is the ticket in which this one goes on.
    """

    row: TicketRow
    entries: tuple[Entry, ...]
    tags: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    assignee_id: str | None = None
    choices: tuple[StatusChoice, ...] = ()
    after_reply: tuple[StatusChoice, ...] = ()
    locked: str | None = None
    deleted: bool = False
    can_merge: bool = True
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str


class Refused(Exception):
    """The helpdesk does not allow it; the message tells the agent why."""


class AgentDesk(Protocol):
    """A helpdesk as its agents see it. Methods may be called from any thread."""

    name: str
    words: Words

    def agents(self) -> list[Person]: ...

    def rows(self) -> list[TicketRow]:
        """All tickets, the newest change first."""
        ...

    def view(self, ticket_id: str) -> TicketView | None: ...

    def version(self) -> int:
        """Grows with every change."""
        ...

    def act(self, ticket_id: str, action: str, form: Mapping[str, str], agent_id: str) -> None:
        """Do what a form asks: reply, note, customer, assign, status, merge, delete or restore.

        Raises:
            Refused: not possible now.
        """
        ...
