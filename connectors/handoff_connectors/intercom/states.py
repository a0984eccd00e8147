"""Setting state and assignee, of conversations by actions and of tickets by fields; only what is not so already."""

from __future__ import annotations

import time
from typing import Final

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.mapping import assigned_to, closed, id_at, opened, snoozed, state_of, text_at
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.tickets import SNOOZE_S, is_ticket, state_change, states_by_type
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import TicketStatus

_STATE: Final = {
    TicketStatus.OPEN: "open",
    TicketStatus.WAITING_CUSTOMER: "open",
    TicketStatus.ON_HOLD: "snoozed",
    TicketStatus.SOLVED: "closed",
    TicketStatus.CLOSED: "closed",
}
_ALL: Final = "states"


class States:
    """Each change leaves a line that agents read, so nothing is set twice."""

    def __init__(self, api: IntercomApi, people: People) -> None:
        self._api = api
        self._people = people
        self._ids: Remembered[str, dict[tuple[str, str], str]] = Remembered()

    def set(self, number: str, status: TicketStatus) -> None:
        now = self._api.conversation(number)
        if is_ticket(now):
            self._change(number, now, status)
        elif state_of(now) != _STATE[status]:
            self._act(number, _STATE[status])

    def assign(self, number: str, agent: str | None) -> None:
        """`agent` None takes off whoever holds it. A conversation that is closed or snoozed stays as it is: an
        assignment would open it, right after an agent answered and closed it in one step.
        """
        now = self._api.conversation(number)
        if id_at(now, "admin_assignee_id") == agent:
            return
        if is_ticket(now):
            self._api.change_ticket(number, {"assignee_id": agent or "0", "admin_id": int(self._people.us)})
        elif state_of(now) == "open":
            self._api.act(number, assigned_to("admin", agent or "0", self._people.us))

    def customer_waits(self, number: str, answer: Wild | None = None) -> None:
        """After words of the customer: what was over or rested is open again, also where Intercom leaves it so.

        Args:
            answer: What the call with these words returned; it is read again where that is only a part of it.
        """
        whole = answer is not None and text_at(answer, "type") in ("conversation", "ticket")
        now = answer if answer is not None and whole else self._api.conversation(number)
        if is_ticket(now):
            self._change(number, now, TicketStatus.OPEN)
        elif state_of(now) == "closed":
            self._act(number, "open")

    def _act(self, number: str, state: str) -> None:
        us = self._people.us
        match state:
            case "closed":
                self._api.act(number, closed(us))
            case "snoozed":
                self._api.act(number, snoozed(us, int(time.time()) + SNOOZE_S))
            case _:
                self._api.act(number, opened(us))

    def _change(self, number: str, ticket: Wild, status: TicketStatus) -> None:
        fields = state_change(ticket, status, self._state_id, time.time())
        if not fields:
            return
        by = {"admin_id": int(self._people.us)}
        after = self._api.change_ticket(number, {**fields, **by})
        if fields.get("open") is True and state_of(after) == "snoozed":
            self._api.change_ticket(number, {"open": False, **by})  # closing is known to end a snooze (quirk IC-24)
            self._api.change_ticket(number, {"open": True, **by})

    def _state_id(self, kind: str, category: str) -> str | None:
        known = self._ids.get(_ALL)
        if known is None:
            known = states_by_type(self._api.ticket_states())
            self._ids.put(_ALL, known)
        return known.get((kind, category))
