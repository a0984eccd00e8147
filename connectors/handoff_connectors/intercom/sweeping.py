"""Which conversations changed, for the webhooks that never came (quirk IC-17)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from handoff_connectors.intercom.api import SWEEP, IntercomApi
from handoff_connectors.intercom.duplicates import Duplicates
from handoff_connectors.intercom.mapping import at, contacts_of, is_furnished, reference_in, source_body, state_of
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.tickets import is_ticket, status_of, ticket_reference
from handoff_sync.contract.connector import ChangedTickets
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.errors import HandoffError, RateLimited, UnrecognisedPayload, VendorAuthError, VendorRejected

OVERLAP_S: Final = 900
"""The index lags; each sweep looks this far behind the last one."""

RESTART_S: Final = 86_400
"""How far back to begin again with a cursor that cannot be read."""

ORPHAN_S: Final = 900
"""A conversation of ours that is not furnished after this long is one too many, or nobody's yet."""

MOST_DELETED_PAGES: Final = 3
_MOST_SEEN: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The cursor. `since` and `now` (Unix seconds) are when the last whole sweep and this one began.

    `after` is Intercom's cursor within this sweep, `restarted` whether it was lost once; `tickets` says that the
    conversations are through and tickets follow. `seen` are conversations of ours with their times, as reported by the
    last sweep (`before`) and by this one, so that the overlap is read once.
    """

    since: int
    now: int
    deleted: int
    after: str | None = None
    restarted: bool = False
    tickets: bool = False
    before: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    @classmethod
    def load(cls, cursor: str | None, now: int) -> Place:
        """A cursor that is none of ours begins anew, a while back: what is told twice changes nothing."""
        if not cursor:
            return cls(since=now, now=now, deleted=now)
        try:
            return cls._loaded(cursor, now)
        except UnrecognisedPayload:
            return cls(since=now - RESTART_S, now=now, deleted=now - RESTART_S)

    @classmethod
    def _loaded(cls, cursor: str, now: int) -> Place:
        stored = read_json(cursor, "cursor")
        after, tickets = stored.get("after"), stored.get("tickets")
        place = cls(
            since=stored["since"].integer(),
            now=stored["now"].integer(),
            deleted=stored["deleted"].integer(),
            after=after.text() if after is not None else None,
            restarted=stored["restarted"].boolean(),
            tickets=tickets is not None and tickets.boolean(),
            before=tuple(item.text() for item in stored["before"]),
            seen=tuple(item.text() for item in stored["seen"]),
        )
        return place if place.after is not None or place.restarted or place.tickets else replace(place, now=now)

    def dump(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


class Sweeper:
    """The watermark moves only after a whole sweep: changes move between pages while these are read."""

    def __init__(self, api: IntercomApi, duplicates: Duplicates, settings: IntercomSettings) -> None:
        self._api = api
        self._duplicates = duplicates
        self._wants_tickets = settings.ticket_type_id is not None
        self._no_tickets: Remembered[bool, bool] = Remembered()

    def changed(self, cursor: str | None, now: datetime) -> ChangedTickets:
        place = Place.load(cursor, int(now.timestamp()))
        query = {"field": "updated_at", "operator": ">", "value": place.since - OVERLAP_S}
        try:
            if place.tickets:
                return self._tickets(place, query, [])
            page = self._api.search(query, place.after, SWEEP)
        except VendorRejected:
            if place.after is None:
                raise
            return self._restarted(place)
        found = [c for c in page["conversations"] if _updated(c) >= place.since - OVERLAP_S]
        self._heal(found, place.now)
        place, ids = _seen(place, found)
        following = _following(page)
        if following is not None:
            return _onward(replace(place, after=following), ids)
        return self._tickets(replace(place, after=None, restarted=False, tickets=True), query, ids)

    def _tickets(self, place: Place, query: dict[str, object], ids: list[str]) -> ChangedTickets:
        """Of hand-made tickets nobody says whether the search for conversations finds them (quirk IC-23)."""
        page = self._ticket_page(place, query)
        if page is not None:
            found = [ticket for ticket in page["tickets"] if _updated(ticket) >= place.since - OVERLAP_S]
            place, more = _seen(place, found)
            ids = [*ids, *more]
            following = _following(page)
            if following is not None:
                return _onward(replace(place, after=following), ids)
        gone, newest = self._deleted_since(place)
        whole = Place(since=place.now, now=place.now, deleted=newest, before=place.seen)
        return ChangedTickets(ids=tuple(dict.fromkeys((*ids, *gone))), cursor=whole.dump(), more=False)

    def _ticket_page(self, place: Place, query: dict[str, object]) -> Wild | None:
        """None for an app that may not read tickets, which a connection of conversations does not need."""
        if self._no_tickets.get(True):
            return None
        try:
            return self._api.search_tickets(query, place.after, SWEEP)
        except (VendorAuthError, VendorRejected):
            if self._wants_tickets or place.after is not None:
                raise
            self._no_tickets.put(True, True)
            return None

    def _restarted(self, place: Place) -> ChangedTickets:
        """Intercom's cursors go stale: once it is begun anew at once, then with the next sweep."""
        again = replace(place, after=None, restarted=not place.restarted, seen=())
        return ChangedTickets(ids=(), cursor=again.dump(), more=again.restarted)

    def _deleted_since(self, place: Place) -> tuple[list[str], int]:
        """A deleted conversation is in no search (quirk IC-15)."""
        gone: list[str] = []
        newest = max(place.deleted, place.since)  # else the last one would be told for ever
        with suppress(VendorRejected):
            for conversation, at_ in self._deleted():
                if at_ < place.deleted - OVERLAP_S:
                    break
                newest = max(newest, at_)
                gone.append(conversation)
        return gone, newest

    def _deleted(self) -> Iterator[tuple[str, int]]:
        for number in range(1, MOST_DELETED_PAGES + 1):
            page = self._api.deleted(number, SWEEP)
            for conversation in page["conversations"]:
                yield conversation["id"].identifier(), int(conversation["deleted_at"].time().timestamp())
            if at(page, "pages", "next") is None:
                return

    def _heal(self, found: list[Wild], now: int) -> None:
        """A creation that was taken for lost may surface later: it is merged into the one in use (quirk IC-5)."""
        for orphan in found:
            word = reference_in(source_body(orphan))
            if word is None or is_furnished(orphan) or state_of(orphan) == "closed":
                continue
            if _made(orphan) <= now - ORPHAN_S:
                self._merge(orphan, word)

    def _merge(self, orphan: Wild, word: str) -> None:
        try:
            for contact in contacts_of(orphan)[:1]:
                twins = self._duplicates.of_contact(contact["id"].identifier(), _made(orphan), word)
                kept = next((twin for twin in twins if is_furnished(twin)), None)
                if kept is None and self._wants_tickets:
                    kept = next(iter(self._duplicates.tickets_with(word)), None)
                if kept is not None:
                    self._duplicates.put_aside(orphan, kept)
        except (RateLimited, VendorAuthError):
            raise
        except HandoffError:
            return  # the next sweep tries again


def _seen(place: Place, found: list[Wild]) -> tuple[Place, list[str]]:
    """Ids of what was not told before, and the place that remembers what is ours of it."""
    ids = [thing["id"].identifier() for thing in found if _print(thing) not in (*place.before, *place.seen)]
    ours = (_print(thing) for thing in found if _reference(thing) is not None)
    return replace(place, seen=tuple(dict.fromkeys((*place.seen, *ours)))[-_MOST_SEEN:]), ids


def _following(page: Wild) -> str | None:
    following = at(page, "pages", "next", "starting_after")
    return following.text() if following is not None else None


def _onward(place: Place, ids: list[str]) -> ChangedTickets:
    return ChangedTickets(ids=tuple(dict.fromkeys(ids)), cursor=place.dump(), more=True)


def _updated(conversation: Wild) -> int:
    return int(conversation["updated_at"].time().timestamp())


def _made(conversation: Wild) -> int:
    return int(conversation["created_at"].time().timestamp())


def _reference(thing: Wild) -> str | None:
    return ticket_reference(thing) if is_ticket(thing) else reference_in(source_body(thing))


def _print(thing: Wild) -> str:
    """Tells a thing at one moment; seconds are coarse, so the number of its parts, and a ticket's state, count too."""
    where = ("ticket_parts", "total_count") if is_ticket(thing) else ("statistics", "count_conversation_parts")
    count = at(thing, *where)
    what = f"{count.raw() if count is not None else ''} {status_of(thing)[1] if is_ticket(thing) else ''}"
    raw = f"{thing['id'].identifier()} {_updated(thing)} {what}"
    return hashlib.sha256(raw.encode()).hexdigest()[:12]
