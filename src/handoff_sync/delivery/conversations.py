"""What a mail about a session shows: who, why, since when, the last words, and where to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from handoff_sync.contract.registry import connector_class
from handoff_sync.core.model import Handoff, LinkState, Session, TicketLink
from handoff_sync.core.redaction import redact
from handoff_sync.core.transcript import WHY, clock, extract
from handoff_sync.delivery.drafts import chat_link
from handoff_sync.emails.letters import Conversation, TicketLine, excerpt
from handoff_sync.errors import ConfigurationError
from handoff_sync.store.reads import Reads
from handoff_sync.store.rows import ConnectionRow

_IN_TROUBLE = frozenset({LinkState.FAILED, LinkState.DELETED, LinkState.DETACHED})


class Connections(Protocol):
    """Where connections are looked up."""

    def connection(self, connection_id: str) -> ConnectionRow | None: ...


class Helpdesks:
    """What people call the helpdesks."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def title(self, connection_id: str) -> str:
        """Such as "Zendesk", or "Zendesk (acme-eu)" where the connection has a name of its own; "": it was removed."""
        row = self._connections.connection(connection_id)
        if row is None:
            return ""
        kind = self.kind(row.kind)
        return kind if row.name.lower() in (row.kind.lower(), kind.lower()) else f"{kind} ({row.name})"

    def kind(self, kind: str) -> str:
        """Such as "Zendesk"."""
        try:
            return str(connector_class(kind).title)
        except ConfigurationError:  # uninstalled since
            return kind


class Conversations:
    """Tells of sessions as mails do."""

    def __init__(self, reads: Reads, title: Callable[[str], str]) -> None:
        self._reads = reads
        self._title = title

    def about(self, session: Session, handoff: Handoff, workspace_name: str = "") -> Conversation:
        messages = self._reads.messages(session.id)
        customer = session.customer
        name = redact(customer.name or "")
        return Conversation(
            session_url=session_url(session, handoff),
            chat_url=chat_link(handoff.policy, session) or "",
            customer_name=name,
            customer_address=customer.email if customer.email and customer.email_verified else "",
            channel=session.channel,
            trigger=handoff.trigger,
            why=WHY[handoff.trigger],
            scenarios=tuple(map(redact, handoff.scenarios)),
            reason=redact(handoff.reason),
            summary=redact(handoff.summary or session.summary or extract(messages, name or None)),
            waiting_since=waiting_since(handoff),
            excerpt=excerpt(messages, name or None),
            tickets=self._tickets(session.live_links),
            workspace_name=workspace_name,
        )

    def in_trouble(self, session: Session) -> str:
        """The helpdesks at which something is wrong with the ticket; "" where that is not known any more."""
        troubled = [link for link in session.links if link.state in _IN_TROUBLE]
        waiting = [link for link in session.links if link.state is LinkState.INTENT]
        titles = dict.fromkeys(self._title(link.connection) for link in troubled or waiting)
        return ", ".join(filter(None, titles))

    def _tickets(self, links: Sequence[TicketLink]) -> tuple[TicketLine, ...]:
        made = [link for link in links if link.remote_id is not None]
        return tuple(
            TicketLine(title=f"{self._title(link.connection)} #{link.remote_id}".strip(), url=link.url) for link in made
        )


def session_url(session: Session, handoff: Handoff) -> str:
    """The live chat, else the ticket, else nothing."""
    tickets = (link.url for link in session.live_links if link.url)
    return chat_link(handoff.policy, session) or next(tickets, "")


def waiting_since(handoff: Handoff) -> str:
    return clock(handoff.decided_at or handoff.requested_at)


def handoff_of(session: Session, number: int) -> Handoff:
    return next(handoff for handoff in session.handoffs if handoff.number == number)
