"""Opening a ticket once, however often it is tried, and taking up what an earlier try has left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
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
from handoff_sync.errors import HandoffError, OutcomeUnknown, UnrecognisedPayload, VendorRejected

KEY_TRUSTED_S: Final = 6000
"""Zendesk forgets a key after two hours; past 100 minutes we look before we send (quirk ZD-1)."""

_ENTRY: Final = "request"
_AS_US: Final = ":as-us"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A request as it stands in the journal. Without a body: one was refused, and the next is written anew.

    `at` are the Unix seconds of when the first one was written, shortly before it was sent.
    """

    key: str
    at: int
    body: str

    @classmethod
    def load(cls, journal: Journal) -> Written | None:
        stored = journal.get(_ENTRY)
        return cls(**json.loads(stored)) if stored else None

    def store(self, journal: Journal) -> Written:
        journal.put(_ENTRY, json.dumps({"key": self.key, "at": self.at, "body": self.body}, ensure_ascii=False))
        return self


class Opener:
    """What is sent is in the journal first, to the byte, so that a repeat is the same request (quirk ZD-1)."""

    def __init__(
        self, api: ZendeskApi, people: People, settings: ZendeskSettings, now: Callable[[], float] | None = None
    ) -> None:
        self._api = api
        self._people = people
        self._settings = settings
        self._now = now or time.time

    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        written = Written.load(journal)
        if written is not None and (not written.body or self._now() - written.at > KEY_TRUSTED_S):
            found = self.find(draft.external_id)
            if found is not None:
                return found
        if written is None or not written.body:
            written = self._write(draft, int(self._now()) if written is None else written.at).store(journal)
        return self._send(written, draft, journal)

    def find(self, external_id: str) -> TicketRef | None:
        """The lowest of the tickets with this external id. The others, if nobody works on them, are put aside."""
        found = [t for t in self._api.tickets_of(external_id) if t["external_id"].text() == external_id]
        found.sort(key=lambda ticket: ticket["id"].integer())
        for duplicate in found[1:]:
            self._put_aside(duplicate, found[0]["id"].identifier())
        return self._ref(found[0], None) if found else None

    def _write(self, draft: TicketDraft, at: int) -> Written:
        asks = self._people.asks(draft.requester)
        if asks is None:
            return self._write_as_us(draft, at)
        return Written(key=draft.external_id, at=at, body=create_body(create_fields(draft, asks, self._people.us)))

    def _write_as_us(self, draft: TicketDraft, at: int) -> Written:
        """For a customer whom Zendesk lets ask for nothing: we ask, in their name (quirk ZD-12)."""
        us = self._people.us
        said = in_the_name_of(draft.requester.display_name, draft.html)
        fields = create_fields(replace(draft, html=said), {"requester_id": us}, us)
        return Written(key=f"{draft.external_id}{_AS_US}", at=at, body=create_body(fields))

    def _send(self, written: Written, draft: TicketDraft, journal: Journal) -> TicketRef:
        try:
            answer = self._api.create_ticket(written.body.encode(), written.key)
        except KeyReused:
            found = self.find(draft.external_id)
            if found is None:
                raise
            return found
        except FieldsRefused as refused:
            if "requester" in refused.fields and not written.key.endswith(_AS_US):
                return self._send(self._write_as_us(draft, written.at).store(journal), draft, journal)
            replace(written, body="").store(journal)
            raise
        except VendorRejected:
            replace(written, body="").store(journal)  # a later try may bring other fields
            raise
        try:
            ticket, made = answer["ticket"], comment_id_of(answer["audit"])
            self._people.learn_requester(ticket["id"].identifier(), ticket["requester_id"].integer())
        except UnrecognisedPayload as error:
            raise OutcomeUnknown(f"Zendesk said yes to a new ticket in words we do not know: {error}") from None
        return self._ref(ticket, made)

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
            self._api.update_ticket(number, changes, repeatable=False)
            self._api.add_tags(number, (DUPLICATE_TAG,))
        except HandoffError:
            return  # the ticket that was asked for is found all the same, and the next look-up tries again
