"""Adding to a ticket what the customer says, what our side has said, and notes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from handoff_connectors.gorgias.api import GorgiasApi
from handoff_connectors.gorgias.attachments import fields_of
from handoff_connectors.gorgias.mapping import (
    agent_message,
    customer_message,
    int_at,
    mark,
    note_message,
    removed,
    status_of,
    text_at,
)
from handoff_connectors.gorgias.people import People
from handoff_connectors.gorgias.talk import in_the_name_of
from handoff_sync.contract.connector import CommentDraft, CommentRef
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import OutcomeUnknown, TicketGone, UnrecognisedPayload


class Appender:
    """A message that may have been stored is never sent again blindly: the caller looks for its marker."""

    def __init__(self, api: GorgiasApi, people: People, now: Callable[[], datetime] | None = None) -> None:
        self._api = api
        self._people = people
        self._now = now or (lambda: datetime.now(UTC))

    def append(self, ticket: str, comment: CommentDraft) -> CommentRef:
        if comment.author is not None and comment.public:
            customer = self._awake(ticket, comment)
            message = customer_message(comment.marker, comment.html, customer, self._now())
        elif comment.public:
            message = agent_message(comment.marker, comment.html, self._people.us, self._now())
        else:
            name = comment.author.display_name if comment.author is not None else ""
            markup = in_the_name_of(name, comment.html) if name else comment.html
            message = note_message(comment.marker, markup, self._people.us, self._now())
        made = self._api.add_message(ticket, message | fields_of(comment.files))
        try:
            return CommentRef(id=made["id"].identifier())
        except UnrecognisedPayload:
            raise OutcomeUnknown("Gorgias took a message without saying its id.") from None

    def find(self, ticket: str, marker: str) -> CommentRef | None:
        wanted = mark(marker)
        for message in self._api.messages_of(ticket):
            if text_at(message, "external_id") == wanted:
                return CommentRef(id=message["id"].identifier())
        return None

    def _awake(self, number: str, comment: CommentDraft) -> int:
        """The ticket's customer. A ticket at rest is opened before the message: it may not open by itself (GO-6)."""
        ticket = self._api.ticket(number)
        if gone := removed(ticket):
            raise TicketGone(f"Nobody would read this: the ticket is {gone}.")
        status, _ = status_of(ticket, self._now())
        if status is not TicketStatus.OPEN:
            self._api.update_ticket(number, {"status": "open", "snooze_datetime": None})
        return self._customer_of(ticket, comment)

    def _customer_of(self, ticket: Wild, comment: CommentDraft) -> int:
        """Agents may have merged customers or changed the ticket's; theirs counts."""
        customer = int_at(ticket, "customer", "id")
        assert comment.author is not None
        return customer if customer is not None else self._people.customer(comment.author)
