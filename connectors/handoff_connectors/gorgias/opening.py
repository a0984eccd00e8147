"""Opening a ticket once, however often it is tried, and taking up what an earlier try has left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from handoff_connectors.gorgias.api import GorgiasApi
from handoff_connectors.gorgias.faults import Taken
from handoff_connectors.gorgias.mapping import (
    DUPLICATE_TAG,
    META,
    create_fields,
    fitting,
    int_at,
    mark,
    note_message,
    removed,
    tags_of,
    text_at,
)
from handoff_connectors.gorgias.people import People
from handoff_connectors.gorgias.settings import GorgiasSettings
from handoff_connectors.gorgias.talk import first_messages, note_marker
from handoff_sync.contract.connector import Journal, TicketDraft, TicketRef
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import HandoffError, OutcomeUnknown, UnrecognisedPayload, VendorRejected

_ENTRY: Final = "request"
_REFUSED: Final = ""


class Opener:
    """There is no idempotency key: what may have been sent is looked for before it is sent again (quirk GO-4)."""

    def __init__(
        self, api: GorgiasApi, people: People, settings: GorgiasSettings, now: Callable[[], datetime] | None = None
    ) -> None:
        self._api = api
        self._people = people
        self._settings = settings
        self._now = now or (lambda: datetime.now(UTC))

    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        written = journal.get(_ENTRY)
        if written is not None:
            found = self.find(draft.external_id) or self._at_customer(draft, written)
            if found is not None:
                return found
        if not written:
            written = self._write(draft, self._people.customer(draft.requester))
        return self._send(written, draft, journal)

    def find(self, external_id: str) -> TicketRef | None:
        """The lowest of the tickets with this external id. The others, if nobody works on them, are put aside."""
        wanted = fitting(external_id)
        found = [t for t in self._api.tickets({"external_id": wanted}) if text_at(t, "external_id") == wanted]
        found.sort(key=lambda ticket: ticket["id"].integer())
        for duplicate in found[1:]:
            self._put_aside(duplicate, found[0]["id"].identifier())
        return self._ref(found[0], None) if found else None

    def _at_customer(self, draft: TicketDraft, written: str) -> TicketRef | None:
        """A second look, among the customer's newest tickets: in a merge external ids may get lost."""
        if written == _REFUSED:
            return None
        customer = json.loads(written)["customer"]["id"]
        newest = self._api.tickets({"customer_id": customer, "order_by": "created_datetime:desc", "limit": 30})
        for _, ticket in zip(range(30), newest, strict=False):
            if text_at(ticket, "external_id") == fitting(draft.external_id) or _key_of(ticket) == draft.external_id:
                return self._ref(ticket, None)
        return None

    def _write(self, draft: TicketDraft, customer: int) -> str:
        fields = create_fields(draft, customer, (self._settings.merge_exclusion_tag,))
        fields["messages"] = first_messages(
            draft, self._settings.transcript_mode, customer, self._people.us, self._now()
        )
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    def _send(self, written: str, draft: TicketDraft, journal: Journal, *, anew: bool = False) -> TicketRef:
        journal.put(_ENTRY, written)
        fields: Mapping[str, Any] = json.loads(written)
        try:
            ticket = self._api.create_ticket(fields)
        except VendorRejected as refused:
            journal.put(_ENTRY, _REFUSED)  # a later try may bring other fields
            found = self.find(draft.external_id) if isinstance(refused, Taken) else None
            if found is not None:
                return found
            customer = self._people.customer_anew(draft.requester) if not anew else fields["customer"]["id"]
            if customer == fields["customer"]["id"]:
                raise
            return self._send(self._write(draft, customer), draft, journal, anew=True)
        try:
            return self._ref(ticket, _message_with(ticket, mark(note_marker(draft))))
        except UnrecognisedPayload as error:
            raise OutcomeUnknown(f"Gorgias said yes to a new ticket in words we do not know: {error}") from None

    def _ref(self, ticket: Wild, comment_id: str | None) -> TicketRef:
        number = ticket["id"].identifier()
        return TicketRef(id=number, url=self._settings.ticket_url(number), comment_id=comment_id)

    def _put_aside(self, duplicate: Wild, kept: str) -> None:
        """Tags a second ticket of ours, tells agents where to look, and closes it unless someone works on it."""
        number = duplicate["id"].identifier()
        if duplicate["status"].text() == "closed" or removed(duplicate) or DUPLICATE_TAG in tags_of(duplicate):
            return
        text = f"Opened twice by mistake. Please go on in ticket {kept}."
        try:
            note = note_message(f"duplicate:{number}", f"<p>{text}</p>", self._people.us, self._now())
            self._api.add_message(number, note)
            self._api.add_tags(number, (DUPLICATE_TAG,))
            if int_at(duplicate, "assignee_user", "id") is None:
                self._api.update_ticket(number, {"status": "closed"})
        except HandoffError:
            return  # the ticket that was asked for is found all the same, and the next look-up tries again


def _key_of(ticket: Wild) -> str:
    """Our key in the ticket's `meta`, which may hold anything."""
    meta = ticket.get("meta")
    ours = meta.raw().get(META) if meta is not None and isinstance(meta.raw(), Mapping) else None
    key = ours.get("key") if isinstance(ours, Mapping) else None
    return key if isinstance(key, str) else ""


def _message_with(ticket: Wild, external_id: str) -> str | None:
    messages = ticket.get("messages")
    for message in messages if messages is not None else ():
        if text_at(message, "external_id") == external_id:
            return message["id"].identifier()
    return None
