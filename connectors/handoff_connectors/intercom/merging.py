"""Where a conversation went that was merged away: no field tells (quirk IC-13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.mapping import MERGE_TARGET, contacts_of, linked_things, parts_of, text_at
from handoff_connectors.intercom.tickets import is_ticket
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import TicketGone

NEAR: Final = timedelta(seconds=5)
MOST_CANDIDATES: Final = 10
_DAY_S: Final = 86_400


class Merges:
    """Looks at linked conversations first, then at what else moved of the same contacts."""

    def __init__(self, api: IntercomApi) -> None:
        self._api = api

    def primary_of(self, secondary: Wild, marker: Wild) -> str | None:
        """The one conversation that took another in at the same moment; None when none or several did."""
        number = secondary["id"].identifier()
        linked = self._matching(number, linked_things(secondary), marker)
        if len(linked) == 1:
            return linked[0]
        found = self._matching(number, list(self._moved(secondary, marker)), marker)
        return found[0] if len(found) == 1 else None

    def _matching(self, number: str, candidates: list[str], marker: Wild) -> list[str]:
        others = [candidate for candidate in dict.fromkeys(candidates) if candidate != number]
        return [candidate for candidate in others[:MOST_CANDIDATES] if self._took_in(candidate, marker)]

    def _took_in(self, candidate: str, marker: Wild) -> bool:
        try:
            conversation = self._api.conversation(candidate)
        except TicketGone:
            return False
        merged_at = marker["created_at"].time()
        targets = (part for part in parts_of(conversation) if text_at(part, "part_type") == MERGE_TARGET)
        return any(abs(part["created_at"].time() - merged_at) <= NEAR for part in targets)

    def _moved(self, secondary: Wild, marker: Wild) -> Iterator[str]:
        since = int(marker["created_at"].time().timestamp()) - _DAY_S
        for contact in contacts_of(secondary):
            whose = {"field": "contact_ids", "operator": "=", "value": contact["id"].identifier()}
            moved = {"field": "updated_at", "operator": ">", "value": since}
            query = {"operator": "AND", "value": [whose, moved]}
            yield from (found["id"].identifier() for found in self._api.search(query)["conversations"])
            if is_ticket(secondary):
                yield from (found["id"].identifier() for found in self._api.search_tickets(query)["tickets"])
