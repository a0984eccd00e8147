"""What a new conversation needs beyond its first words. Every step may be taken twice."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.mapping import FURNISHED, assigned_to, id_at, number, state_of, tags_of
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.tags import Tags
from handoff_connectors.intercom.text import digest, note_html, paragraph
from handoff_connectors.intercom.threads import Sent, Threads
from handoff_sync.contract.connector import TicketDraft
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import HandoffError, TicketGone, VendorRejected

_CORRECT: Final = "Correct it in the policy of handoff-sync."


class Furnisher:
    """Tags come last: they tell that all the rest is done (quirk IC-5)."""

    def __init__(
        self, api: IntercomApi, people: People, threads: Threads, tags: Tags, settings: IntercomSettings
    ) -> None:
        self._api = api
        self._people = people
        self._threads = threads
        self._tags = tags
        self._settings = settings

    def furnish(self, draft: TicketDraft, conversation: str, now: Wild | None) -> str | None:
        """Returns the id of the note with the transcript, if there is one.

        Args:
            now: The conversation as it is, where an earlier attempt may have done a part of it.
        """
        refused: list[str] = []
        self._describe(draft, conversation, refused)
        made = None if draft.public else self._transcript(draft, conversation, now)
        self._assign(draft, conversation, now, refused)
        if refused:
            with suppress(HandoffError):
                said = "".join(paragraph(f"Intercom refused {what}. {_CORRECT}") for what in refused)
                if now is None or Sent(after=0, by=self._people.us, words=digest(said)).among(now) is None:
                    self._api.note(conversation, self._people.us, said)
        last = sorted(draft.tags, key=lambda tag: tag == FURNISHED)
        self._tags.add(conversation, last, tags_of(now) if now is not None else {})
        return made

    def transcript_in(self, draft: TicketDraft, now: Wild) -> str | None:
        """The id of the note with the transcript that an earlier attempt has made."""
        return _sent(draft, self._people.us).among(now)

    def _describe(self, draft: TicketDraft, conversation: str, refused: list[str]) -> None:
        """Attributes that Intercom does not take must not cost the customer the handoff."""
        attributes = dict(draft.custom_fields)
        if self._settings.reference_attribute is not None:
            attributes[self._settings.reference_attribute] = draft.external_id
        title: dict[str, object] = {"title": draft.subject}
        try:
            self._api.change(conversation, {**title, "custom_attributes": attributes} if attributes else title)
        except TicketGone:
            raise
        except VendorRejected:
            if not attributes:
                raise
            refused.append(f"the attributes {', '.join(sorted(attributes))}")
            self._api.change(conversation, title)

    def _transcript(self, draft: TicketDraft, conversation: str, now: Wild | None) -> str | None:
        sent = _sent(draft, self._people.us)
        if now is not None and (made := sent.among(now)) is not None:
            return made
        answer = self._api.note(conversation, self._people.us, note_html(_heading(draft) + draft.html))
        self._threads.learn(conversation, answer)
        return sent.answered(answer)

    def _assign(self, draft: TicketDraft, conversation: str, now: Wild | None, refused: list[str]) -> None:
        """Not where an agent was faster: assigning a closed conversation would open it again (quirk IC-9)."""
        if draft.group is None:
            return
        if now is not None and (state_of(now) == "closed" or id_at(now, "team_assignee_id") == draft.group):
            return
        try:
            team = number("team", draft.group)
            self._api.act(conversation, assigned_to("team", team, self._people.us))
        except TicketGone:
            raise
        except VendorRejected:
            refused.append(f"the team {draft.group}")


def _sent(draft: TicketDraft, us: str) -> Sent:
    return Sent(after=0, by=us, words=digest(_heading(draft) + draft.html))


def _heading(draft: TicketDraft) -> str:
    """What Intercom has no field for that could be set through its API (quirk IC-12)."""
    lines = [paragraph(f"Priority: {draft.priority}")] if draft.priority is not None else []
    if draft.follow_up_of is not None:
        lines.append(paragraph(f"Goes on from conversation {draft.follow_up_of}."))
    return "".join(lines)
