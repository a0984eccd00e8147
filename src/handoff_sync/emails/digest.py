"""Many mails to one person become few: a line for each, grouped by kind, in mails that no program cuts off."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from handoff_sync.core.markup import escape, one_line, size
from handoff_sync.core.policy import MailKind
from handoff_sync.emails.letters import Digest, DigestItem

ORDER: Final = (
    MailKind.DECISION_NEEDED,
    MailKind.HANDOVER,
    MailKind.REMINDER,
    MailKind.TICKET_FAILED,
    MailKind.CONNECTION_DOWN,
    "alert",
    MailKind.DECIDED,
)
"""What waits for somebody stands above what is over."""

NAME_BYTES: Final = 48
WHY_BYTES: Final = 56
URL_BYTES: Final = 600
ROWS_BYTES: Final = 90_000
"""Leaves room for the frame: a mail of 100 kB is cut off by large mail programs, and so are the last customers."""
_ROW_MARKUP: Final = 50
_TIME_BYTES: Final = 24
_READ_CHARS: Final = 1_000


def digests(items: Sequence[DigestItem], workspace_name: str = "") -> tuple[Digest, ...]:
    """The mails that name every item: what needs somebody first, in the given order within a kind.

    A thousand items with addresses of usual length fit into three mails.
    """
    parts: list[list[DigestItem]] = []
    room = 0
    for item in sorted(items, key=lambda item: ORDER.index(item.kind)):
        if (weight := _weight(item)) > room:
            parts.append([])
            room = ROWS_BYTES
        parts[-1].append(item)
        room -= weight
    return tuple(
        Digest(items=tuple(part), total=len(items), part=number, parts=len(parts), workspace_name=workspace_name)
        for number, part in enumerate(parts, 1)
    )


def by_kind(items: Sequence[DigestItem]) -> list[tuple[str, list[DigestItem]]]:
    """Kind and items, in the order of the mail."""
    return [(str(kind), list(group)) for kind, group in groupby(items, key=lambda item: item.kind)]


def brief(text: str, room: int) -> str:
    """One line that takes at most `room` bytes as HTML."""
    line = one_line(text[:_READ_CHARS], room)
    if size(escape(line)) <= room:
        return line
    kept, left = [], room - size("…")
    for char in line:
        left -= size(escape(char))
        if left < 0:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


def _weight(item: DigestItem) -> int:
    """Bytes of the item's line in the HTML, rather too many."""
    url = size(escape(item.url))
    return _ROW_MARKUP + NAME_BYTES + WHY_BYTES + _TIME_BYTES + (url if url <= URL_BYTES else 0)
