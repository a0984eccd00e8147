"""Commands that agents write in the ticket: the first line of an internal note that starts with `/ai`, or a tag.

Only reads; what a command does is an event like any other (domain.md section 8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
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
_HOURS: Final = r"(?:(\d{1,4})(?:h|hrs?|hours?))?"
_MINUTES: Final = r"(?:(\d{1,6})(?:m|mins?|minutes?)?)?"
_SPAN: Final = re.compile(f"(?=\\d){_HOURS}{_MINUTES}", re.IGNORECASE)
_UNIT: Final = re.compile("m|mins?|minutes?|h|hrs?|hours?", re.IGNORECASE)
_FOREVER: Final = frozenset({"forever", "indefinitely"})
_QUESTIONS: Final = ("why", "status", "help")

_UNSEEN: Final = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that editors and copying leave in a text, and that nobody sees."""
_QUOTES: Final = "\"'`´*“”„‟‘’‚‛«»‹›"
_MENTIONS: Final = re.compile(r"\A(?:@[\w.-]+(?: [A-Z][\w.-]*)?(?: \(\S+\))?[,:]?\s+)+(?=\S?(?i:/ai)\b)")
"""A helpdesk puts the teammate's name, be it a link, before what is written to them."""
_JOINED: Final = re.compile(r"/ai(?:[_:.,-]+([a-z]*))?", re.IGNORECASE)
_LONGEST_NAME: Final = 20


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
    return _words(text)[:1] == ["/ai"]


def _words(text: str) -> list[str]:
    """The words of the first line that says anything, without what an editor put around them.

    Whoever writes `/ai_stop` or “/ai stop!” means the same.
    """
    lines = (_UNSEEN.sub("", line).strip() for line in text.replace("&nbsp;", " ").splitlines())
    first = _MENTIONS.sub("", next(filter(None, lines), ""), count=1)
    words = (first.strip(_QUOTES) if first[:1] in _QUOTES else first).split()
    if words and (joined := _JOINED.fullmatch(words[0])) is not None:
        words = ["/ai", *filter(None, [joined[1]]), *words[1:]]
    return words


def read(text: str, *, id: str, at: datetime, actor: Actor) -> Ordered | Question | Mistake:
    """The event that a command note asks for. The caller has checked `is_command`."""
    words = _words(text)[1:]
    name = words[0][:_LONGEST_NAME].lower().strip(f"{_QUOTES}.,:;!?") if words else "help"
    if name in _QUESTIONS:
        return Question(topic=name)
    if name not in _COMMANDS:
        return _unknown(name)
    return _COMMANDS[name](_Note(id, at, actor), words[1:])


def _unknown(name: str) -> Mistake:
    known = (*_COMMANDS, *_QUESTIONS)
    meant = get_close_matches(name, known, n=1)
    ask = f" Did you mean /ai {meant[0]}?" if meant else ""
    return Mistake(hint=f"There is no /ai {name}.{ask} Known: {', '.join(known)}.")


def _span(words: list[str]) -> tuple[int | None, list[str]]:
    """Minutes, and the words behind: `30m`, `1h`, `1h30m`, `2 hours` or `45` (minutes). None when it is no span."""
    if len(words) > 1 and words[0].isdecimal() and _UNIT.fullmatch(words[1]):
        words = [words[0] + words[1], *words[2:]]
    found = _SPAN.fullmatch(words[0]) if words else None
    if found is None:
        return None, words
    return int(found[1] or 0) * 60 + int(found[2] or 0), words[1:]


def _pause(note: _Note, words: list[str]) -> Ordered | Mistake:
    minutes, rest = _span(words)
    forever = bool(rest) and minutes is None and rest[0].lower() in _FOREVER
    if forever:
        rest = rest[1:]
    elif minutes is None and rest and rest[0][0].isdecimal():
        return Mistake(hint="Say for how long: /ai pause 30m, /ai pause 2h or /ai pause forever.")
    return Paused(
        id=note.id,
        at=note.at,
        actor=note.actor,
        minutes=minutes,
        use_default=minutes is None and not forever,
        reason=" ".join(rest),
    )


def _extend(note: _Note, words: list[str]) -> Ordered | Mistake:
    minutes, rest = _span(words)
    if minutes is None:
        return Mistake(hint="Say by how much: /ai extend 30m.")
    return Extended(id=note.id, at=note.at, actor=note.actor, minutes=minutes, reason=" ".join(rest))


def _copilot(note: _Note, words: list[str]) -> Ordered | Mistake:
    choice = words[0].lower().strip(".!") if words else ""
    if choice not in ("on", "off"):
        return Mistake(hint="Say which: /ai copilot on, or /ai copilot off.")
    return CopilotSet(id=note.id, at=note.at, actor=note.actor, on=choice == "on")


def _resume(note: _Note, words: list[str]) -> Ordered:
    agent = words[0].strip(_QUOTES) if words else ""
    return Resumed(id=note.id, at=note.at, actor=note.actor, ai_agent_id=agent or None)


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
