"""The simulated Intercom in the words that demo and training share (`handoff_sync.simulator.desk`)."""

from __future__ import annotations

from typing import Final

from handoff_connectors.intercom.simulator.desk import IntercomSimulator
from handoff_connectors.intercom.simulator.model import Conversation, Part
from handoff_connectors.intercom.simulator.text import plain
from handoff_sync.simulator.desk import DeskAccess, DeskComment, DeskTicket

AGENT: Final = "Dana"


class IntercomDesk:
    """Implements `handoff_sync.simulator.desk.Desk`. `simulator` is there for whoever wants to make trouble.

    Intercom has no API for webhooks: whoever sets the connection up calls `set_webhook` with its address.
    """

    kind: Final = "intercom"
    title: Final = "Intercom"
    agent_name: Final = "Dana Miller"

    def __init__(self, port: int = 0) -> None:
        self.simulator = IntercomSimulator(port=port)

    @property
    def agent_url(self) -> str:
        return self.simulator.agent_url

    @property
    def access(self) -> DeskAccess:
        known, base = self.simulator.credentials, self.simulator.base_url
        secrets = {"access_token": known.access_token, "client_secret": known.client_secret}
        return DeskAccess(settings={"base_url": base, "app_url": base}, secrets=secrets)

    def set_webhook(self, url: str) -> None:
        """As a person does in the Developer Hub.

        Raises:
            ValueError: the address does not answer HEAD.
        """
        self.simulator.set_webhook(url)

    def start(self) -> None:
        self.simulator.start()

    def stop(self) -> None:
        self.simulator.stop()

    def wait(self) -> None:
        self.simulator.wait()

    def ticket_ids(self) -> tuple[str, ...]:
        return tuple(conversation.id for conversation in self.simulator.state.conversations)

    def ticket(self, ticket_id: str) -> DeskTicket:
        state = self.simulator.state
        conversation = state.conversation(ticket_id)
        contact = state.contact(conversation.contact_ids[0])
        first = DeskComment(text=plain(conversation.source.body), public=True, by_customer=True)
        said = [part for part in state.parts(ticket_id) if part.body is not None]
        return DeskTicket(
            id=conversation.id,
            subject=conversation.title or "",
            requester_name=contact.name or "",
            solved=conversation.state == "closed",
            comments=(first, *(_comment(conversation, part) for part in said)),
        )

    def reply(self, ticket_id: str, text: str) -> None:
        self.simulator.reply(ticket_id, text, agent=AGENT)

    def note(self, ticket_id: str, text: str) -> None:
        self.simulator.note(ticket_id, text, agent=AGENT)

    def solve(self, ticket_id: str) -> None:
        self.simulator.close(ticket_id, agent=AGENT)


def _comment(conversation: Conversation, part: Part) -> DeskComment:
    return DeskComment(text=plain(part.body), public=part.shown_to_customer,
                       by_customer=part.author.id in conversation.contact_ids)  # fmt: skip
