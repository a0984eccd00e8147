"""Saying something in a conversation once: as the customer in plain text, or as us in an internal note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.faults import ContactNotReady
from handoff_connectors.intercom.mapping import in_the_name_of, merge_marker
from handoff_connectors.intercom.merging import Merges
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.states import States
from handoff_connectors.intercom.text import digest, note_html, to_text
from handoff_connectors.intercom.threads import Sent, Threads
from handoff_sync.contract.connector import CommentDraft, CommentRef, Journal, Requester
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import OutcomeUnknown, TicketClosed, TicketGone, UnrecognisedPayload, VendorRejected

_NOTHING: Final = "(no text)"
_UNCERTAIN_S: Final = 7200.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One comment on its way. `after` is the newest part from before the first attempt."""

    ticket: str
    comment: CommentDraft
    journal: Journal
    after: int

    def announce(self, by: str, markup: str) -> Sent:
        """What would tell it among the parts, written down before it is sent."""
        sent = Sent(after=self.after, by=by, words=digest(markup))
        self.journal.put(_entry(self.comment), sent.dump())
        return sent


class Replier:
    """Nothing of ours can be hung on a part, so each is told again by author, text and place (quirk IC-11)."""

    def __init__(self, api: IntercomApi, people: People, threads: Threads, states: States) -> None:
        self._api = api
        self._people = people
        self._threads = threads
        self._states = states
        self._merges = Merges(api)
        self._sent: Remembered[tuple[str, str], Sent] = Remembered(_UNCERTAIN_S)

    def append(self, ticket: str, comment: CommentDraft, journal: Journal) -> CommentRef:
        """What an earlier attempt has said is found by its journal, also by another process."""
        stored = journal.get(_entry(comment))
        before = Sent.load(stored) if stored else None
        if before is not None:
            now = self._read(ticket)
            if (made := before.among(now)) is not None:
                self._must_be_read(ticket, now)
                return CommentRef(id=made)
        after = before.after if before is not None else self._threads.of(ticket).newest
        attempt = Attempt(ticket, comment, journal, after)
        if comment.author is None or not comment.public:
            said, answer = self._as_us(attempt, comment.html)
            self._must_be_read(ticket, answer)
            return said
        return self._as_customer(attempt, comment.author)

    def find_appended(self, ticket: str, marker: str) -> CommentRef | None:
        """Known as long as this process remembers the attempt; later `append` finds it by its journal."""
        sent = self._sent.get((ticket, marker))
        made = sent.among(self._read(ticket)) if sent is not None else None
        return CommentRef(id=made) if made is not None else None

    def _as_customer(self, attempt: Attempt, author: Requester) -> CommentRef:
        """A contact who was merged meanwhile is looked up again; for whom Intercom does not let speak, we speak."""
        contact = self._threads.of(attempt.ticket).contact(author)
        while contact is not None:
            try:
                return self._as_contact(attempt, contact)
            except (TicketGone, TicketClosed):
                raise
            except (ContactNotReady, VendorRejected):
                self._threads.forget(attempt.ticket)
                before, contact = contact, self._threads.of(attempt.ticket).contact(author)
                contact = contact if contact != before else None
        said, answer = self._as_us(attempt, in_the_name_of(author.display_name, attempt.comment.html))
        self._must_be_read(attempt.ticket, answer)
        self._states.customer_waits(attempt.ticket, answer)  # a note opens nothing
        return said

    def _as_contact(self, attempt: Attempt, contact: str) -> CommentRef:
        sent = self._announced(attempt, contact, attempt.comment.html)
        text = to_text(attempt.comment.html) or _NOTHING
        answer = self._api.say_as_contact(attempt.ticket, contact, text, attempt.comment.files)
        made = self._made(attempt, sent, answer)
        self._must_be_read(attempt.ticket, answer)
        self._states.customer_waits(attempt.ticket, answer)
        return made

    def _as_us(self, attempt: Attempt, markup: str) -> tuple[CommentRef, Wild]:
        sent = self._announced(attempt, self._people.us, markup)
        answer = self._api.note(attempt.ticket, self._people.us, note_html(markup), attempt.comment.files)
        return self._made(attempt, sent, answer), answer

    def _must_be_read(self, ticket: str, now: Wild) -> None:
        """What was said in a conversation that had been merged away is to be said where people are (quirk IC-13).

        Raises:
            TicketClosed: it was, and is closed as the merge had left it.
        """
        marker = merge_marker(now, self._people.us)
        if marker is None or self._merges.primary_of(now, marker) is None:
            return
        self._states.set(ticket, TicketStatus.SOLVED)
        raise TicketClosed("This conversation was merged into another; its words belong there.")

    def _announced(self, attempt: Attempt, by: str, markup: str) -> Sent:
        sent = attempt.announce(by, markup)
        self._sent.put((attempt.ticket, attempt.comment.marker), sent)
        return sent

    def _made(self, attempt: Attempt, sent: Sent, answer: Wild) -> CommentRef:
        try:
            made = sent.answered(answer)
            self._threads.learn(attempt.ticket, answer)
        except UnrecognisedPayload as error:
            raise OutcomeUnknown(f"Intercom took a reply in words we do not know: {error}") from None
        if made is None:
            raise OutcomeUnknown("Intercom took a reply without saying its id.")
        return CommentRef(id=made)

    def _read(self, ticket: str) -> Wild:
        conversation = self._api.conversation(ticket)
        conversation["type"].text()  # without it, finding nothing would prove nothing
        self._threads.learn(ticket, conversation)
        return conversation


def _entry(comment: CommentDraft) -> str:
    return f"reply {comment.marker}"
