"""The feed of what changed, for webhooks that never came: the account's events, read from where we ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from handoff_connectors.gorgias.api import GorgiasApi
from handoff_connectors.gorgias.faults import FieldsRefused
from handoff_connectors.gorgias.mapping import read_time, sent_at, time_at
from handoff_sync.contract.connector import ChangedTickets
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.errors import UnrecognisedPayload

OVERLAP: Final = timedelta(minutes=5)
"""How late an event may be listed. What is read twice changes nothing (quirk GO-12)."""

RESTART: Final = timedelta(days=1)
"""How far back to begin again when Gorgias no longer takes a cursor."""

_MOST_MESSAGES: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the next reading goes on. `began` and `page` belong to a round of pages that is not read to its end."""

    since: datetime
    began: datetime
    page: str | None = None

    @classmethod
    def load(cls, cursor: str | None, now: datetime) -> Place:
        """A cursor that is none of ours begins anew, a while back."""
        if not cursor:
            return cls(since=now - OVERLAP, began=now)
        try:
            stored = read_json(cursor, "cursor")
            page = stored.get("page")
            since = read_time(stored["since"])
            began = read_time(stored["began"]) if page is not None else now
            return cls(since=since, began=began, page=page.text() if page is not None else None)
        except UnrecognisedPayload:
            return cls(since=now - RESTART, began=now)

    def dump(self) -> str:
        stored = {"since": self.since.isoformat(), "began": self.began.isoformat(), "page": self.page}
        return json.dumps(stored, separators=(",", ":"))


class Feed:
    """Some events name a message and not its ticket; then the newest messages are looked at as well."""

    def __init__(self, api: GorgiasApi) -> None:
        self._api = api

    def changed(self, cursor: str | None, now: datetime) -> ChangedTickets:
        place = Place.load(cursor, now)
        try:
            page = self._api.events(place.since, place.page)
        except FieldsRefused:
            if place.page is None:
                raise
            place = Place(since=now - RESTART, began=now)  # the cursor is not taken any more
            page = self._api.events(place.since, None)
        events = page["data"].items()
        ids = [ticket for event in events if (ticket := _ticket_of(event)) is not None]
        ids += self._of_messages([event for event in events if _is_blind(event)])
        meta = page.get("meta")
        following = meta.get("next_cursor") if meta is not None else None
        more = following is not None and following.text() not in ("", place.page)
        if following is not None and more:
            place = Place(since=place.since, began=place.began, page=following.text())
        else:
            place = Place(since=max(place.since, place.began - OVERLAP), began=place.began)
        return ChangedTickets(ids=tuple(dict.fromkeys(ids)), cursor=place.dump(), more=more)

    def _of_messages(self, blind: list[Wild]) -> list[str]:
        """Tickets of the messages that these events may mean."""
        times = [at for event in blind if (at := time_at(event, "created_datetime")) is not None]
        if not times:
            return []
        found: list[str] = []
        for count, message in enumerate(self._api.messages()):
            if count >= _MOST_MESSAGES or sent_at(message) < min(times) - OVERLAP:
                break
            found.append(message["ticket_id"].identifier())
        return found


def _ticket_of(event: Wild) -> str | None:
    match event["object_type"].text():
        case "Ticket":
            return event["object_id"].identifier()
        case "TicketMessage":
            return _told(event)
        case _:
            return None


def _is_blind(event: Wild) -> bool:
    return event["object_type"].text() == "TicketMessage" and _told(event) is None


def _told(event: Wild) -> str | None:
    """The ticket that `data` names, which may hold anything."""
    data = event.get("data")
    number = data.raw().get("ticket_id") if data is not None and isinstance(data.raw(), dict) else None
    return str(number) if isinstance(number, int) and not isinstance(number, bool) else None
