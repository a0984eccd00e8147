"""What this process knows of conversations from answers it got, and how a reply of ours is told among their parts."""

from __future__ import annotations

from dataclasses import dataclass

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.mapping import contacts_of, id_at, part_number, parts_of, text_at
from handoff_connectors.intercom.text import digest
from handoff_sync.contract.connector import Requester
from handoff_sync.contract.memory import Remembered
from handoff_sync.contract.payload import Wild


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A reply or note that was, or is about to be, sent (quirk IC-11).

    `after` is the newest part from before, `by` the author's id, `words` a digest of the text.
    """

    after: int
    by: str
    words: str

    def dump(self) -> str:
        return f"{self.after} {self.by} {self.words}"

    @classmethod
    def load(cls, stored: str) -> Sent:
        after, by, words = stored.split(" ")
        return cls(after=int(after), by=by, words=words)

    def among(self, conversation: Wild) -> str | None:
        """The id of the part that it made; another may have landed beside it, so its place alone tells nothing."""
        for part in self._by_author(conversation):
            if digest(text_at(part, "body")) == self.words:
                return part["id"].identifier()
        return None

    def answered(self, conversation: Wild) -> str | None:
        """As `among`, in the answer to the very call: then the author's newest part is ours even if it was reworded."""
        newest = [part["id"].identifier() for part in self._by_author(conversation)][-1:]
        return self.among(conversation) or (newest[0] if newest else None)

    def _by_author(self, conversation: Wild) -> list[Wild]:
        fresh = (part for part in parts_of(conversation) if part_number(part) > self.after)
        return [part for part in fresh if id_at(part, "author", "id") == self.by]


@dataclass(frozen=True, slots=True)
class Thread:
    """`newest` is the number of the newest part seen; `contacts` are ids with the external id of each."""

    newest: int
    contacts: tuple[tuple[str, str | None], ...]

    def contact(self, requester: Requester) -> str | None:
        """The customer: by our external id, else the conversation's first contact (agents may have merged them)."""
        ours = [contact for contact, known_as in self.contacts if known_as == requester.external_id]
        return next(iter((*ours, *(contact for contact, _ in self.contacts))), None)


class Threads:
    """One call the first time, none as long as answers keep coming in."""

    def __init__(self, api: IntercomApi) -> None:
        self._api = api
        self._known: Remembered[str, Thread] = Remembered()

    def of(self, number: str) -> Thread:
        return self._known.get(number) or self.learn(number, self._api.conversation(number))

    def learn(self, number: str, conversation: Wild) -> Thread:
        before = self._known.get(number)
        newest = max(map(part_number, parts_of(conversation)), default=0)
        contacts = tuple((c["id"].identifier(), id_at(c, "external_id")) for c in contacts_of(conversation))
        if not contacts and before is not None:  # a reply to a ticket is answered by that part alone
            contacts = before.contacts
        thread = Thread(max(newest, before.newest if before is not None else 0), contacts)
        self._known.put(number, thread)
        return thread

    def forget(self, number: str) -> None:
        self._known.forget(number)
