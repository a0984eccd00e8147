"""Which rows of a ticket's lane one call can say."""

from __future__ import annotations

from collections.abc import Sequence

from handoff_sync.core.effects import AppendToTicket, AttachToTicket, OpenTicket, SetTicketTags
from handoff_sync.store.rows import OutboxRow


def comment_group(rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """The first row, and the appends behind it that one comment can say as well.

    A group that was sent already stays as it was: the helpdesk may hold it.
    """
    first = rows[0]
    if "sent" in first.journal and isinstance(first.effect, AppendToTicket):
        sent = {int(row_id) for row_id in first.journal["sent"].split(",")}
        return [row for row in rows if row.id in sent]
    group = [first]
    if isinstance(first.effect, AppendToTicket):
        for row in rows[1:]:
            if not isinstance(row.effect, AppendToTicket) or not _alike(first.effect, row.effect):
                break
            group.append(row)
    return group


def opening_tags(rows: Sequence[OutboxRow]) -> tuple[OutboxRow, SetTicketTags] | None:
    """The tags that directly follow the opening: the new ticket can have them from the start, which saves a call.

    Rows of a lane keep their order and but for the files none comes in between, so every attempt finds the same ones.
    """
    if not rows or not isinstance(rows[0].effect, OpenTicket):
        return None
    for row in rows[1:]:
        if isinstance(row.effect, SetTicketTags) and not row.effect.remove:
            return row, row.effect
        if not isinstance(row.effect, AttachToTicket):
            break
    return None


def _alike(one: AppendToTicket, other: AppendToTicket) -> bool:
    return one.public == other.public and one.message.author_class == other.message.author_class
