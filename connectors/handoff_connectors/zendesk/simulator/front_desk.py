"""The simulated Zendesk in the words that all helpdesks share (`handoff_sync.simulator.desk`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from handoff_connectors.zendesk.simulator.desk import ZendeskSimulator
from handoff_connectors.zendesk.simulator.settings import Limits
from handoff_sync.contract.signatures import hmac_base64
from handoff_sync.core.model import TicketStatus
from handoff_sync.simulator.desk import Call, DeskAccess, DeskComment, DeskTicket, Do, Say

AGENT: Final = "Dana"
MERGE_VIA: Final = {"channel": "web", "source": {"from": {"ticket_id": 1, "subject": "x"}, "to": {}, "rel": "merge"}}
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

    def limit_calls(self, calls: int) -> None:
        self.simulator.settings.limits = replace(Limits.off(), account=calls)

    def lag(self, seconds: float) -> None:
        settings = self.simulator.settings
        settings.search_lag_s = settings.list_lag_s = settings.export_withheld_s = seconds

    def set_in_order(self) -> None:
        spares_us = {"field": "current_tags", "operator": "not_includes", "value": "handoff-sync"}
        for trigger in self.simulator.account.triggers.values():
            trigger.conditions["all"].append(dict(spares_us))

    @property
    def webhook_mishaps(self) -> Mapping[str, Callable[[], None]]:
        return {
            "switched off": lambda: self._change_webhooks(status="inactive"),
            "sent elsewhere": lambda: self._change_webhooks(endpoint="http://127.0.0.1:9/elsewhere"),
            "signed with another secret": lambda: self._change_webhooks(secret="rotated-by-a-person"),
            "telling of less": lambda: self._change_webhooks(subscriptions=["zen:event-type:ticket.merged"]),
        }

    def _change_webhooks(self, **fields: object) -> None:
        for webhook in self.simulator.state.webhooks:
            for name, value in fields.items():
                setattr(webhook, name, value)

    def set_webhook(self, url: str) -> None:
        """Nothing to do: the connector installs its webhook."""

    def signed(self, body: bytes, secret: str, at: datetime) -> Mapping[str, str]:
        sent_at = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "x-zendesk-webhook-signature": hmac_base64(secret.encode(), sent_at.encode() + body),
            "x-zendesk-webhook-signature-timestamp": sent_at,
            "x-zendesk-webhook-invocation-id": "01INVOCATION",
        }

    @property
    def group(self) -> str:
        return str(next(group.id for group in self.simulator.account.groups.values() if not group.default))

    @property
    def custom_field(self) -> str:
        return str(self.simulator.account.field_ids[0])

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
            requester_id=str(ticket.requester_id),
            group=str(ticket.group_id) if ticket.group_id is not None else None,
            priority=ticket.priority,
            custom_fields={str(name): str(value) for name, value in ticket.custom_fields.items() if value is not None},
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

    def files(self, ticket_id: str) -> tuple[tuple[str, bytes], ...]:
        """Their addresses end in the key and the name of the file."""
        told, kept = self.simulator.state.comments(ticket_id)[-1].attachments, self.simulator.account.files
        return tuple((f["file_name"], kept[f["content_url"].split("/")[-2]].content) for f in told)

    # --- what people do ---------------------------------------------------------------------------

    def reply(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        self.simulator.reply(ticket_id, text, agent=AGENT, files=files)

    def note(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        self.simulator.reply(ticket_id, text, public=False, agent=AGENT, files=files)

    @property
    def answers(self) -> Mapping[str, Say]:
        return {
            "reply": self.reply,
            "reply that solves": lambda ticket, text: self._reply_as(ticket, text, "solved"),
            "reply that waits": lambda ticket, text: self._reply_as(ticket, text, "pending"),
            "by mail": lambda ticket, text: self._odd(ticket, text, via={"channel": "email", "source": {}}),
        }

    def _reply_as(self, ticket_id: str, text: str, status: str) -> None:
        """The button "Submit as …": words and status are one update."""
        self.simulator.assign(ticket_id, AGENT, agent=AGENT)
        self.simulator.reply(ticket_id, text, agent=AGENT, status=status)

    @property
    def whispers(self) -> Mapping[str, Say]:
        return {
            "note": self.note,
            "taken back": self._take_back,
            "side conversation": self._aside,
            "voice": lambda ticket, text: self._odd(ticket, text, type="VoiceComment"),
        }

    @property
    def machines(self) -> Mapping[str, Say]:
        return {
            "rule": self.simulator.rule_comment,
            "another program with our user": self.simulator.program_comment,
            "merge": lambda ticket, text: self._odd(ticket, text, via=MERGE_VIA),
        }

    @property
    def unknown_kinds(self) -> Mapping[str, Say]:
        return {
            "type": lambda ticket, text: self._odd(ticket, text, type="ThoughtComment"),
            "author": lambda ticket, text: self._odd(ticket, text, author_id=404_404),
            "role": self._in_a_new_role,
            "public": lambda ticket, text: self._odd(ticket, text, public="partly"),
        }

    @property
    def removals(self) -> Mapping[str, Do]:
        return {"delete": self.delete, "spam": self.simulator.mark_as_spam, "purge": self._purge}

    def machine_solves(self, ticket_id: str) -> None:
        self.simulator.rule_status(ticket_id, "solved")

    def crowd(self, count: int) -> tuple[str, ...]:
        return tuple(str(self.simulator.stranger(f"Stranger {n}").id) for n in range(count))

    def _odd(self, ticket_id: str, text: str, **fields: object) -> None:
        """An answer of the agent that is not quite one."""
        said = self.simulator.reply(ticket_id, text, agent=AGENT)
        for name, value in fields.items():
            setattr(said, name, value)

    def _in_a_new_role(self, ticket_id: str, text: str) -> None:
        user = next(user for user in self.simulator.state.users if user.name.startswith("Yuki"))
        user.role = "agent"
        self.simulator.reply(ticket_id, text, agent=user.name)
        user.role = "oracle"

    def _aside(self, ticket_id: str, text: str) -> None:
        """What agents write to somebody else, as far as the ticket shows it."""
        self.simulator.note(ticket_id, text, agent=AGENT).via = {"channel": "side_conversation", "source": {}}

    def _purge(self, ticket_id: str) -> None:
        self.delete(ticket_id)
        self.simulator.purge(ticket_id)

    def _take_back(self, ticket_id: str, text: str) -> None:
        """Said in public, and made private before anybody looked."""
        said = self.simulator.reply(ticket_id, text, agent=AGENT)
        self.simulator.make_private(ticket_id, said.id, agent=AGENT)

    def take_back(self, ticket_id: str, comment_id: str) -> None:
        self.simulator.make_private(ticket_id, int(comment_id), agent=AGENT)

    def customer_reply(self, ticket_id: str, text: str) -> None:
        self.simulator.customer_reply(ticket_id, text)

    def assign(self, ticket_id: str, to: str | None) -> None:
        self.simulator.assign(ticket_id, to, agent=AGENT)

    def assign_team(self, ticket_id: str) -> None:
        self.simulator.assign_group(ticket_id, "Billing", agent=AGENT)

    def assign_us(self, ticket_id: str) -> None:
        self.simulator.assign(ticket_id, self.simulator.credentials.email, agent=AGENT)

    @property
    def rest_s(self) -> float | None:
        return None

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
