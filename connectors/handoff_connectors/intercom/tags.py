"""Tags of a conversation: Intercom wants their ids, we know names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.mapping import to_tag
from handoff_connectors.intercom.people import People
from handoff_sync.contract.memory import Remembered
from handoff_sync.errors import TicketGone, VendorRejected


class Tags:
    """Adds and removes one by one, so tags of agents stay."""

    def __init__(self, api: IntercomApi, people: People) -> None:
        self._api = api
        self._people = people
        self._ids: Remembered[str, str] = Remembered()

    def add(self, conversation: str, names: Iterable[str], has: Mapping[str, str]) -> None:
        """`has`: those the conversation has already, as far as that is known."""
        there = {name.lower() for name in has}  # names differ by more than their case (quirk IC-20)
        for name in dict.fromkeys(map(to_tag, names)):
            if name and name.lower() not in there:
                self._add(conversation, name)

    def remove(self, conversation: str, names: Iterable[str], has: Mapping[str, str] | None) -> None:
        """`has`: ids by name of all tags of the conversation; None where that is not known."""
        names = list(names)
        if has is None:
            has = {name: self._api.tag(name)["id"].identifier() for name in map(to_tag, names) if name}
        there = {name.lower(): tag for name, tag in has.items()}
        for name in dict.fromkeys(to_tag(name).lower() for name in names):
            if name in there:
                try:
                    self._api.remove_tag(conversation, there[name], self._people.us)
                except TicketGone:
                    raise
                except VendorRejected:
                    continue  # it was taken off meanwhile

    def _add(self, conversation: str, name: str) -> None:
        """An id may be of a tag that was deleted since: then the name is made into a tag again."""
        known = self._ids.get(name)
        if known is not None:
            try:
                return self._api.add_tag(conversation, known, self._people.us)
            except TicketGone:
                self._ids.forget(name)  # one 404 for conversation and tag
            except VendorRejected:
                self._ids.forget(name)
        made = self._api.tag(name)["id"].identifier()
        self._ids.put(name, made)
        self._api.add_tag(conversation, made, self._people.us)
