"""The account as the agent page shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from handoff_connectors.gorgias.simulator.account import Account
from handoff_connectors.gorgias.simulator.agents import DAY_S, AgentActions
from handoff_connectors.gorgias.simulator.api_errors import ApiError
from handoff_connectors.gorgias.simulator.model import Event, Message, Ticket
from handoff_sync.simulator.agent_views import (
    Entry,
    EntryKind,
    Person,
    Refused,
    Status,
    StatusChoice,
    TicketRow,
    TicketView,
    Tone,
    Words,
)

CLOSE: Final = StatusChoice("status", "closed", "Close", Tone.SOLVED)
REOPEN: Final = StatusChoice("status", "open", "Reopen", Tone.OPEN)
SNOOZES: Final = (StatusChoice("snooze", "60", "Snooze 1 minute", Tone.HOLD),
                  StatusChoice("snooze", f"{DAY_S:g}", "Snooze 1 day", Tone.HOLD))  # fmt: skip
SPAM: Final = StatusChoice("spam", "yes", "Spam", Tone.CLOSED)
NO_SPAM: Final = StatusChoice("spam", "", "Not spam", Tone.OPEN)
SENTENCES: Final = {
    "ticket-created": "opened the ticket", "ticket-closed": "closed the ticket",
    "ticket-reopened": "opened the ticket again", "ticket-snoozed": "snoozed the ticket",
    "ticket-self-unsnoozed": "ended the snooze", "ticket-trashed": "put the ticket into the trash",
    "ticket-untrashed": "took the ticket out of the trash", "ticket-marked-spam": "marked it as spam",
    "ticket-unmarked-spam": "marked it as no spam", "ticket-merged": "merged another ticket into it",
    "ticket-assigned": "assigned the ticket", "ticket-unassigned": "took the assignee off",
    "ticket-team-assigned": "gave the ticket to a team", "ticket-team-unassigned": "took it from its team",
    "ticket-message-failed": "could not deliver a message",
}  # fmt: skip


class GorgiasPages:
    """Implements `AgentDesk`."""

    name = "Gorgias"
    words = Words(
        done="Closed",
        gone="Trash",
        delete="Move to the trash",
        deleting="It can be taken out of the trash again.",
        restore="Take out of the trash",
        merging="All messages of this ticket move into the other one. There is no way back.",
    )

    def __init__(self, account: Account, agents: AgentActions) -> None:
        self._account, self._do = account, agents

    def agents(self) -> list[Person]:
        """Everybody but the connector and the bot, which are no persons."""
        with self._account.lock:
            machines = {self._account.connector.id, self._account.bot.id}
            return [Person(str(user.id), user.name) for user in self._account.staff() if user.id not in machines]

    def version(self) -> int:
        return self._account.version

    def rows(self) -> list[TicketRow]:
        with self._account.lock:
            tickets = sorted(self._account.live_tickets(), key=lambda t: t.change_number, reverse=True)
            return [self._row(ticket) for ticket in tickets]

    def view(self, ticket_id: str) -> TicketView | None:
        with self._account.lock:
            ticket = self._account.tickets.get(int(ticket_id)) if ticket_id.isdigit() else None
            gone = ticket is None or ticket.deleted_at is not None
            return None if ticket is None or gone else self._view(ticket)

    def act(self, ticket_id: str, action: str, form: Mapping[str, str], agent_id: str) -> None:
        do = self._forms(form, agent_id).get(action)
        if do is None:
            raise Refused("The agent page has no such button.")
        try:
            do(ticket_id)
        except ApiError as error:
            raise Refused(f"Gorgias refused it: {_reason(error.answer.body)}") from error
        except (KeyError, ValueError) as error:
            raise Refused("The ticket, or what was chosen, does not exist any more.") from error

    def _forms(self, form: Mapping[str, str], agent: str) -> dict[str, Callable[[str], object]]:
        do, value = self._do, form.get("value", "")
        return {
            "reply": lambda ticket: self._reply(ticket, form, agent),
            "customer": lambda ticket: do.customer_reply(ticket, form.get("text", "").strip()),
            "assign": lambda ticket: do.assign(ticket, form.get("assignee") or None, agent=agent),
            "status": lambda ticket: do.set_status(ticket, value, agent=agent),
            "snooze": lambda ticket: do.snooze(ticket, float(value or DAY_S), agent=agent),
            "spam": lambda ticket: (do.spam if value else do.unspam)(ticket, agent=agent),
            "merge": lambda ticket: do.merge(ticket, form.get("target", ""), agent=agent),
            "delete": lambda ticket: do.delete(ticket, agent=agent),
            "restore": lambda ticket: do.restore(ticket, agent=agent),
        }

    def _reply(self, ticket: str, form: Mapping[str, str], agent: str) -> None:
        text, then = form.get("text", "").strip(), form.get("then")
        if not text:
            raise Refused("Write something first.")
        self._do.reply(ticket, text, form.get("public", "yes") == "yes", agent, close=then == "closed")
        if then == "open":
            self._do.set_status(ticket, then, agent=agent)

    # --- showing ---------------------------------------------------------------------------------

    def _user(self, user_id: int | None) -> str:
        user = self._account.users.get(user_id or 0)
        return user.name if user else "Gorgias"

    def _customer(self, customer_id: int) -> str:
        customer = self._account.customers.get(customer_id)
        return (customer.name or customer.email or "") if customer else "Nobody"

    def _row(self, ticket: Ticket) -> TicketRow:
        return TicketRow(
            id=str(ticket.id),
            subject=ticket.subject or "(no subject)",
            requester=self._customer(ticket.customer_id),
            status=_status(ticket),
            updated_at=ticket.updated_at,
            assignee=self._user(ticket.assignee_user_id) if ticket.assignee_user_id else None,
            preview=ticket.messages[-1].body_text if ticket.messages else "",
            comments=len(ticket.messages),
        )

    def _view(self, ticket: Ticket) -> TicketView:
        choices = _choices(ticket)
        return TicketView(
            row=self._row(ticket),
            entries=tuple(self._entries(ticket)),
            tags=tuple(self._account.tags[tag_id].name for tag_id in ticket.tags),
            facts=tuple(self._facts(ticket)),
            assignee_id=str(ticket.assignee_user_id or ""),
            choices=choices,
            after_reply=tuple(choice for choice in choices if choice.action == "status"),
            locked=_lock_reason(ticket),
            deleted=ticket.trashed_at is not None,
            can_merge=ticket.merged_into is None,
            merged_into=str(ticket.merged_into) if ticket.merged_into is not None else None,
        )

    def _facts(self, ticket: Ticket) -> list[tuple[str, str]]:
        customer = self._account.customers.get(ticket.customer_id)
        team = self._account.teams.get(ticket.assignee_team_id or 0)
        facts = [("Customer", self._customer(ticket.customer_id)), ("E-mail", customer.email if customer else None),
                 ("Channel", ticket.channel), ("Priority", ticket.priority), ("Team", team.name if team else None),
                 ("Snoozed until", f"{ticket.snooze_at:%d %b %H:%M} UTC" if ticket.snooze_at else None),
                 ("External id", ticket.external_id)]  # fmt: skip
        return [(name, value) for name, value in facts if value]

    def _entries(self, ticket: Ticket) -> list[Entry]:
        about = (e for e in self._account.events if e.object_type == "Ticket" and e.object_id == ticket.id)
        happened = [self._event(event) for event in about if event.type in SENTENCES]
        return sorted([*map(self._message, ticket.messages), *happened], key=lambda entry: entry.at)

    def _message(self, said: Message) -> Entry:
        kind = EntryKind.REPLY if said.from_agent else EntryKind.CUSTOMER
        state = "not delivered" if said.failed_at else said.channel if said.channel != "internal-note" else ""
        return Entry(
            id=str(said.id),
            kind=EntryKind.NOTE if said.is_note else kind,
            author=self._user(said.sender_id) if said.from_agent else self._customer(said.sender_id),
            at=said.created_at,
            text=said.body_text,
            via=state,
            attachments=tuple(str(file.get("name")) for file in said.attachments),
        )

    def _event(self, event: Event) -> Entry:
        text = f"{self._user(event.user_id)} {SENTENCES[event.type]}"
        return Entry(id=str(event.id), kind=EntryKind.EVENT, author="", at=event.created_at, text=text)


def _status(ticket: Ticket) -> Status:
    if ticket.merged_into is not None:
        return Status("Merged", Tone.CLOSED)
    if ticket.trashed_at is not None:
        return Status("Trashed", Tone.DELETED)
    if ticket.spam:
        return Status("Spam", Tone.CLOSED)
    if ticket.snooze_at is not None:
        return Status("Snoozed", Tone.HOLD)
    return Status("Open", Tone.OPEN) if ticket.status == "open" else Status("Closed", Tone.SOLVED)


def _choices(ticket: Ticket) -> tuple[StatusChoice, ...]:
    if ticket.merged_into is not None or ticket.trashed_at is not None:
        return ()
    if ticket.spam:
        return (NO_SPAM,)
    if ticket.status == "open":
        return (CLOSE, *SNOOZES, SPAM)
    return (REOPEN, *((CLOSE,) if ticket.snooze_at is not None else SNOOZES), SPAM)


def _lock_reason(ticket: Ticket) -> str | None:
    if ticket.merged_into is not None:
        return "This ticket was merged into another one, which has its messages now."
    return "This ticket is in the trash." if ticket.trashed_at is not None else None


def _reason(body: Any) -> str:
    """The helpdesk's refusal in one line."""
    told = body.get("error", {}) if isinstance(body, dict) else {}
    faults = [str(text) for texts in (told.get("data") or {}).values() for text in texts]
    return "; ".join([str(told.get("msg", "it gave no reason")), *faults])
