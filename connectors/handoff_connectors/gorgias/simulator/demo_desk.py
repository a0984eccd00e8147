"""The simulated Gorgias in the words that demo and training share (`handoff_sync.simulator.desk`)."""

from __future__ import annotations

from typing import Final

from handoff_connectors.gorgias.simulator.desk import GorgiasSimulator
from handoff_sync.simulator.desk import DeskAccess, DeskComment, DeskTicket

AGENT: Final = "Dana"


class GorgiasDesk:
    """Implements `handoff_sync.simulator.desk.Desk`. `simulator` is there for whoever wants to make trouble."""

    kind: Final = "gorgias"
    title: Final = "Gorgias"
    agent_name: Final = AGENT

    def __init__(self, port: int = 0) -> None:
        self.simulator = GorgiasSimulator(port=port)

    @property
    def agent_url(self) -> str:
        return self.simulator.agent_url

    @property
    def access(self) -> DeskAccess:
        known = self.simulator.credentials
        settings = {
            "domain": self.simulator.domain,
            "email": known.email,
            "base_url": self.simulator.base_url,
            "agent_url": self.simulator.base_url,
        }
        return DeskAccess(settings=settings, secrets={"api_key": known.api_key})

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
        state = self.simulator.state
        ticket = state.ticket(ticket_id)
        return DeskTicket(
            id=str(ticket.id),
            subject=ticket.subject or "",
            requester_name=state.customer(ticket.customer_id).name,
            solved=ticket.status == "closed" and ticket.snooze_at is None,
            comments=tuple(
                DeskComment(text=said.body_text, public=not said.is_note, by_customer=not said.from_agent)
                for said in state.messages(ticket_id)
            ),
        )

    def reply(self, ticket_id: str, text: str) -> None:
        self.simulator.reply(ticket_id, text, agent=AGENT)

    def note(self, ticket_id: str, text: str) -> None:
        self.simulator.note(ticket_id, text, agent=AGENT)

    def solve(self, ticket_id: str) -> None:
        self.simulator.close(ticket_id, agent=AGENT)
