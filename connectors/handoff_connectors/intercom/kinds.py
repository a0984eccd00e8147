"""What a number is by now: agents make tickets of conversations at any time (quirk IC-23).

Whether a ticket can still be called as the conversation it was, and whether it keeps that number, is not documented.
So nothing is taken for granted: who is not found as one thing is looked for as the other, and what a reading shows
is remembered for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from handoff_connectors.intercom.mapping import at, id_at
from handoff_connectors.intercom.tickets import is_ticket, shows_conversion
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import TicketGone, UnrecognisedPayload, VendorAuthError, VendorRejected

_ALL: Final = "*"


class Kind(StrEnum):
    """The value stands in addresses."""

    CONVERSATION = "conversations"
    TICKET = "tickets"

    @property
    def other(self) -> Kind:
        return Kind.TICKET if self is Kind.CONVERSATION else Kind.CONVERSATION


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number is found. `id` is another number only if a ticket did not keep its conversation's."""

    kind: Kind
    id: str


Call = Callable[..., Wild]
"""As `IntercomApi` makes calls: method, path, ids, and by name what goes with it."""


class Kinds:
    """Reads and writes where the number is. `tickets_first`: where one is looked for that is not known yet."""

    def __init__(self, call: Call, tickets_first: bool) -> None:
        self._call = call
        self._first = Kind.TICKET if tickets_first else Kind.CONVERSATION
        self._known: Remembered[str, Place] = Remembered()
        self._no_ticket: Remembered[str, bool] = Remembered()
        self._no_tags: Remembered[str, bool] = Remembered()

    def learn(self, number: str, kind: Kind, id: str | None = None) -> None:
        self._known.put(number, Place(kind, id or number))

    def read(self, number: str) -> Wild:
        """The ticket, else the conversation. TicketGone when the number is neither."""
        place = self._known.get(number) or Place(self._first, number)
        try:
            kind, thing = place.kind, self._get(place)
        except TicketGone:
            kind, thing = place.kind.other, self._elsewhere(number, place)
        if kind is Kind.CONVERSATION and shows_conversion(thing):
            ticket = self._ticket(id_at(thing, "ticket", "id") or number)
            kind, thing = (Kind.TICKET, ticket) if ticket is not None else (kind, thing)
        self.learn(number, kind, id_at(thing, "id"))
        return thing

    def write(self, method: str, tail: str, number: str, *ids: str, **more: Any) -> Wild:
        """For calls whose shape is the same for both. A 404 did nothing, so the other place may be tried."""
        place = self._known.get(number) or Place(self._first, number)
        try:
            return self._call(method, f"/{place.kind}/{{id}}{tail}", place.id, *ids, **more)
        except TicketGone:
            self._known.forget(number)
            self.read(number)
            found = self._known.get(number)
            if found is None or found == place:
                raise
            return self._call(method, f"/{found.kind}/{{id}}{tail}", found.id, *ids, **more)

    def tags(self, number: str, thing: Wild) -> Wild | None:
        """The thing that shows the number's tags: tickets show none, so it is the conversation, if it can be read."""
        if not is_ticket(thing) or at(thing, "tags") is not None:
            return thing
        if self._no_tags.get(number):
            return None
        try:
            return self._get(Place(Kind.CONVERSATION, number))
        except VendorRejected:  # TicketGone too: the conversation is no more
            self._no_tags.put(number, True)
            return None

    def _get(self, place: Place) -> Wild:
        thing = self._call("GET", f"/{place.kind}/{{id}}", place.id)
        if place.kind is Kind.TICKET and not is_ticket(thing):
            raise UnrecognisedPayload("answer.type is not ticket, which was asked for.")
        return thing

    def _elsewhere(self, number: str, place: Place) -> Wild:
        self._known.forget(number)
        if place.kind is Kind.TICKET:
            return self._get(Place(Kind.CONVERSATION, number))
        ticket = self._ticket(number)
        if ticket is None:
            raise TicketGone("Intercom shows neither a conversation nor a ticket of this number (404).")
        return ticket

    def _ticket(self, number: str) -> Wild | None:
        """None too for an app that may not read tickets: a connection of conversations needs no such permission."""
        if self._no_ticket.get(_ALL) or self._no_ticket.get(number):
            return None
        try:
            return self._get(Place(Kind.TICKET, number))
        except VendorAuthError:
            if self._first is Kind.TICKET:
                raise
            self._no_ticket.put(_ALL, True)
        except VendorRejected:
            self._no_ticket.put(number, True)
        return None
