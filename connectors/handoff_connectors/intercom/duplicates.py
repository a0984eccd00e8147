"""Two conversations with one reference: which one counts, and what becomes of the other (quirk IC-5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.mapping import closed, is_furnished, reference_in, source_body, state_of
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.text import paragraph
from handoff_connectors.intercom.tickets import ticket_reference
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import HandoffError, VendorRejected

_DAY_S = 86_400


class Duplicates:
    """Finds conversations by their reference; what is one too many is merged into the one that is used."""

    def __init__(self, api: IntercomApi, people: People) -> None:
        self._api = api
        self._people = people

    def with_word(self, word: str) -> list[Wild]:
        """By the index of words. It lags, so nothing found proves nothing."""
        return _having(word, self._search({"field": "source.body", "operator": "=", "value": word}))

    def of_contact(self, contact: str, since: int, word: str) -> list[Wild]:
        """By the contact, from a day before `since` (Unix seconds): dates may be compared by the day."""
        day = {"field": "created_at", "operator": ">", "value": since - _DAY_S}
        whose = {"field": "contact_ids", "operator": "=", "value": contact}
        return _having(word, self._search({"operator": "AND", "value": [whose, day]}))

    def tickets_with(self, word: str) -> list[Wild]:
        """Tickets by the description that we gave them, the oldest first. The index lags here too (quirk IC-23)."""
        page = self._api.search_tickets({"field": "description", "operator": "~", "value": word})
        return sorted((ticket for ticket in page["tickets"] if ticket_reference(ticket) == word), key=_age)

    def settled(self, found: Sequence[Wild]) -> Wild | None:
        """The one that counts: in use before not in use, then the oldest. The others are put aside."""
        ranked = sorted(found, key=lambda c: (not is_furnished(c), _age(c)))
        for duplicate in ranked[1:]:
            self.put_aside(duplicate, ranked[0])
        return ranked[0] if ranked else None

    def put_aside(self, duplicate: Wild, kept: Wild) -> None:
        """Never fails: the conversation that was asked for is there all the same, and the next look tries again."""
        if state_of(duplicate) == "closed" or is_furnished(duplicate):
            return
        number, into = duplicate["id"].identifier(), kept["id"].identifier()
        with suppress(HandoffError):
            try:
                self._api.merge(number, into)
            except VendorRejected:
                self._api.note(number, self._people.us, paragraph(f"Opened twice by mistake. Go on in {into}."))
                self._api.act(number, closed(self._people.us))

    def _search(self, query: dict[str, object]) -> Iterable[Wild]:
        return self._api.search(query)["conversations"]


def _having(word: str, found: Iterable[Wild]) -> list[Wild]:
    return [conversation for conversation in found if reference_in(source_body(conversation)) == word]


def _age(conversation: Wild) -> int:
    value = conversation["id"].identifier()
    return int(value) if value.isascii() and value.isdigit() else 0
