"""Opening a ticket once, however often it is tried, and taking up what an earlier try has left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from handoff_connectors.zendesk.api import ZendeskApi
from handoff_connectors.zendesk.faults import FieldsRefused, KeyReused
from handoff_connectors.zendesk.mapping import (
    DUPLICATE_TAG,
    comment_fields,
    comment_id_of,
    create_body,
    create_fields,
    in_the_name_of,
    mark,
    tags_of,
)
from handoff_connectors.zendesk.people import People
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_sync.contract.connector import Journal, TicketDraft, TicketRef
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import HandoffError, VendorRejected

KEY_TRUSTED_S: Final = 6000
"""Zendesk forgets a key after two hours; past 100 minutes we look before we send (quirk ZD-1)."""


class Opener:
    """In the journal: `request` (the exact bytes), `key`, `sent_at` (Unix seconds of the first send), `requester`."""

    def __init__(
        self, api: ZendeskApi, people: People, settings: ZendeskSettings, now: Callable[[], float] | None = None
    ) -> None:
        self._api = api
        self._people = people
        self._settings = settings
        self._now = now or time.time

    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        body, sent_at = journal.get("request"), journal.get("sent_at")
        too_old = sent_at is not None and self._now() - float(sent_at) > KEY_TRUSTED_S
        if sent_at is not None and (too_old or not body):
            found = self.find(draft.external_id)
            if found is not None:
                return found
        if not body:
            body = self._write(draft, journal)
        if sent_at is None:
            journal.put("sent_at", str(int(self._now())))
        return self._send(body, draft, journal)

    def find(self, external_id: str) -> TicketRef | None:
        """The lowest of the tickets with this external id. The others, if nobody works on them, are put aside."""
        found = [t for t in self._api.tickets_of(external_id) if t["external_id"].text() == external_id]
        found.sort(key=lambda ticket: ticket["id"].integer())
        for duplicate in found[1:]:
            self._put_aside(duplicate, found[0]["id"].identifier())
        return self._ref(found[0], None) if found else None

    def _write(self, draft: TicketDraft, journal: Journal) -> str:
        """The bytes to send, stored before they are sent."""
        asks = self._people.asks(draft.requester, journal)
        if asks is None:
            return self._write_as_us(draft, journal)
        return self._store(create_body(create_fields(draft, asks, self._people.us)), draft.external_id, journal)

    def _write_as_us(self, draft: TicketDraft, journal: Journal) -> str:
        """For a customer whom Zendesk lets ask for nothing: we ask, in their name (quirk ZD-12)."""
        us = self._people.us
        fields = create_fields(draft, {"requester_id": us}, us)
        fields["comment"] = comment_fields(
            in_the_name_of(draft.requester.display_name, draft.html), public=draft.public, author_id=us
        )
        return self._store(create_body(fields), f"{draft.external_id}:as-us", journal)

    @staticmethod
    def _store(body: str, key: str, journal: Journal) -> str:
        journal.put("key", key)
        journal.put("request", body)
        return body

    def _send(self, body: str, draft: TicketDraft, journal: Journal) -> TicketRef:
        key = journal.get("key") or draft.external_id
        try:
            answer = self._api.create_ticket(body.encode(), key)
        except KeyReused:
            found = self.find(draft.external_id)
            if found is None:
                raise
            return found
        except FieldsRefused as refused:
            if "requester" in refused.fields and key == draft.external_id:
                return self._send(self._write_as_us(draft, journal), draft, journal)
            journal.put("request", "")
            raise
        except VendorRejected:
            journal.put("request", "")  # a later try may bring other fields
            raise
        ticket = answer["ticket"]
        self._people.learn_requester(ticket["id"].identifier(), ticket["requester_id"].integer())
        return self._ref(ticket, comment_id_of(answer["audit"]))

    def _ref(self, ticket: Wild, comment_id: str | None) -> TicketRef:
        number = ticket["id"].identifier()
        return TicketRef(id=number, url=self._settings.ticket_url(number), comment_id=comment_id)

    def _put_aside(self, duplicate: Wild, kept: str) -> None:
        """Tags a second ticket of ours, tells agents where to look, and solves it unless someone works on it (ZD-4)."""
        number = duplicate["id"].identifier()
        if duplicate["status"].text() in ("solved", "closed") or DUPLICATE_TAG in tags_of(duplicate):
            return
        note = comment_fields(f"Opened twice by mistake. Please go on in ticket #{kept}.", public=False, author_id=None)
        changes: dict[str, object] = {"comment": note, "metadata": mark(f"duplicate:{number}")}
        if duplicate.get("assignee_id") is None:
            changes |= {"status": "solved", "assignee_id": self._people.us}
        try:
            self._api.add_tags(number, (DUPLICATE_TAG,))
            self._api.update_ticket(number, changes, repeatable=False)
        except HandoffError:
            return  # the ticket that was asked for is found all the same, and the next look-up tries again
