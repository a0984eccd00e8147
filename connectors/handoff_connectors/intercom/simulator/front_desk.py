"""The simulated Intercom in the words that all helpdesks share (`handoff_sync.simulator.desk`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from handoff_connectors.intercom.simulator.agents import HOUR_S
from handoff_connectors.intercom.simulator.desk import IntercomSimulator
from handoff_connectors.intercom.simulator.hooks import TOPICS
from handoff_connectors.intercom.simulator.limits import WINDOWS_PER_MINUTE
from handoff_connectors.intercom.simulator.model import Attribute, Conversation, Part
from handoff_connectors.intercom.simulator.settings import Limits
from handoff_connectors.intercom.simulator.text import plain
from handoff_sync.contract.signatures import hmac_hex
from handoff_sync.core.model import TicketStatus
from handoff_sync.simulator.desk import Call, DeskAccess, DeskComment, DeskTicket, Do, Say

AGENT: Final = "Dana"
_OURS: Final = {"open": TicketStatus.OPEN, "snoozed": TicketStatus.ON_HOLD, "closed": TicketStatus.SOLVED}
_THEIRS: Final = {ours: theirs for theirs, ours in _OURS.items()}


class IntercomDesk:
    """Implements `handoff_sync.simulator.desk.Desk`. `simulator` is there for whoever wants to make trouble.

    Intercom has no API for webhooks: whoever sets the connection up calls `set_webhook` with its address.
    """

    kind: Final = "intercom"
    title: Final = "Intercom"
    agent_name: Final = "Dana Miller"
    colleague_name: Final = "Omar Haddad"
    webhook_secret: Final = "client_secret"
    opening: Final = Call(method="POST", path=r"/conversations$")
    appending: Final = Call(method="POST", path=r"/conversations/\d+/reply$")
    reading: Final = Call(method="GET", path=r"/conversations/\d+$")

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

    @property
    def hurried(self) -> Mapping[str, object]:
        return {"recreate_after_s": 0}

    def start(self) -> None:
        self.simulator.start()

    def stop(self) -> None:
        self.simulator.stop()

    def wait(self) -> None:
        self.simulator.wait()

    def calm(self) -> None:
        settings = self.simulator.settings
        settings.limits = Limits.off()
        settings.search_lag_s = 0.0

    def limit_calls(self, calls: int) -> None:
        self.simulator.settings.limits = replace(Limits.off(), app=calls * WINDOWS_PER_MINUTE)

    def lag(self, seconds: float) -> None:
        self.simulator.settings.search_lag_s = seconds

    def set_in_order(self) -> None:
        """Nothing to do."""

    @property
    def webhook_mishaps(self) -> Mapping[str, Callable[[], None]]:
        return {}

    def set_webhook(self, url: str) -> None:
        """As a person does in the Developer Hub, with the topic by which commands in notes work at once.

        Raises:
            ValueError: the address does not answer HEAD.
        """
        self.simulator.set_webhook(url, TOPICS | {"conversation.admin.noted"})

    def signed(self, body: bytes, secret: str, at: datetime) -> Mapping[str, str]:
        return {"x-hub-signature": f"sha1={hmac_hex(secret.encode(), body, 'sha1')}"}

    @property
    def group(self) -> str:
        return self.simulator.workspace.team("Billing").id

    @property
    def custom_field(self) -> str:
        """Made by people beforehand."""
        workspace = self.simulator.workspace
        if not workspace.attributes_of("conversation", "Plan"):
            number = workspace.new_attribute_id()
            workspace.attributes[number] = Attribute(
                id=number, name="Plan", model="conversation", data_type="string", created_at=workspace.now()
            )
        return "Plan"

    # --- looking ---------------------------------------------------------------------------------

    def ticket_ids(self) -> tuple[str, ...]:
        return tuple(conversation.id for conversation in self.simulator.state.conversations)

    def ticket(self, ticket_id: str) -> DeskTicket:
        state = self.simulator.state
        conversation = state.conversation(ticket_id)
        contact = state.contact(conversation.contact_ids[0])
        holder = conversation.admin_assignee_id
        first = DeskComment(text=plain(conversation.source.body), public=True, by_customer=True)
        said = [part for part in state.parts(ticket_id) if part.body is not None]
        return DeskTicket(
            id=conversation.id,
            subject=conversation.title or "",
            requester_name=contact.name or "",
            requester_id=contact.id,
            group=str(conversation.team_assignee_id) if conversation.team_assignee_id else None,
            priority=conversation.priority,
            custom_fields={name: str(value) for name, value in conversation.custom_attributes.items()},
            status=_OURS[conversation.state],
            assignee=self.simulator.workspace.admin(holder).name if holder else None,
            tags=tuple(applied.tag.name for applied in conversation.tags.values()),
            comments=(first, *(_comment(conversation, part) for part in said)),
        )

    def files(self, ticket_id: str) -> tuple[tuple[str, bytes], ...]:
        """Their addresses end in their key."""
        said = [part for part in self.simulator.state.parts(ticket_id) if part.body is not None]
        kept = self.simulator.workspace.files
        return tuple((f["name"], kept[f["url"].rpartition("/")[2]].content) for f in said[-1].attachments)

    # --- what people do ---------------------------------------------------------------------------

    def reply(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        self.simulator.reply(ticket_id, text, agent=AGENT, files=files)

    def note(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        self.simulator.reply(ticket_id, text, public=False, agent=AGENT, files=files)

    @property
    def answers(self) -> Mapping[str, Say]:
        return {
            "reply": self.reply,
            "reply and close": lambda ticket, text: self.simulator.close(ticket, AGENT, text),
            "reply that opens": lambda ticket, text: self._reply_to(ticket, text, "closed"),
            "reply that wakes": lambda ticket, text: self._reply_to(ticket, text, "snoozed"),
        }

    def _reply_to(self, ticket_id: str, text: str, state: str) -> None:
        self.simulator.set_status(ticket_id, state, agent=AGENT)
        self.simulator.reply(ticket_id, text, agent=AGENT)

    @property
    def whispers(self) -> Mapping[str, Say]:
        return {
            "note": self.note,
            "note_and_reopen": self.simulator.note_and_reopen,
            "assignment": self._hand_on,
            "assign_and_reopen": lambda ticket, text: self._hand_on(ticket, text, "closed"),
            "assign_and_unsnooze": lambda ticket, text: self._hand_on(ticket, text, "snoozed"),
            "quick_reply": self.simulator.quick_reply,
            "redacted": self._redact,
        }

    @property
    def machines(self) -> Mapping[str, Say]:
        of = self.simulator.part_of
        return {
            "bot": self.simulator.bot_reply,
            "AI with an agent's name": lambda ticket, text: of(ticket, text, agent=AGENT, by_ai=True),
            "team": lambda ticket, text: of(ticket, text, author_type="team"),
            "operator": lambda ticket, text: of(ticket, text, author_type="operator"),
        }

    @property
    def unknown_kinds(self) -> Mapping[str, Say]:
        of = self.simulator.part_of
        return {
            "part": lambda ticket, text: of(ticket, text, agent=AGENT, part_type="telepathy"),
            "author": lambda ticket, text: of(ticket, text, agent=AGENT, author_type="ghost"),
            "remark": lambda ticket, text: of(ticket, text, agent=AGENT, part_type="conversation_rating_remark_added"),
        }

    @property
    def removals(self) -> Mapping[str, Do]:
        return {"delete": self.delete}

    def machine_solves(self, ticket_id: str) -> None:
        self.simulator.workflow_close(ticket_id)

    def crowd(self, count: int) -> tuple[str, ...]:
        return tuple(self.simulator.stranger(f"Stranger {n}").id for n in range(count))

    def _redact(self, ticket_id: str, text: str) -> None:
        """Said in public, and taken away before anybody looked."""
        self.simulator.redact(ticket_id, self.simulator.reply(ticket_id, text, agent=AGENT).id)

    def _hand_on(self, ticket_id: str, text: str, state: str = "open") -> None:
        self.simulator.set_status(ticket_id, state, agent=AGENT)
        self.simulator.assign(ticket_id, self.colleague_name, agent=AGENT, text=text)

    def take_back(self, ticket_id: str, comment_id: str) -> None:
        self.simulator.redact(ticket_id, comment_id)

    def customer_reply(self, ticket_id: str, text: str) -> None:
        self.simulator.customer_reply(ticket_id, text)

    def assign(self, ticket_id: str, to: str | None) -> None:
        self.simulator.assign(ticket_id, to, agent=AGENT)

    def assign_team(self, ticket_id: str) -> None:
        self.simulator.assign(ticket_id, None, agent=AGENT)
        self.simulator.assign_team(ticket_id, "Billing", agent=AGENT)

    def assign_us(self, ticket_id: str) -> None:
        self.simulator.assign(ticket_id, self.simulator.workspace.connector.name, agent=AGENT)

    @property
    def rest_s(self) -> float | None:
        return HOUR_S

    def set_status(self, ticket_id: str, status: TicketStatus) -> None:
        if status not in _THEIRS:
            raise ValueError(f"Intercom has no state for {status}.")
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
        raise ValueError("A deleted conversation does not come back at Intercom.")


def _comment(conversation: Conversation, part: Part) -> DeskComment:
    return DeskComment(text=plain(part.body), public=part.shown_to_customer,
                       by_customer=part.author.id in conversation.contact_ids)  # fmt: skip
