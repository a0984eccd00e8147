"""Reading a ticket: what it is now, what was said since the last reading, and who made the newest change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from handoff_connectors.zendesk.api import ZendeskApi
from handoff_connectors.zendesk.mapping import (
    STATUS,
    Standpoint,
    author_by_hand,
    is_staff,
    merged_into,
    needs_audit,
    newest_change,
    status_of,
    tags_of,
    to_agent,
    to_comment,
)
from handoff_connectors.zendesk.people import People, Remembered
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_sync.contract.connector import HelpdeskAgent, TicketSnapshot
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import TicketGone, UnrecognisedPayload

OVERLAP: Final = timedelta(seconds=120)
"""Comments may be listed later than younger ones: this far back they are told apart by id instead of time."""

_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the last reading saw. `said` are the ids of comments within OVERLAP of `newest`."""

    newest: datetime = _LONG_AGO
    said: frozenset[int] = frozenset()
    audit: int = 0
    state: str = ""

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
            audit=stored["audit"].integer(),
            state=stored["state"].text(),
        )

    def dump(self) -> str:
        stored = {
            "newest": self.newest.isoformat(), "said": sorted(self.said), "audit": self.audit, "state": self.state,
        }  # fmt: skip
        return json.dumps(stored, separators=(",", ":"))

    def is_new(self, comment: Wild) -> bool:
        return comment["created_at"].time() >= self.newest - OVERLAP and comment["id"].integer() not in self.said

    def then(self, comments: Sequence[Wild], audits: Sequence[Wild], state: str) -> Seen:
        """After a reading that saw these comments (old and new) and audits."""
        newest = max((c["created_at"].time() for c in comments), default=self.newest)
        newest = max(newest, self.newest)
        said = {c["id"].integer() for c in comments if c["created_at"].time() >= newest - OVERLAP}
        return Seen(
            newest=newest,
            said=frozenset(said),
            audit=max((a["id"].integer() for a in audits), default=self.audit),
            state=state,
        )


class Reader:
    """Two calls for a ticket on which nothing happened, three or four otherwise."""

    def __init__(
        self, api: ZendeskApi, people: People, settings: ZendeskSettings, now: Callable[[], datetime] | None = None
    ) -> None:
        self._api = api
        self._people = people
        self._settings = settings
        self._now = now or (lambda: datetime.now(UTC))
        self._categories: Remembered[str, Mapping[int, str]] = Remembered()

    def read(self, number: str, cursor: str | None) -> TicketSnapshot:
        seen = Seen.load(cursor)
        try:
            ticket = self._api.ticket(number)
        except TicketGone:
            return self._deleted(number, cursor)
        if ticket["status"].text() == "deleted":
            return self._deleted(number, cursor)
        self._people.learn_requester(number, ticket["requester_id"].integer())
        comments = self._comments(number, seen)
        fresh = [comment for comment in comments if seen.is_new(comment)]
        audits = self._audits(number, seen, fresh, changed=_state(ticket) != seen.state)
        return self._snapshot(ticket, comments, fresh, audits, seen)

    def _snapshot(
        self, ticket: Wild, comments: Sequence[Wild], fresh: Sequence[Wild], audits: Sequence[Wild], seen: Seen
    ) -> TicketSnapshot:
        number = ticket["id"].identifier()
        view = self._standpoint(ticket, fresh, audits)
        return TicketSnapshot(
            id=number,
            status=self._status(ticket),
            raw_status=ticket["status"].text(),
            updated_at=ticket["updated_at"].time(),
            cursor=seen.then(comments, audits, _state(ticket)).dump(),
            assignee=self._assignee(ticket, view.us),
            tags=tags_of(ticket),
            comments=tuple(to_comment(comment, view) for comment in reversed(fresh)),
            changed_by=self._changed_by([a for a in audits if a["id"].integer() > seen.audit], view),
            merged_into=merged_into(ticket, comments),
            url=self._settings.ticket_url(number),
        )

    def _deleted(self, number: str, cursor: str | None) -> TicketSnapshot:
        return TicketSnapshot(
            id=number,
            status=TicketStatus.CLOSED,
            raw_status="deleted",
            updated_at=self._now(),
            cursor=cursor or "",
            deleted=True,
            url=self._settings.ticket_url(number),
        )

    def _comments(self, number: str, seen: Seen) -> list[Wild]:
        """Newest first, at least back to where the last reading ended."""
        read: list[Wild] = []
        for page in self._api.comments(number):
            read += page["comments"].items()
            users = page.get("users")
            self._people.learn(users.items() if users is not None else ())
            if read and read[-1]["created_at"].time() < seen.newest - OVERLAP:
                break
        read.sort(key=lambda comment: (comment["created_at"].time(), comment["id"].integer()), reverse=True)
        return read

    def _audits(self, number: str, seen: Seen, fresh: Sequence[Wild], *, changed: bool) -> list[Wild]:
        """Newest first: all since the last reading, and further back those of doubtful comments."""
        doubtful = {c["audit_id"].integer() for c in fresh if needs_audit(c, self._people.us) and "audit_id" in c}
        if not changed and not fresh:
            return []
        read: list[Wild] = []
        for audit in self._api.audits(number):
            read.append(audit)
            doubtful.discard(audit["id"].integer())
            if not doubtful and audit["id"].integer() <= seen.audit:
                break
        return read

    def _standpoint(self, ticket: Wild, fresh: Sequence[Wild], audits: Sequence[Wild]) -> Standpoint:
        authors = {author.integer() for c in fresh if (author := c.get("author_id")) is not None}
        found = {user: self._people.user(user) for user in authors if user > 0}
        return Standpoint(
            requester_id=ticket["requester_id"].integer(),
            us=self._people.us,
            users={user: known for user, known in found.items() if known is not None},
            audits={audit["id"].integer(): audit for audit in audits},
        )

    def _changed_by(self, since: Sequence[Wild], view: Standpoint) -> HelpdeskAgent | None:
        """The agent who made the deciding change since the last reading; nobody when a rule or we did."""
        change = newest_change(since)
        author = author_by_hand(change, view.us) if change is not None else None
        if author is None or author == view.requester_id:
            return None
        user = self._people.user(author)
        return to_agent(user) if user is not None and is_staff(user) else None

    def _assignee(self, ticket: Wild, us: int) -> HelpdeskAgent | None:
        """We hold a ticket only to solve it (quirk ZD-19): that a person took it must not be concluded."""
        assignee = ticket.get("assignee_id")
        if assignee is None or assignee.integer() == us:
            return None
        user = self._people.user(assignee.integer())
        return to_agent(user) if user is not None else HelpdeskAgent(id=assignee.identifier(), name="")

    def _status(self, ticket: Wild) -> TicketStatus:
        try:
            return status_of(ticket)
        except UnrecognisedPayload:
            return status_of(ticket, self._custom_categories())

    def _custom_categories(self) -> Mapping[int, str]:
        known = self._categories.get("all")
        if known is None:
            statuses = self._api.custom_statuses()
            known = {status["id"].integer(): status["status_category"].one_of(_CATEGORIES) for status in statuses}
            self._categories.put("all", known)
        return known


_CATEGORIES: Final = {name: name for name in STATUS}


def _state(ticket: Wild) -> str:
    """Changes whenever something happened that an audit tells of. The time alone is too coarse (quirk ZD-15)."""
    names = ("updated_at", "status", "custom_status_id", "assignee_id", "group_id", "tags")
    values = [part.raw() if (part := ticket.get(name)) is not None else None for name in names]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
