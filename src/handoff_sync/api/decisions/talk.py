"""The conversation on the page, oldest message first, redacted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handoff_sync.api.decisions.html import esc, moment, name_html
from handoff_sync.api.decisions.words import Words
from handoff_sync.core.effects import StoredMessage
from handoff_sync.core.model import AuthorClass, Session
from handoff_sync.core.redaction import redact
from handoff_sync.store.reads import Reads

SHOWN: Final = 200
LAST: Final = 10
"""What stands open; earlier messages unfold."""
_KINDS: Final = frozenset({"message", "note"})


def messages_of(reads: Reads, session: Session, after: int = 0) -> tuple[StoredMessage, ...]:
    """The newest messages and notes behind `after`; drafts and markers are nothing that was said."""
    first = max(after, session.message_count - SHOWN)
    return tuple(item for item in reads.messages(session.id, first, SHOWN * 2) if item.kind in _KINDS)


def talk_html(messages: Sequence[StoredMessage], session: Session, words: Words) -> str:
    earlier, last = messages[:-LAST], messages[-LAST:]
    older = f'<p class="faint">{esc(words("talk.older"))}</p>' if session.message_count > SHOWN else ""
    folded = (
        f'<details class="earlier"><summary>{esc(words("talk.earlier", n=len(earlier)))}</summary>{older}'
        f'<ol class="talk">{entries(earlier, session, words)}</ol></details>'
        if earlier
        else ""
    )
    empty = "" if messages else f'<p class="faint" id="empty">{esc(words("talk.empty"))}</p>'
    newest = max((item.seq for item in messages), default=0)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{esc(words("talk.heading"))}">{folded}{empty}'
        f'<ol class="talk" id="talk" aria-live="polite" data-newest="{newest}">'
        f"{entries(last, session, words)}</ol></div>"
    )


def entries(messages: Sequence[StoredMessage], session: Session, words: Words) -> str:
    return "".join(_entry(item, session, words) for item in messages)


def _entry(item: StoredMessage, session: Session, words: Words) -> str:
    message = item.message
    look = "note" if item.kind == "note" else message.author_class.value
    files = "".join(
        f'<p class="file">{esc(words("talk.attachment"))}: {name_html(file.name)}</p>' for file in message.attachments
    )
    text = f'<div class="text" dir="auto">{esc(redact(message.text))}</div>' if message.text else ""
    return (
        f'<li class="{look}" data-seq="{item.seq}"><p class="by"><strong>{_author(item, session, words)}</strong> '
        f"{moment(message.at)}</p>{text}{files}</li>"
    )


def _author(item: StoredMessage, session: Session, words: Words) -> str:
    message = item.message
    name = message.author.name if message.author is not None else ""
    if item.kind == "note":
        return esc(words("author.note")) + (f" · {name_html(name)}" if name else "")
    if message.author_class is AuthorClass.CUSTOMER:
        name = name or session.customer.name or ""
    role = esc(words(f"author.{message.author_class.value}"))
    return role if not name or message.author_class is AuthorClass.AI else f"{name_html(name)} · {role}"
