"""The simulated Zendesk in the words that all helpdesks share (`handoff_sync.simulator.desk`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from handoff_connectors.zendesk.simulator.desk import ZendeskSimulator
from handoff_connectors.zendesk.simulator.settings import Limits
from handoff_sync.contract.signatures import hmac_base64
from handoff_sync.core.model import TicketStatus
from handoff_sync.simulator.desk import Call, DeskAccess, DeskComment, DeskTicket, Say

AGENT: Final = "Dana"
_OURS: Final = {
    "new": TicketStatus.OPEN,
    "open": TicketStatus.OPEN,
    "pending": TicketStatus.WAITING_CUSTOMER,
    "hold": TicketStatus.ON_HOLD,
    "solved": TicketStatus.SOLVED,
    "closed": TicketStatus.CLOSED,
}
_THEIRS: Final = {ours: theirs for theirs, ours in _OURS.items()}


class ZendeskDesk:
    """Implements `handoff_sync.simulator.desk.Desk`. `simulator` is there for whoever wants to make trouble."""

    kind: Final = "zendesk"
    title: Final = "Zendesk"
    agent_name: Final = AGENT
    colleague_name: Final = "Omar Haddad"
    webhook_secret: Final = "signing_secret"
    opening: Final = Call(method="POST", path=r"/tickets(\.json)?$")
    appending: Final = Call(method="PUT", path=r"/tickets/\d+(\.json)?$")
    reading: Final = Call(method="GET", path=r"/tickets/\d+(\.json)?$")

    def __init__(self, port: int = 0) -> None:
        self.simulator = ZendeskSimulator(port=port)

    @property
    def agent_url(self) -> str:
        return self.simulator.agent_url

    @property
    def access(self) -> DeskAccess:
        known = self.simulator.credentials
        settings = {
            "subdomain": self.simulator.subdomain,
            "client_id": known.client_id,
            "base_url": self.simulator.base_url,
            "agent_url": self.simulator.base_url,
        }
        return DeskAccess(settings=settings, secrets={"client_secret": known.client_secret})

    @property
    def hurried(self) -> Mapping[str, object]:
        return {}

    def start(self) -> None:
        self.simulator.start()

    def stop(self) -> None:
        self.simulator.stop()

    def wait(self) -> None:
        self.simulator.wait()

    def calm(self) -> None:
        settings = self.simulator.settings
        settings.limits = Limits.off()
        settings.search_lag_s = settings.export_withheld_s = 0.0

    def set_webhook(self, url: str) -> None:
        """Nothing to do: the connector installs its webhook."""

    def signed(self, body: bytes, secret: str, at: datetime) -> Mapping[str, str]:
        sent_at = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "x-zendesk-webhook-signature": hmac_base64(secret.encode(), sent_at.encode() + body),
            "x-zendesk-webhook-signature-timestamp": sent_at,
            "x-zendesk-webhook-invocation-id": "01INVOCATION",
        }

    # --- looking ---------------------------------------------------------------------------------

    def ticket_ids(self) -> tuple[str, ...]:
        return tuple(str(ticket.id) for ticket in self.simulator.state.tickets)

    def ticket(self, ticket_id: str) -> DeskTicket:
        state = self.simulator.state
        ticket = state.ticket(ticket_id)
        return DeskTicket(
            id=str(ticket.id),
            subject=ticket.subject or "",
            requester_name=state.user(ticket.requester_id).name,
            status=_OURS[ticket.status],
            assignee=state.user(ticket.assignee_id).shown_name if ticket.assignee_id is not None else None,
            tags=tuple(ticket.tags),
            comments=tuple(
                DeskComment(
                    text=comment.plain_body, public=comment.public, by_customer=comment.author_id == ticket.requester_id
                )
                for comment in state.comments(ticket_id)
            ),
        )

    # --- what people do ---------------------------------------------------------------------------

    def reply(self, ticket_id: str, text: str) -> None:
        self.simulator.reply(ticket_id, text, agent=AGENT)

    def note(self, ticket_id: str, text: str) -> None:
        self.simulator.note(ticket_id, text, agent=AGENT)

    @property
    def whispers(self) -> Mapping[str, Say]:
        return {"note": self.note, "taken back": self._take_back}

    @property
    def machines(self) -> Mapping[str, Say]:
        return {}

    def _take_back(self, ticket_id: str, text: str) -> None:
        """Said in public, and made private before anybody looked."""
        said = self.simulator.reply(ticket_id, text, agent=AGENT)
        self.simulator.make_private(ticket_id, said.id, agent=AGENT)

    def customer_reply(self, ticket_id: str, text: str) -> None:
        self.simulator.customer_reply(ticket_id, text)

    def assign(self, ticket_id: str, to: str | None) -> None:
        self.simulator.assign(ticket_id, to, agent=AGENT)

    def set_status(self, ticket_id: str, status: TicketStatus) -> None:
        self.simulator.set_status(ticket_id, _THEIRS[status], agent=AGENT)

    def solve(self, ticket_id: str) -> None:
        self.set_status(ticket_id, TicketStatus.SOLVED)

    def reopen(self, ticket_id: str) -> None:
        self.set_status(ticket_id, TicketStatus.OPEN)

    def add_tags(self, ticket_id: str, *tags: str) -> None:
        self.simulator.add_tags(ticket_id, *tags, agent=AGENT)

    def remove_tags(self, ticket_id: str, *tags: str) -> None:
        self.simulator.remove_tags(ticket_id, *tags, agent=AGENT)

    def merge(self, source: str, target: str) -> None:
        self.simulator.merge(source, target, agent=AGENT)

    def delete(self, ticket_id: str) -> None:
        self.simulator.delete(ticket_id, agent=AGENT)

    def restore(self, ticket_id: str) -> None:
        self.simulator.restore(ticket_id, agent=AGENT)
