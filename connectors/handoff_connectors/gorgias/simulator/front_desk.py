"""The simulated Gorgias in the words that all helpdesks share (`handoff_sync.simulator.desk`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from handoff_connectors.gorgias.simulator.agents import DAY_S
from handoff_connectors.gorgias.simulator.desk import GorgiasSimulator
from handoff_connectors.gorgias.simulator.model import NOTE, Ticket
from handoff_connectors.gorgias.simulator.settings import Limits
from handoff_connectors.gorgias.webhook import HEADER
from handoff_sync.core.model import TicketStatus
from handoff_sync.simulator.desk import Call, DeskAccess, DeskComment, DeskTicket, Do, Say

AGENT: Final = "Dana"


class GorgiasDesk:
    """Implements `handoff_sync.simulator.desk.Desk`. `simulator` is there for whoever wants to make trouble."""

    kind: Final = "gorgias"
    title: Final = "Gorgias"
    agent_name: Final = AGENT
    colleague_name: Final = "Omar Haddad"
    webhook_secret: Final = "webhook_secret"
    opening: Final = Call(method="POST", path=r"/tickets$")
    appending: Final = Call(method="POST", path=r"/tickets/\d+/messages$")
    reading: Final = Call(method="GET", path=r"/tickets/\d+$")

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

    @property
    def hurried(self) -> Mapping[str, object]:
        return {"reopened_by_wait_s": 0}

    def start(self) -> None:
        self.simulator.start()

    def stop(self) -> None:
        self.simulator.stop()

    def wait(self) -> None:
        self.simulator.wait()

    def calm(self) -> None:
        settings = self.simulator.settings
        settings.limits = Limits.off()
        settings.list_lag_s = settings.event_lag_s = 0.0

    def limit_calls(self, calls: int) -> None:
        self.simulator.settings.limits = replace(Limits(), api_key=calls)

    def lag(self, seconds: float) -> None:
        settings = self.simulator.settings
        settings.list_lag_s = settings.event_lag_s = seconds

    def set_in_order(self) -> None:
        """Nothing to do: the account merges nothing by itself."""

    @property
    def webhook_mishaps(self) -> Mapping[str, Callable[[], None]]:
        return {
            "switched off": self._deactivate,
            "sent elsewhere": lambda: self._change_webhooks(url="http://127.0.0.1:9/elsewhere"),
            "without its secret": lambda: self._change_webhooks(headers={}),
            "telling of less": lambda: self._change_webhooks(triggers={}),
        }

    def _deactivate(self) -> None:
        for integration in self.simulator.state.integrations:
            integration.deactivated_at = self.simulator.clock.now()

    def _change_webhooks(self, **fields: object) -> None:
        for integration in self.simulator.state.integrations:
            integration.http.update(fields)

    def set_webhook(self, url: str) -> None:
        """Nothing to do: the connector installs its webhooks."""

    def signed(self, body: bytes, secret: str, at: datetime) -> Mapping[str, str]:
        return {HEADER.lower(): secret}

    @property
    def group(self) -> str:
        return str(next(iter(self.simulator.account.teams)))

    @property
    def custom_field(self) -> str:
        return "12"

    # --- looking ---------------------------------------------------------------------------------

    def ticket_ids(self) -> tuple[str, ...]:
        return tuple(str(ticket.id) for ticket in self.simulator.state.tickets)

    def ticket(self, ticket_id: str) -> DeskTicket:
        state = self.simulator.state
        ticket = state.ticket(ticket_id)
        holder = next((user for user in state.users if user.id == ticket.assignee_user_id), None)
        return DeskTicket(
            id=str(ticket.id),
            subject=ticket.subject or "",
            requester_name=state.customer(ticket.customer_id).name,
            requester_id=str(ticket.customer_id),
            group=str(ticket.assignee_team_id) if ticket.assignee_team_id is not None else None,
            priority=ticket.priority,
            custom_fields={str(name): str(value) for name, value in ticket.custom_fields.items()},
            status=_status(ticket),
            assignee=holder.name if holder is not None else None,
            tags=tuple(state.tags(ticket_id)),
            comments=tuple(
                DeskComment(text=said.body_text, public=not said.is_note, by_customer=not said.from_agent)
                for said in state.messages(ticket_id)
            ),
        )

    def files(self, ticket_id: str) -> tuple[tuple[str, bytes], ...]:
        """Their addresses end in the two words of their key."""
        told, kept = self.simulator.state.messages(ticket_id)[-1].attachments, self.simulator.account.files
        return tuple((str(f["name"]), kept["/".join(str(f["url"]).split("/")[-2:])].content) for f in told)

    # --- what people do ---------------------------------------------------------------------------

    def reply(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        self.simulator.reply(ticket_id, text, agent=AGENT, files=files)

    def note(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        self.simulator.reply(ticket_id, text, public=False, agent=AGENT, files=files)

    @property
    def answers(self) -> Mapping[str, Say]:
        say = self.simulator.reply
        return {
            "reply": self.reply,
            "send and close": lambda ticket, text: say(ticket, text, agent=AGENT, close=True),
            "on a channel": lambda ticket, text: say(ticket, text, agent=AGENT, channel="email"),
            "from their own mail": lambda ticket, text: self._odd(ticket, text, channel="email", via="email"),
        }

    @property
    def whispers(self) -> Mapping[str, Say]:
        return {
            "note": self.note,
            "taken back": self._take_back,
            "note by its channel alone": lambda ticket, text: self._odd(ticket, text, channel=NOTE),
            "note by its source alone": lambda ticket, text: self._odd(ticket, text, source={"type": NOTE}),
            "deleted": lambda ticket, text: self._odd(ticket, text, deleted_at=self.simulator.clock.now()),
            "forwarded to somebody else": self._forward,
        }

    @property
    def machines(self) -> Mapping[str, Say]:
        return {
            "rule": self.simulator.rule_reply,
            "rule with an agent's name": lambda ticket, text: self._odd(ticket, text, rule_id=1),
            "bot": self._as_bot,
            "another program": lambda ticket, text: self._odd(ticket, text, via="api"),
            "system message": lambda ticket, text: self._odd(ticket, text, source={"type": "system-message"}),
        }

    @property
    def unknown_kinds(self) -> Mapping[str, Say]:
        return {
            "via": lambda ticket, text: self._odd(ticket, text, via="telepathy"),
            "author": lambda ticket, text: self._odd(ticket, text, sender_id=404_404),
            "role": self._in_a_new_role,
            "public": lambda ticket, text: self._odd(ticket, text, public="partly"),
            "from_agent": lambda ticket, text: self._odd(ticket, text, from_agent=None),
        }

    @property
    def removals(self) -> Mapping[str, Do]:
        return {"delete": self.delete, "spam": self.simulator.spam, "purge": self.simulator.purge}

    def machine_solves(self, ticket_id: str) -> None:
        self.simulator.rule_status(ticket_id, "closed")

    def crowd(self, count: int) -> tuple[str, ...]:
        return tuple(str(self.simulator.stranger(f"Stranger {n}").id) for n in range(count))

    def _odd(self, ticket_id: str, text: str, **fields: object) -> None:
        """An answer of the agent that is not quite one."""
        said = self.simulator.reply(ticket_id, text, agent=AGENT)
        for name, value in fields.items():
            setattr(said, name, value)

    def _in_a_new_role(self, ticket_id: str, text: str) -> None:
        somebody = self.simulator.account.agent("Yuki")
        self.simulator.reply(ticket_id, text, agent=somebody.email)
        somebody.role = "oracle"

    def _as_bot(self, ticket_id: str, text: str) -> None:
        self.simulator.reply(ticket_id, text, agent=self.simulator.account.bot.email)

    def _forward(self, ticket_id: str, text: str) -> None:
        """The agent writes to a supplier, say, from within the ticket."""
        somebody = self.simulator.account.new_customer()
        self._odd(ticket_id, text, channel="email", receiver_id=somebody.id)

    def _take_back(self, ticket_id: str, text: str) -> None:
        """Said in public, and made a note before anybody looked."""
        said = self.simulator.reply(ticket_id, text, agent=AGENT)
        self.simulator.make_public(ticket_id, said.id, public=False)

    def take_back(self, ticket_id: str, comment_id: str) -> None:
        self.simulator.make_public(ticket_id, int(comment_id), public=False)

    def customer_reply(self, ticket_id: str, text: str) -> None:
        self.simulator.customer_reply(ticket_id, text)

    def assign(self, ticket_id: str, to: str | None) -> None:
        self.simulator.assign(ticket_id, to, agent=AGENT)

    def assign_team(self, ticket_id: str) -> None:
        self.simulator.assign(ticket_id, None, agent=AGENT)
        self.simulator.assign_team(ticket_id, "Billing", agent=AGENT)

    def assign_us(self, ticket_id: str) -> None:
        self.simulator.assign(ticket_id, self.simulator.credentials.email, agent=AGENT)

    @property
    def rest_s(self) -> float | None:
        return DAY_S

    def set_status(self, ticket_id: str, status: TicketStatus) -> None:
        match status:
            case TicketStatus.OPEN:
                self.simulator.reopen(ticket_id, agent=AGENT)
            case TicketStatus.SOLVED:
                self.simulator.close(ticket_id, agent=AGENT)
            case TicketStatus.ON_HOLD:
                self.simulator.snooze(ticket_id, agent=AGENT)
            case _:
                raise ValueError(f"Gorgias has no status for {status}.")

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


def _status(ticket: Ticket) -> TicketStatus:
    if ticket.snooze_at is not None:
        return TicketStatus.ON_HOLD
    return TicketStatus.SOLVED if ticket.status == "closed" else TicketStatus.OPEN
