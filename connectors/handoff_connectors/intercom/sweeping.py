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
from handoff_sync.contract.connector import ChangedTickets
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.errors import HandoffError, RateLimited, VendorAuthError, VendorRejected

OVERLAP_S: Final = 900
"""The index lags; each sweep looks this far behind the last one."""

ORPHAN_S: Final = 900
"""A conversation of ours that is not furnished after this long is one too many, or nobody's yet."""

MOST_DELETED_PAGES: Final = 3
_MOST_SEEN: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The cursor. `since` and `now` (Unix seconds) are when the last whole sweep and this one began.

    `after` is Intercom's cursor within this sweep, `restarted` whether it was lost once. `seen` are conversations of
    ours with their times, as reported by the last sweep (`before`) and by this one, so that the overlap is read once.
    """

    since: int
    now: int
    deleted: int
    after: str | None = None
    restarted: bool = False
    before: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    @classmethod
    def load(cls, cursor: str | None, now: int) -> Place:
        if not cursor:
            return cls(since=now, now=now, deleted=now)
        stored = read_json(cursor, "cursor")
        after = stored.get("after")
        place = cls(
            since=stored["since"].integer(),
            now=stored["now"].integer(),
            deleted=stored["deleted"].integer(),
            after=after.text() if after is not None else None,
            restarted=stored["restarted"].boolean(),
            before=tuple(item.text() for item in stored["before"]),
            seen=tuple(item.text() for item in stored["seen"]),
        )
        return place if place.after is not None or place.restarted else replace(place, now=now)

    def dump(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


class Sweeper:
    """The watermark moves only after a whole sweep: changes move between pages while these are read."""

    def __init__(self, api: IntercomApi, duplicates: Duplicates) -> None:
        self._api = api
        self._duplicates = duplicates

    def changed(self, cursor: str | None, now: datetime) -> ChangedTickets:
        place = Place.load(cursor, int(now.timestamp()))
        query = {"field": "updated_at", "operator": ">", "value": place.since - OVERLAP_S}
        try:
            page = self._api.search(query, place.after, SWEEP)
        except VendorRejected:
            if place.after is None:
                raise
            return self._restarted(place)
        found = [c for c in page["conversations"] if _updated(c) >= place.since - OVERLAP_S]
        self._heal(found, place.now)
        return self._reported(place, page, found)

    def _restarted(self, place: Place) -> ChangedTickets:
        """Intercom's cursors go stale: once it is begun anew at once, then with the next sweep."""
        again = replace(place, after=None, restarted=not place.restarted, seen=())
        return ChangedTickets(ids=(), cursor=again.dump(), more=again.restarted)

    def _reported(self, place: Place, page: Wild, found: list[Wild]) -> ChangedTickets:
        ids = [c["id"].identifier() for c in found if _print(c) not in (*place.before, *place.seen)]
        ours = (_print(c) for c in found if reference_in(source_body(c)) is not None)
        seen = tuple(dict.fromkeys((*place.seen, *ours)))[-_MOST_SEEN:]
        following = at(page, "pages", "next", "starting_after")
        if following is not None:
            onward = replace(place, after=following.text(), seen=seen)
            return ChangedTickets(ids=tuple(dict.fromkeys(ids)), cursor=onward.dump(), more=True)
        gone, newest = self._deleted_since(place)
        whole = Place(since=place.now, now=place.now, deleted=newest, before=seen)
        return ChangedTickets(ids=tuple(dict.fromkeys((*ids, *gone))), cursor=whole.dump(), more=False)

    def _deleted_since(self, place: Place) -> tuple[list[str], int]:
        """A deleted conversation is in no search (quirk IC-15)."""
        gone: list[str] = []
        newest = place.deleted
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
                if kept is not None:
                    self._duplicates.put_aside(orphan, kept)
        except (RateLimited, VendorAuthError):
            raise
        except HandoffError:
            return  # the next sweep tries again


def _updated(conversation: Wild) -> int:
    return int(conversation["updated_at"].time().timestamp())


def _made(conversation: Wild) -> int:
    return int(conversation["created_at"].time().timestamp())


def _print(conversation: Wild) -> str:
    """Tells a conversation at one moment; seconds are coarse, so the number of its parts counts too."""
    count = at(conversation, "statistics", "count_conversation_parts")
    raw = f"{conversation['id'].identifier()} {_updated(conversation)} {count.raw() if count is not None else ''}"
    return hashlib.sha256(raw.encode()).hexdigest()[:12]
