"""Append a comment once: what was sent and not answered is looked for by its marker before it is said again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handoff_sync.contract.connector import CommentDraft, Connector
from handoff_sync.delivery.lease import Lease, RowJournal
from handoff_sync.store.rows import OutboxRow


class Appender:
    """Appends comments in order. `checkpoint` is called with a name around every outside call."""

    def __init__(self, checkpoint: Callable[[str], None]) -> None:
        self._checkpoint = checkpoint

    def group(
        self,
        lease: Lease,
        rows: Sequence[OutboxRow],
        connector: Connector,
        ticket: str,
        comments: Sequence[CommentDraft],
    ) -> list[str]:
        """Says what a group of rows says, in as many comments as it takes. Returns their ids in order."""
        head = rows[0]
        uncertain = lease.sent_before
        if "sent" not in lease.noted(head):
            lease.note(head, {"sent": ",".join(str(row.id) for row in rows)})
        return self.each(lease, head, connector, ticket, comments, uncertain=uncertain)

    def each(
        self,
        lease: Lease,
        row: OutboxRow,
        connector: Connector,
        ticket: str,
        comments: Sequence[CommentDraft],
        *,
        uncertain: bool,
    ) -> list[str]:
        """`uncertain`: an earlier attempt may have said some of them without our knowing."""
        made = []
        for comment in comments:
            name = f"comment {comment.marker}"
            known = lease.noted(row).get(name)
            if known is None:
                known = self._append(lease, row, connector, ticket, comment, look_first=uncertain)
                if len(comments) > 1:
                    lease.note(row, {name: known})
            made.append(known)
        return made

    def _append(
        self,
        lease: Lease,
        row: OutboxRow,
        connector: Connector,
        ticket: str,
        comment: CommentDraft,
        *,
        look_first: bool,
    ) -> str:
        if look_first:
            lease.before_call()
            if (found := connector.find_appended(ticket, comment.marker)) is not None:
                return found.id
        lease.before_call()
        self._checkpoint("append.before")
        made = connector.append(ticket, comment, RowJournal(lease, row))
        self._checkpoint("append.answered")
        return made.id
