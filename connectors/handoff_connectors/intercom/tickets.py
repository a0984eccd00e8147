"""Tickets of Intercom in our words: what their states mean, and what a change of state is (quirk IC-24). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from handoff_connectors.intercom.mapping import STATUS, at, id_at, parts_of, reference_in, state_of, text_at
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import TicketStatus

CATEGORIES: Final[Mapping[str, TicketStatus]] = {  # of `ticket_state`; workspaces name states of their own in each
    "submitted": TicketStatus.OPEN,
    "in_progress": TicketStatus.OPEN,
    "waiting_on_customer": TicketStatus.WAITING_CUSTOMER,
    "resolved": TicketStatus.SOLVED,
}
_WANTED: Final[Mapping[TicketStatus, str]] = {
    TicketStatus.OPEN: "in_progress",
    TicketStatus.WAITING_CUSTOMER: "waiting_on_customer",
    TicketStatus.SOLVED: "resolved",
    TicketStatus.CLOSED: "resolved",
}
_STATE_PARTS: Final = "ticket_"
SNOOZE_S: Final = 86_400
"""How long "on hold" lasts where we say it: Intercom wants an end."""


def is_ticket(thing: Wild) -> bool:
    return text_at(thing, "type") == "ticket"


def shows_conversion(conversation: Wild) -> bool:
    """Whether a conversation looks as if it were a ticket by now: by its ticket, or by parts that only tickets have."""
    if at(conversation, "ticket") is not None:
        return True
    return any(text_at(part, "part_type").startswith(_STATE_PARTS) for part in parts_of(conversation))


def ticket_reference(ticket: Wild) -> str | None:
    """The reference that we gave a ticket in its description."""
    return reference_in(text_at(ticket, "ticket_attributes", "_default_description_"))


def status_of(thing: Wild) -> tuple[TicketStatus, str]:
    """Of a conversation or ticket: our status, and Intercom's words for it."""
    if not is_ticket(thing):
        return thing["state"].one_of(STATUS), state_of(thing)
    category, state = category_of(thing), state_of(thing)
    by_state = thing["ticket_state"]["category"].one_of(CATEGORIES)
    if by_state is TicketStatus.SOLVED or state == "open":
        return by_state, category
    if state == "snoozed":
        return TicketStatus.ON_HOLD, f"{category}, snoozed"
    # Closed: out of the inbox. While the customer is waited for, that settles nothing.
    waiting = by_state is TicketStatus.WAITING_CUSTOMER
    return by_state if waiting else TicketStatus.SOLVED, f"{category}, closed"


def category_of(ticket: Wild) -> str:
    return ticket["ticket_state"]["category"].text()


def state_change(
    ticket: Wild, status: TicketStatus, state_id: Callable[[str, str], str | None], now: float
) -> dict[str, object]:
    """What has to be set so that the ticket has the status; empty where it has it.

    Args:
        state_id: The id of a state, by type of ticket and category; None where the type has no such state.
        now: Unix seconds.
    """
    if status_of(ticket)[0] is status:
        return {}
    if status is TicketStatus.ON_HOLD:
        return {"snoozed_until": int(now) + SNOOZE_S}
    fields: dict[str, object] = {"open": status not in (TicketStatus.SOLVED, TicketStatus.CLOSED)}
    wanted, has = _WANTED[status], category_of(ticket)
    if CATEGORIES[wanted] is not CATEGORIES.get(has):
        found = state_id(id_at(ticket, "ticket_type", "id") or "", wanted)
        if found is not None:
            fields["ticket_state_id"] = found
    return fields


def states_by_type(states: Wild) -> dict[tuple[str, str], str]:
    """The first usable state of each category, by type of ticket and category."""
    found: dict[tuple[str, str], str] = {}
    for state in states["data"]:
        archived = state.get("archived")
        types = at(state, "ticket_types", "data")
        if (archived is not None and archived.raw() is True) or types is None:
            continue
        for kind in types:
            found.setdefault((kind["id"].identifier(), text_at(state, "category")), state["id"].identifier())
    return found
