"""Opening a conversation once, and furnishing it: title, attributes, transcript, team, tags (quirk IC-5).

Intercom knows no idempotency key. What is about to be sent is in the journal first; after an uncertain end the
conversation is looked for by its reference, and made again only when a whole window has passed without a trace of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Final

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.converting import Converter
from handoff_connectors.intercom.duplicates import Duplicates
from handoff_connectors.intercom.faults import ContactNotReady
from handoff_connectors.intercom.furnishing import Furnisher
from handoff_connectors.intercom.kinds import Kind
from handoff_connectors.intercom.mapping import is_furnished, opening_body, reference, reference_in, source_body
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.text import to_text
from handoff_connectors.intercom.tickets import is_ticket
from handoff_sync.contract.connector import Journal, TicketDraft, TicketRef
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import AuthorClass
from handoff_sync.errors import HandoffError, OutcomeUnknown, RateLimited, TicketGone, UnrecognisedPayload

MOST_FIRST_WORDS: Final = 5000
"""Characters; no limit is documented. The whole of it stands in the transcript."""

_ENTRY: Final = "conversation"
_LOOK_EVERY_S: Final = 60.0


class NotSettled(RateLimited):
    """The lane waits, the connection goes on: a conversation may still turn up, so none is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the journal holds. `since` and `at` (Unix seconds): when it was first and last sent. `number`: its id."""

    contact: str
    since: int
    at: int
    number: str = ""

    @classmethod
    def load(cls, journal: Journal) -> Written | None:
        stored = journal.get(_ENTRY)
        return cls(**json.loads(stored)) if stored else None

    def store(self, journal: Journal) -> Written:
        journal.put(_ENTRY, json.dumps(asdict(self)))
        return self


class Opener:
    """`arrivals` are conversations by reference, as webhooks of this process told them."""

    def __init__(
        self,
        api: IntercomApi,
        people: People,
        duplicates: Duplicates,
        furnisher: Furnisher,
        converter: Converter,
        settings: IntercomSettings,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.arrivals: Remembered[str, str] = Remembered()
        self._api = api
        self._people = people
        self._duplicates = duplicates
        self._furnisher = furnisher
        self._converter = converter
        self._settings = settings
        self._now = now or time.time

    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        written = Written.load(journal)
        if written is None:
            written = self._post(draft, journal, None)
            return self._completed(draft, written.number, None)
        if not written.number:
            written = self._taken_up(draft, journal, written)
        now = self._now_of(draft, written)
        if is_ticket(now):  # made of it last, so all is done
            return self._ref(now["id"].identifier(), self._furnisher.transcript_in(draft, now))
        return self._completed(draft, written.number, now)

    def find(self, external_id: str) -> TicketRef | None:
        """A furnished conversation. One that is not is taken up by `open`, which has the transcript (quirk IC-5).

        Where tickets are wanted: the ticket. A conversation that is none yet is not finished.
        """
        if self._converter.wanted:
            ticket = self._converter.find(reference(external_id))
            return self._ref(ticket, None) if ticket is not None else None
        found = [c for c in self._duplicates.with_word(reference(external_id)) if is_furnished(c)]
        kept = self._duplicates.settled(found)
        return self._ref(kept["id"].identifier(), None) if kept is not None else None

    def _completed(self, draft: TicketDraft, number: str, now: Wild | None) -> TicketRef:
        comment = self._furnisher.furnish(draft, number, now)
        return self._ref(self._converter.convert(draft, number, self._first_words(draft)), comment)

    def _now_of(self, draft: TicketDraft, written: Written) -> Wild:
        """A ticket that did not keep its conversation's number is found by its description (quirk IC-23)."""
        try:
            return self._api.conversation(written.number)
        except TicketGone:
            ticket = self._converter.find(reference(draft.external_id)) if self._converter.wanted else None
            if ticket is not None:
                return self._api.conversation(ticket)
            if not self._converter.wanted or self._now() > written.at + self._settings.recreate_after_s:
                raise
            raise NotSettled("Intercom shows no ticket yet; it is looked for again.", _LOOK_EVERY_S, "ticket") from None

    def _taken_up(self, draft: TicketDraft, journal: Journal, written: Written) -> Written:
        word = reference(draft.external_id)
        found = self._arrived(word) or self._searched(written, word)
        if found is not None:
            return replace(written, number=found["id"].identifier()).store(journal)
        left = written.at + self._settings.recreate_after_s - self._now()
        if left > 0:
            raise NotSettled(
                "Whether Intercom has opened the conversation is not certain yet; it is looked for again.",
                min(left, _LOOK_EVERY_S),
                "ticket",
            )
        return self._post(draft, journal, written)

    def _arrived(self, word: str) -> Wild | None:
        number = self.arrivals.get(word)
        if number is None:
            return None
        with suppress(TicketGone):
            conversation = self._api.conversation(number)
            if reference_in(source_body(conversation)) == word:
                return conversation
        return None

    def _searched(self, written: Written, word: str) -> Wild | None:
        found = self._duplicates.of_contact(written.contact, written.since, word) or self._duplicates.with_word(word)
        return self._duplicates.settled(found)

    def _post(self, draft: TicketDraft, journal: Journal, before: Written | None) -> Written:
        """What surely made nothing leaves the journal as it was, so that the next attempt need not wait."""
        contact, now = self._people.contact(draft.requester), int(self._now())
        since = before.since if before is not None else now
        written = Written(contact=contact.id, since=since, at=now).store(journal)
        body = opening_body(self._first_words(draft), reference(draft.external_id))
        try:
            answer = self._api.open_conversation(contact.role, contact.id, body)
        except OutcomeUnknown:
            raise
        except HandoffError as error:
            journal.put(_ENTRY, json.dumps(asdict(before)) if before is not None else "")
            if isinstance(error, ContactNotReady):
                self._people.forget(draft.requester)
            raise
        try:
            made = replace(written, number=answer["conversation_id"].identifier()).store(journal)
        except UnrecognisedPayload as error:
            raise OutcomeUnknown(f"Intercom said yes to a conversation in words we do not know: {error}") from None
        self._api.kinds.learn(made.number, Kind.CONVERSATION)
        return made

    def _first_words(self, draft: TicketDraft) -> str:
        """The customer reads them: their own last words, else neutral ones, never what is meant for agents."""
        if draft.public:
            return to_text(draft.html)
        own = [m.text.strip() for m in draft.said if m.author_class is AuthorClass.CUSTOMER and m.text.strip()]
        return own[-1][:MOST_FIRST_WORDS] if own else self._settings.opening_text

    def _ref(self, number: str, comment: str | None) -> TicketRef:
        return TicketRef(id=number, url=self._settings.ticket_url(number, self._people.workspace), comment_id=comment)
