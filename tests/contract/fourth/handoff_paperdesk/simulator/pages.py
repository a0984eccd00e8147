"""What the agent page shows of a Paperdesk account, and does to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from handoff_paperdesk.simulator.account import DANA, KIM, STAFF, Account, Ticket
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
from handoff_sync.simulator.endpoints import ApiRefusal

TONES: Final = {"open": Tone.OPEN, "parked": Tone.HOLD, "done": Tone.SOLVED}
CHOICES: Final = tuple(StatusChoice("status", state, state.title(), tone) for state, tone in TONES.items())


class Pages:
    """Implements `AgentDesk`."""

    name = "Paperdesk"
    words = Words(done="Done", delete="Throw away", deleting="It is gone for good.", restore=None)

    def __init__(self, account: Account) -> None:
        self._account = account

    def agents(self) -> list[Person]:
        return [Person(str(agent.id), agent.name) for agent in (DANA, KIM)]

    def rows(self) -> list[TicketRow]:
        with self._account.lock:
            rows = [_row(ticket) for ticket in self._account.tickets.values() if not ticket.gone]
        return sorted(rows, key=lambda row: row.updated_at, reverse=True)

    def view(self, ticket_id: str) -> TicketView | None:
        with self._account.lock:
            ticket = self._account.tickets.get(int(ticket_id)) if ticket_id.isdecimal() else None
            return _view(ticket) if ticket is not None and not ticket.gone else None

    def version(self) -> int:
        return len(self._account.feed)

    def act(self, ticket_id: str, action: str, form: Mapping[str, str], agent_id: str) -> None:
        try:
            with self._account.lock:
                self._do(self._account.tickets[int(ticket_id)], action, form, agent_id)
        except (ApiRefusal, KeyError, ValueError) as error:
            raise Refused(f"Paperdesk does not do that: {error}") from None

    def _do(self, ticket: Ticket, action: str, form: Mapping[str, str], agent_id: str) -> None:
        agent = STAFF[int(agent_id)]
        match action:
            case "reply":
                self._account.slip(ticket, agent, form["text"], form.get("public") != "no")
                if form.get("then"):
                    self._account.set_state(ticket, agent, form["then"])
            case "customer":
                self._account.slip(ticket, ticket.customer, form["text"])
            case "assign":
                self._account.hold(ticket, agent, STAFF[int(form["assignee"])] if form.get("assignee") else None)
            case "status":
                self._account.set_state(ticket, agent, form["value"])
            case "merge":
                self._account.merge(ticket, agent, self._account.tickets[int(form["target"])])
            case "delete":
                self._account.throw_away(ticket, agent)
            case _:
                raise Refused("There is no such action.")


def _row(ticket: Ticket) -> TicketRow:
    slips = ticket.slips()
    closed = ticket.merged_into is not None
    return TicketRow(
        id=str(ticket.id),
        subject=ticket.title,
        requester=ticket.customer.name,
        status=Status("Merged" if closed else ticket.state.title(), Tone.CLOSED if closed else TONES[ticket.state]),
        updated_at=datetime.fromisoformat(ticket.entries[-1]["at"]),
        assignee=ticket.holder.name if ticket.holder is not None else None,
        preview=slips[-1]["text"] if slips else "",
        comments=len(slips),
    )


def _view(ticket: Ticket) -> TicketView:
    merged = ticket.merged_into
    return TicketView(
        row=_row(ticket),
        entries=tuple(_entry(entry) for entry in ticket.entries),
        tags=tuple(ticket.labels),
        assignee_id=str(ticket.holder.id) if ticket.holder is not None else None,
        choices=() if merged else tuple(choice for choice in CHOICES if choice.value != ticket.state),
        after_reply=CHOICES,
        locked="This ticket was merged." if merged else None,
        can_merge=merged is None,
        merged_into=str(merged) if merged else None,
    )


def _entry(entry: Mapping[str, Any]) -> Entry:
    at, author, number = datetime.fromisoformat(entry["at"]), entry["by"]["name"], str(entry["no"])
    if entry["kind"] != "slip":
        return Entry(id=number, kind=EntryKind.EVENT, author=author, at=at, text=str(entry.get("what", entry["kind"])))
    kind = EntryKind.NOTE
    if entry["public"] is True:
        kind = EntryKind.CUSTOMER if entry["by"]["kind"] == "customer" else EntryKind.REPLY
    files = tuple(file["name"] for file in entry["files"])
    return Entry(id=number, kind=kind, author=author, at=at, text=entry["text"], attachments=files)
