"""Reading a ticket: what it is now, what was said since the last reading, and who made the newest change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from handoff_connectors.gorgias.api import GorgiasApi
from handoff_connectors.gorgias.faults import TicketMerged
from handoff_connectors.gorgias.mapping import (
    author_of,
    int_at,
    is_staff,
    marker_of,
    needs_author,
    read_time,
    removed,
    sent_at,
    status_of,
    tags_of,
    text_at,
    time_at,
    to_agent,
    to_comment,
)
from handoff_connectors.gorgias.people import People
from handoff_connectors.gorgias.settings import GorgiasSettings
from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, TicketSnapshot
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import HandoffError, RateLimited, TicketGone, UnrecognisedPayload

OVERLAP: Final = timedelta(seconds=300)
"""Messages may be listed later than younger ones: this far back they are told apart by id instead of time."""

EMBEDDED: Final = 20
"""A ticket that shows this many messages may show not all of them; beyond that they are listed (quirk GO-10)."""

_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_SAME_STEP: Final = timedelta(seconds=60)
_WAIT_S: Final = 3.0
_DECIDING: Final = frozenset(
    {"ticket-closed", "ticket-reopened", "ticket-assigned", "ticket-unassigned", "ticket-snoozed", "ticket-trashed",
     "ticket-untrashed", "ticket-marked-spam", "ticket-unmarked-spam"}
)  # fmt: skip
_LEADS_TO: Final[Mapping[str, TicketStatus]] = {
    "ticket-closed": TicketStatus.SOLVED,
    "ticket-reopened": TicketStatus.OPEN,
    "ticket-snoozed": TicketStatus.ON_HOLD,
}
_NOBODY: Final = frozenset({"ticket-message-created", "ticket-created", "ticket-self-unsnoozed", "rule-executed"})
_DONE: Final = frozenset({TicketStatus.SOLVED, TicketStatus.CLOSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the last reading saw. `said` are the ids of messages within OVERLAP of `newest`."""

    newest: datetime = _LONG_AGO
    said: frozenset[int] = frozenset()
    event: int = 0
    state: str = ""
    done: bool = False

    @classmethod
    def load(cls, cursor: str | None) -> Seen:
        """From a cursor of ours; a reading without one, or with one that cannot be read, starts at the beginning."""
        try:
            return cls._loaded(cursor) if cursor else cls()
        except UnrecognisedPayload:
            return cls()

    @classmethod
    def _loaded(cls, cursor: str) -> Seen:
        stored = read_json(cursor, "cursor")
        return cls(
            newest=read_time(stored["newest"]),
            said=frozenset(item.integer() for item in stored["said"]),
            event=stored["event"].integer(),
            state=stored["state"].text(),
            done=stored["done"].boolean(),
        )

    def dump(self) -> str:
        stored = {
            "newest": self.newest.isoformat(), "said": sorted(self.said), "event": self.event, "state": self.state,
            "done": self.done,
        }  # fmt: skip
        return json.dumps(stored, separators=(",", ":"))

    def is_new(self, message: Wild) -> bool:
        return sent_at(message) >= self.newest - OVERLAP and message["id"].integer() not in self.said

    def then(self, messages: Sequence[Wild], event: int, state: str, done: bool, now: datetime) -> Seen:
        """After a reading that saw these messages, old and new. Times of ours or of the future mean nothing (GO-11)."""
        believed = (min(sent_at(message), now) for message in messages if marker_of(message) is None)
        newest = max(believed, default=self.newest)
        newest = max(newest, self.newest)
        said = {message["id"].integer() for message in messages if sent_at(message) >= newest - OVERLAP}
        return Seen(newest=newest, said=frozenset(said), event=max(event, self.event), state=state, done=done)


class Reader:
    """One call for a ticket on which nothing happened, two or three otherwise."""

    def __init__(
        self, api: GorgiasApi, people: People, settings: GorgiasSettings, now: Callable[[], datetime] | None = None
    ) -> None:
        self._api = api
        self._people = people
        self._settings = settings
        self._now = now or (lambda: datetime.now(UTC))

    def read(self, number: str, cursor: str | None) -> TicketSnapshot:
        seen = Seen.load(cursor)
        try:
            ticket = self._api.ticket(number)
        except TicketMerged as merged:
            at = self._merged_at(number, merged.into)
            return self._ended(number, cursor, "merged", at=at, into=merged.into)
        except TicketGone:
            return self._ended(number, cursor, "deleted", at=self._now(), into=None)
        messages = self._messages(ticket, seen)
        return self._snapshot(ticket, messages, [message for message in messages if seen.is_new(message)], seen)

    def _snapshot(self, ticket: Wild, messages: Sequence[Wild], fresh: Sequence[Wild], seen: Seen) -> TicketSnapshot:
        number, now = ticket["id"].identifier(), self._now()
        status, raw = status_of(ticket, now)
        gone = removed(ticket)
        authors = self._authors(fresh)
        event, changed_by = self._changed_by(ticket, fresh, authors, seen)
        customer = int_at(ticket, "customer", "id")
        following = seen.then(messages, event, _state(ticket), status in _DONE, now)
        return TicketSnapshot(
            id=number,
            status=status,
            raw_status=gone or raw,
            updated_at=_updated_at(ticket, now),
            cursor=following.dump(),
            assignee=self._assignee(ticket),
            tags=tags_of(ticket),
            comments=tuple(to_comment(m, self._people.us, authors.get(_sender(m)), customer) for m in fresh),
            changed_by=changed_by,
            deleted=bool(gone),
            url=self._settings.ticket_url(number),
        )

    def _assignee(self, ticket: Wild) -> HelpdeskAgent | None:
        """We are nobody who holds it: that a person took it must not be concluded."""
        assignee = ticket.get("assignee_user")
        return to_agent(assignee) if assignee is not None and assignee["id"].integer() != self._people.us else None

    def _ended(self, number: str, cursor: str | None, raw: str, *, at: datetime, into: str | None) -> TicketSnapshot:
        return TicketSnapshot(
            id=number,
            status=TicketStatus.CLOSED,
            raw_status=raw,
            updated_at=at,
            cursor=cursor or "",
            merged_into=into,
            deleted=into is None,
            url=self._settings.ticket_url(number),
        )

    def _merged_at(self, number: str, into: str) -> datetime:
        """What the other ticket held before belongs to another talk; without an event that is everything until now."""
        for ticket in (number, into):
            try:
                events = self._api.events_of(ticket)
            except RateLimited:
                raise
            except HandoffError:
                continue
            for event in events:
                at = time_at(event, "created_datetime")
                if event["type"].text() == "ticket-merged" and at is not None:
                    return at
        return self._now()

    def _messages(self, ticket: Wild, seen: Seen) -> list[Wild]:
        """Oldest first, at least back to where the last reading ended."""
        embedded = ticket.get("messages")
        read = {m["id"].integer(): m for m in embedded} if embedded is not None else {}
        count = int_at(ticket, "messages_count") or 0
        if embedded is None or len(read) >= EMBEDDED or count > len(read):
            for message in self._api.messages_of(ticket["id"].identifier()):
                read[message["id"].integer()] = message
                if sent_at(message) < seen.newest - OVERLAP:
                    break
        return sorted(read.values(), key=lambda message: (sent_at(message), message["id"].integer()))

    def _authors(self, fresh: Sequence[Wild]) -> dict[int, Wild]:
        """The users behind new messages of agents; one who is not found makes the message UNKNOWN."""
        senders = {_sender(message) for message in fresh if needs_author(message)}
        found = {sender: self._people.user(sender) for sender in sorted(senders - {0, self._people.us})}
        return {sender: user for sender, user in found.items() if user is not None}

    # --- who did it --------------------------------------------------------------------------------

    def _changed_by(
        self, ticket: Wild, fresh: Sequence[Wild], authors: dict[int, Wild], seen: Seen
    ) -> tuple[int, HelpdeskAgent | None]:
        """The newest event that was looked at, and the agent who made the newest change; nobody where a rule did."""
        if _state(ticket) == seen.state or (not seen.state and _untouched(ticket)):
            return seen.event, None
        events = self._api.events_of(ticket["id"].identifier())
        newest = max((event["id"].integer() for event in events), default=0)
        since = [event for event in events if event["id"].integer() > seen.event]
        change = next((e for e in since if e["type"].text() in _DECIDING), None) or next(
            (e for e in since if e["type"].text() not in _NOBODY), None
        )
        if change is not None and self._is_newest(change, ticket):
            return newest, self._by_hand(int_at(change, "user_id"))
        answered = self._answered(ticket, fresh, authors)
        if answered is None and not any(_explains(message) for message in fresh):
            self._wait_for_event(ticket, seen)
        return newest, answered

    def _is_newest(self, change: Wild, ticket: Wild) -> bool:
        """Whether the ticket is as this change left it; else a newer one is not listed yet (quirk GO-12)."""
        status, _ = status_of(ticket, self._now())
        return _LEADS_TO.get(change["type"].text(), status) is status

    def _by_hand(self, number: int | None) -> HelpdeskAgent | None:
        if number is None or number == self._people.us:
            return None
        user = self._people.user(number)
        return to_agent(user) if user is not None and is_staff(user) else None

    def _answered(self, ticket: Wild, fresh: Sequence[Wild], authors: dict[int, Wild]) -> HelpdeskAgent | None:
        """The agent of a fresh answer: closing comes with one (Send & Close), taking a ticket too."""
        customer = int_at(ticket, "customer", "id")
        for message in reversed(fresh):
            author = author_of(message, self._people.us, authors.get(_sender(message)), customer)
            near = _updated_at(ticket, self._now()) - sent_at(message) <= _SAME_STEP
            if near and author is CommentAuthor.AGENT:
                return to_agent(message["sender"])
        return None

    def _wait_for_event(self, ticket: Wild, seen: Seen) -> None:
        """Whether a person opened the ticket again decides what follows, and events come late (quirk GO-12)."""
        reopened = seen.done and status_of(ticket, self._now())[0] is TicketStatus.OPEN
        age = self._now() - _updated_at(ticket, self._now())
        if reopened and age < timedelta(seconds=self._settings.reopened_by_wait_s):
            raise RateLimited("Gorgias does not tell yet who reopened this ticket.", _WAIT_S, "ticket")


def _sender(message: Wild) -> int:
    return int_at(message, "sender", "id") or 0


def _explains(message: Wild) -> bool:
    """Whether a ticket opens again by this message: it is of the customer, be it written by us."""
    from_agent = message.get("from_agent")
    return from_agent is not None and from_agent.raw() is False


def _updated_at(ticket: Wild, now: datetime) -> datetime:
    return time_at(ticket, "updated_datetime") or time_at(ticket, "last_message_datetime") or now


def _untouched(ticket: Wild) -> bool:
    """As we opened it: open, held by nobody."""
    held = ticket.get("assignee_user") is not None or ticket.get("snooze_datetime") is not None
    return text_at(ticket, "status") == "open" and not held and not removed(ticket)


def _state(ticket: Wild) -> str:
    """Changes with everything of which a person may be the cause."""
    values = [
        text_at(ticket, "status"), text_at(ticket, "snooze_datetime"), removed(ticket),
        int_at(ticket, "assignee_user", "id"), int_at(ticket, "assignee_team", "id"), sorted(tags_of(ticket)),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
