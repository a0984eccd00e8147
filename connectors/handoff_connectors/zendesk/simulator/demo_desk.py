"""The simulated Zendesk in the words that demo and training share (`handoff_sync.simulator.desk`)."""

from __future__ import annotations

from typing import Final

from handoff_connectors.zendesk.simulator.desk import ZendeskSimulator
from handoff_sync.simulator.desk import DeskAccess, DeskComment, DeskTicket

AGENT: Final = "Dana"


class ZendeskDesk:
    """Implements `handoff_sync.simulator.desk.Desk`. `simulator` is there for whoever wants to make trouble."""

    kind: Final = "zendesk"
    title: Final = "Zendesk"
    agent_name: Final = AGENT

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

    def set_webhook(self, url: str) -> None:
        """Nothing to do: the connector installs its webhook."""

    def start(self) -> None:
        self.simulator.start()

    def stop(self) -> None:
        self.simulator.stop()

    def wait(self) -> None:
        self.simulator.wait()

    def ticket_ids(self) -> tuple[str, ...]:
        return tuple(str(ticket.id) for ticket in self.simulator.state.tickets)

    def ticket(self, ticket_id: str) -> DeskTicket:
        ticket = self.simulator.state.ticket(ticket_id)
        comments = self.simulator.state.comments(ticket_id)
        return DeskTicket(
            id=str(ticket.id),
            subject=ticket.subject or "",
            requester_name=self.simulator.state.user(ticket.requester_id).name,
            solved=ticket.status in ("solved", "closed"),
            comments=tuple(
                DeskComment(
                    text=comment.plain_body, public=comment.public, by_customer=comment.author_id == ticket.requester_id
                )
                for comment in comments
            ),
        )

    def reply(self, ticket_id: str, text: str) -> None:
        self.simulator.reply(ticket_id, text, agent=AGENT)

    def note(self, ticket_id: str, text: str) -> None:
        self.simulator.note(ticket_id, text, agent=AGENT)

    def solve(self, ticket_id: str) -> None:
        self.simulator.set_status(ticket_id, "solved", agent=AGENT)
