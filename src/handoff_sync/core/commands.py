"""Commands that agents write in the ticket: the first line of an internal note that starts with `/ai`, or a tag.

Only reads; what a command does is an event like any other (domain.md section 8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from handoff_sync.core.events import (
    Claimed,
    CopilotSet,
    DecisionAccepted,
    DecisionDeclined,
    Extended,
    Paused,
    Resolved,
    Resumed,
    Stopped,
    WasReset,
)
from handoff_sync.core.model import Actor

Ordered = (
    Claimed
    | CopilotSet
    | DecisionAccepted
    | DecisionDeclined
    | Extended
    | Paused
    | Resolved
    | Resumed
    | Stopped
    | WasReset
)
TAGS: Final[Mapping[str, str]] = {
    "ai_resume": "/ai resume",
    "ai_pause": "/ai pause",
    "ai_stop": "/ai stop",
    "ai_resolve": "/ai resolve",
}
"""One-shot tags and the note that each stands for."""
_SPAN: Final = re.compile(r"(\d{1,6})\s*(m|min|minutes?|h|hours?)?", re.IGNORECASE)
_FOREVER: Final = frozenset({"forever", "indefinitely"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A command that changes nothing and is answered by a note: why, status or help."""

    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A note that means to be a command and is none; `hint` says how to write it."""

    hint: str


@dataclass(frozen=True, slots=True)
class _Note:
    """What a command's event takes over from the note it was written in."""

    id: str
    at: datetime
    actor: Actor


def is_command(text: str) -> bool:
    """Whether the first line addresses us. `/air` and `see /ai` do not."""
    first = text.strip().split("\n", 1)[0].split()
    return bool(first) and first[0].lower() == "/ai"


def read(text: str, *, id: str, at: datetime, actor: Actor) -> Ordered | Question | Mistake:
    """The event that a command note asks for. The caller has checked `is_command`."""
    words = text.strip().split("\n", 1)[0].split()[1:]
    name = words[0].lower() if words else "help"
    if name in ("why", "status", "help"):
        return Question(topic=name)
    if name not in _COMMANDS:
        return Mistake(hint=f"There is no /ai {name}. Known: {', '.join([*_COMMANDS, 'why', 'status', 'help'])}.")
    return _COMMANDS[name](_Note(id, at, actor), words[1:])


def _minutes(word: str) -> int | None:
    """`30m`, `1h` or `45` (minutes); None when it is no span."""
    found = _SPAN.fullmatch(word)
    if found is None:
        return None
    return int(found[1]) * (60 if (found[2] or "m").lower().startswith("h") else 1)


def _pause(note: _Note, words: list[str]) -> Ordered:
    minutes = _minutes(words[0]) if words else None
    forever = bool(words) and words[0].lower() in _FOREVER
    rest = words[1:] if minutes is not None or forever else words
    return Paused(
        id=note.id,
        at=note.at,
        actor=note.actor,
        minutes=minutes,
        use_default=minutes is None and not forever,
        reason=" ".join(rest),
    )


def _extend(note: _Note, words: list[str]) -> Ordered | Mistake:
    minutes = _minutes(words[0]) if words else None
    if minutes is None:
        return Mistake(hint="Say by how much: /ai extend 30m.")
    return Extended(id=note.id, at=note.at, actor=note.actor, minutes=minutes, reason=" ".join(words[1:]))


def _copilot(note: _Note, words: list[str]) -> Ordered | Mistake:
    choice = words[0].lower() if words else ""
    if choice not in ("on", "off"):
        return Mistake(hint="Say which: /ai copilot on, or /ai copilot off.")
    return CopilotSet(id=note.id, at=note.at, actor=note.actor, on=choice == "on")


def _resume(note: _Note, words: list[str]) -> Ordered:
    return Resumed(id=note.id, at=note.at, actor=note.actor, ai_agent_id=words[0] if words else None)


_COMMANDS: Final[Mapping[str, Callable[[_Note, list[str]], Ordered | Mistake]]] = {
    "resume": _resume,
    "pause": _pause,
    "extend": _extend,
    "stop": lambda note, words: Stopped(id=note.id, at=note.at, actor=note.actor, reason=" ".join(words)),
    "reset": lambda note, words: WasReset(id=note.id, at=note.at, actor=note.actor, reason=" ".join(words)),
    "copilot": _copilot,
    "accept": lambda note, words: DecisionAccepted(id=note.id, at=note.at, actor=note.actor),
    "decline": lambda note, words: DecisionDeclined(id=note.id, at=note.at, actor=note.actor),
    "claim": lambda note, words: Claimed(id=note.id, at=note.at, actor=note.actor),
    "resolve": lambda note, words: Resolved(id=note.id, at=note.at, actor=note.actor, note=" ".join(words)),
}
