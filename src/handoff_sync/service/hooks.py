"""Take in a helpdesk's webhook: remember it, mark the tickets to look at, nothing more (domain.md section 9)."""

from __future__ import annotations

import hashlib

from handoff_sync.contract.connector import WebhookHint
from handoff_sync.store.committer import Job
from handoff_sync.store.rows import LinkRow
from handoff_sync.store.unit import UnitOfWork


def sync_destination(link_id: str) -> str:
    """The destination of the lane that reads one ticket again."""
    return f"sync:{link_id}"


def take_webhook(connection_id: str, workspace_id: str, hint: WebhookHint) -> Job[bool]:
    """Marks the sync lanes of the named tickets as due. False when this delivery was taken before."""
    event_id = f"hook:{connection_id}:{hint.delivery_id}"

    def run(uow: UnitOfWork) -> bool:
        if uow.inbox_result(workspace_id, event_id) is not None:
            return False
        look_again(uow, connection_id, hint.tickets)
        uow.record_inbox(workspace_id, event_id, f"webhook {hint.topic}", None, hint.ignored or "taken")
        return True

    return Job(run=run, inbox=((workspace_id, event_id),))


def keep_unreadable(connection_id: str, workspace_id: str, raw: bytes, why: str) -> Job[None]:
    """Keeps an authentic webhook that we cannot read, for a person to look at. The same bytes are kept once."""
    event_id = f"hook:{connection_id}:unreadable:{hashlib.sha256(raw).hexdigest()[:32]}"

    def run(uow: UnitOfWork) -> None:
        if uow.inbox_result(workspace_id, event_id) is None:
            uow.record_inbox(workspace_id, event_id, "webhook", None, "unreadable", raw=raw, unreadable=why)

    return Job(run=run, inbox=((workspace_id, event_id),))


def look_again(uow: UnitOfWork, connection_id: str, remote_ids: tuple[str, ...]) -> None:
    """Marks as due the reading of every ticket that a session of ours is bound to."""
    for link in uow.links_of_remote(connection_id, remote_ids):
        wake_sync(uow, link)


def wake_sync(uow: UnitOfWork, link: LinkRow) -> None:
    destination = sync_destination(link.id)
    uow.wake(
        f"{link.session_id}/{destination}",
        uow.now,
        workspace_id=link.workspace_id,
        destination=destination,
        session_id=link.session_id,
        connection_id=link.connection_id,
    )
