"""Reading a conversation: what it is now, what was said since the last reading, and who made the newest change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.mapping import (
    agent_in,
    author_of,
    changed_by_hand,
    id_at,
    merge_marker,
    part_number,
    parts_of,
    person_of,
    reference_in,
    says_something,
    tags_of,
    text_at,
    to_comment,
)
from handoff_connectors.intercom.merging import Merges
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.text import digest
from handoff_connectors.intercom.threads import Threads
from handoff_connectors.intercom.tickets import is_ticket, status_of
from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, TicketComment, TicketSnapshot
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import TicketGone, UnrecognisedPayload, VendorDown, VendorRejected

OVERLAP: Final = timedelta(seconds=120)
"""Parts may be listed later than younger ones: this far back they are told apart by id instead of time."""

SECOND_LOOK_S: Final = 30.0
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the last reading saw. `said` are the numbers of parts within OVERLAP of `newest`; `prints` tell the same
    parts by their words, for a conversation (`kind`) that becomes a ticket may number them anew (quirk IC-23). `tags`
    are the last that could be seen.
    """

    newest: datetime = _LONG_AGO
    said: frozenset[int] = frozenset()
    prints: frozenset[str] = frozenset()
    kind: str = ""
    tags: tuple[str, ...] = ()

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
            newest=stored["newest"].time(),
            said=frozenset(item.integer() for item in stored["said"]),
            prints=frozenset(item.text() for item in stored.get("prints") or ()),
            kind=text_at(stored, "kind"),
            tags=tuple(item.text() for item in stored.get("tags") or ()),
        )

    def dump(self) -> str:
        stored = {"newest": self.newest.isoformat(), "said": sorted(self.said), "prints": sorted(self.prints),
                  "kind": self.kind, "tags": self.tags}  # fmt: skip
        return json.dumps(stored, separators=(",", ":"))

    def is_new(self, part: Wild, kind: str) -> bool:
        if part["created_at"].time() < self.newest - OVERLAP or part_number(part) in self.said:
            return False
        return kind == self.kind or _print(part) not in self.prints

    def then(self, parts: Sequence[Wild], kind: str, tags: tuple[str, ...]) -> Seen:
        newest = max((part["created_at"].time() for part in parts), default=self.newest)
        newest = max(newest, self.newest)
        late = [part for part in parts if part["created_at"].time() >= newest - OVERLAP]
        prints = (_print(part) for part in late)
        return Seen(newest=newest, said=frozenset(map(part_number, late)), prints=frozenset(filter(None, prints)),
                    kind=kind, tags=tags)  # fmt: skip


def _print(part: Wild) -> str | None:
    """Tells words of somebody at one second; None where nothing is said."""
    if not says_something(part):
        return None
    raw = f"{part['created_at'].time().isoformat()} {id_at(part, 'author', 'id')} {digest(text_at(part, 'body'))}"
    return hashlib.sha256(raw.encode()).hexdigest()[:8]


class Reader:
    """One call for a conversation; teammates are looked up once."""

    def __init__(
        self,
        api: IntercomApi,
        people: People,
        threads: Threads,
        settings: IntercomSettings,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._api = api
        self._people = people
        self._threads = threads
        self._settings = settings
        self._merges = Merges(api)
        self._missed: Remembered[str, bool] = Remembered()
        self._now = now or (lambda: datetime.now(UTC))

    def read(self, number: str, cursor: str | None) -> TicketSnapshot:
        try:
            conversation = self._api.conversation(number)
        except TicketGone:
            return self._missing(number, cursor)
        self._missed.forget(number)
        self._threads.learn(number, conversation)
        return self._snapshot(number, conversation, Seen.load(cursor))

    def _snapshot(self, number: str, conversation: Wild, seen: Seen) -> TicketSnapshot:
        parts, kind = parts_of(conversation), text_at(conversation, "type")
        fresh = [part for part in _without_first_words(conversation, parts, self._people.us) if seen.is_new(part, kind)]
        marker = merge_marker(conversation, self._people.us)
        status, raw = status_of(conversation)
        shown = self._api.kinds.tags(number, conversation)
        tags = tuple(tags_of(shown)) if shown is not None else seen.tags
        return TicketSnapshot(
            id=number,
            # A conversation that was merged away is closed by that, not solved by anybody (quirk IC-13).
            status=TicketStatus.OPEN if marker is not None else status,
            raw_status="merged" if marker is not None else raw,
            updated_at=conversation["updated_at"].time(),
            cursor=seen.then(parts, kind, tags).dump(),
            assignee=self._assignee(conversation),
            tags=tags,
            comments=tuple(self._comments(fresh)),
            changed_by=self._changed_by(fresh),
            merged_into=self._merges.primary_of(conversation, marker) if marker is not None else None,
            url=self._settings.ticket_url(number, self._people.workspace),
        )

    def _comments(self, fresh: Sequence[Wild]) -> list[TicketComment]:
        comments = []
        for part in (p for p in fresh if says_something(p)):
            author = author_of(part, self._people.us)
            agent = self._author(part) if author is CommentAuthor.AGENT else None
            comments.append(to_comment(part, author, agent))
        return comments

    def _changed_by(self, fresh: Sequence[Wild]) -> HelpdeskAgent | None:
        change = changed_by_hand(fresh, self._people.us)
        return self._author(change) if change is not None else None

    def _author(self, part: Wild) -> HelpdeskAgent:
        known = self._people.agent(agent_in(part).id)
        return known if known.name else agent_in(part)

    def _assignee(self, conversation: Wild) -> HelpdeskAgent | None:
        """A team, or we, are nobody who holds it: that a person took it must not be concluded."""
        admin = id_at(conversation, "admin_assignee_id")
        return self._people.agent(admin) if admin is not None and admin != self._people.us else None

    def _missing(self, number: str, cursor: str | None) -> TicketSnapshot:
        """A 404 alone is no proof: the list of deleted ones is, or a second look later (quirk IC-15)."""
        if not self._is_deleted(number) and self._missed.get(number) is None:
            self._missed.put(number, True)
            raise VendorDown("Intercom does not show the conversation for the moment (404).", SECOND_LOOK_S)
        return TicketSnapshot(
            id=number,
            status=TicketStatus.CLOSED,
            raw_status="deleted",
            updated_at=self._now(),
            cursor=cursor or "",
            deleted=True,
            url=self._settings.ticket_url(number, self._people.workspace),
        )

    def _is_deleted(self, number: str) -> bool:
        with suppress(VendorRejected):
            return any(text_at(gone, "id") == number for gone in self._api.deleted(1)["conversations"])
        return False


def _without_first_words(thing: Wild, parts: Sequence[Wild], us: str) -> Sequence[Wild]:
    """Without the words that we began with for the customer: they are among the parts of a ticket (quirk IC-23)."""
    own = [part for part in parts if person_of(part, us) is CommentAuthor.CUSTOMER] if is_ticket(thing) else []
    if not own or reference_in(text_at(own[0], "body")) is None:
        return parts
    return [part for part in parts if part is not own[0]]
