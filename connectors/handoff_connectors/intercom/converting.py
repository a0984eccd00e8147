"""Making a ticket of a furnished conversation, where the connection asks for tickets (quirk IC-23)."""

from __future__ import annotations

from contextlib import suppress

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.duplicates import Duplicates
from handoff_connectors.intercom.kinds import Kind
from handoff_connectors.intercom.mapping import opening_body, reference
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.text import paragraph
from handoff_connectors.intercom.tickets import is_ticket
from handoff_sync.contract.connector import TicketDraft
from handoff_sync.errors import HandoffError, TicketGone, VendorRejected


class Converter:
    """The last step of opening: what comes before is known to work for conversations alone."""

    def __init__(self, api: IntercomApi, people: People, duplicates: Duplicates, settings: IntercomSettings) -> None:
        self._api = api
        self._people = people
        self._duplicates = duplicates
        self._type = settings.ticket_type_id

    @property
    def wanted(self) -> bool:
        return self._type is not None

    def convert(self, draft: TicketDraft, conversation: str, first_words: str) -> str:
        """The number to go on with. A ticket that Intercom refuses must not cost the customer the handoff."""
        if self._type is None:
            return conversation
        word = reference(draft.external_id)
        described = {"_default_title_": draft.subject, "_default_description_": opening_body(first_words, word)}
        for attributes in (described, None):
            try:
                ticket = self._api.convert(conversation, self._type, attributes)["id"].identifier()
            except TicketGone:
                raise
            except VendorRejected:
                continue
            self._api.kinds.learn(ticket, Kind.TICKET)
            return ticket
        return self._made_before(word) or self._refused(conversation)

    def find(self, word: str) -> str | None:
        """The ticket with our reference: by its description, or as the conversation that it was."""
        made = self._made_before(word)
        if made is not None:
            return made
        for conversation in self._duplicates.with_word(word):
            with suppress(TicketGone):
                thing = self._api.conversation(conversation["id"].identifier())
                if is_ticket(thing):
                    return thing["id"].identifier()
        return None

    def _made_before(self, word: str) -> str | None:
        tickets = self._duplicates.tickets_with(word)
        return tickets[0]["id"].identifier() if tickets else None

    def _refused(self, conversation: str) -> str:
        said = f"Intercom refused to make this a ticket of type {self._type}. Correct the connection of handoff-sync."
        with suppress(HandoffError):
            self._api.note(conversation, self._people.us, paragraph(said))
        return conversation
