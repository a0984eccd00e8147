"""What a ticket is told: drafts made of the stored session, redacted before anything leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from handoff_sync.contract.connector import CommentDraft, Requester, TicketDraft
from handoff_sync.core.effects import (
    AppendToTicket,
    AttachToTicket,
    NoteOnTicket,
    OpenTicket,
    StoredMessage,
    Visibility,
)
from handoff_sync.core.model import AuthorClass, Customer, Handoff, Message, Session, TicketLink
from handoff_sync.core.policy import ConnectionRule, Policy
from handoff_sync.core.redaction import redact
from handoff_sync.core.transcript import TicketHead, comment_html, note_parts, subject, ticket_parts
from handoff_sync.errors import NotFound
from handoff_sync.store.reads import Reads

LONGEST_LINK = 500
FILES_OF_THE_TALK = "Files of the conversation"

Clean = Callable[[str], str]
"""Takes out of a text what must not leave."""

Shown = Callable[[Message], Message]
"""The message with its files as they stand in a ticket's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The ticket to open and the notes that carry the rest of a long transcript, in order."""

    draft: TicketDraft
    rest: tuple[str, ...]


class Drafts:
    """Builds drafts from what is stored."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    def opening(self, session: Session, effect: OpenTicket, limit: int, first_tags: tuple[str, ...] = ()) -> Opening:
        """The ticket of `effect`: the transcript up to its `through_seq`, split to `limit` bytes a part."""
        link = _link(session, effect.link)
        handoff = next(h for h in session.handoffs if h.number == effect.handoff)
        rule = next(
            (rule for rule in handoff.policy.connections if rule.connection == effect.connection),
            ConnectionRule(connection=effect.connection),
        )
        clean = cleaner(handoff)
        messages = _stored([m for m in self._reads.messages(session.id) if m.seq <= effect.through_seq], clean)
        # Private notes are part of it: the ticket's first comment is internal.
        parts = ticket_parts(messages, self._head(session, handoff, clean), limit)
        tags = ("handoff-sync", "human-handoff", *rule.tags, *_scenario_tags(handoff), *map(clean, first_tags))
        draft = TicketDraft(
            external_id=link.key,
            subject=subject(rule.subject, _customer(session, clean)),
            requester=_requester(session, clean),
            html=parts[0],
            said=tuple(m.message for m in messages if m.kind == "message" and m.visibility is Visibility.PUBLIC),
            tags=tuple(dict.fromkeys(tags)),
            priority=_priority(handoff) or rule.priority,
            group=rule.group,
            custom_fields=rule.custom_fields,
            follow_up_of=_link(session, effect.follow_up_of).remote_id if effect.follow_up_of else None,
        )
        return Opening(draft=draft, rest=parts[1:])

    def comments(
        self, session: Session, appends: Sequence[AppendToTicket], marker: str, limit: int, shown: Shown
    ) -> tuple[CommentDraft, ...]:
        """One or more comments that say the messages, in order; several only where they are too long for one."""
        clean = cleaner(session.handoff)
        messages = [shown(_message(effect.message, clean)) for effect in appends]
        by_customer = all(effect.message.author_class is AuthorClass.CUSTOMER for effect in appends)
        copied = not appends[0].public and appends[0].message.author_class is AuthorClass.HUMAN
        parts = comment_html(messages, limit, _customer(session, clean), signed=copied)
        author = _requester(session, clean) if by_customer and appends[0].public else None
        return tuple(
            CommentDraft(marker=f"{marker}/{n}", html=html, public=appends[0].public, author=author)
            for n, html in enumerate(parts, start=1)
        )

    def notes(
        self, session: Session, note: NoteOnTicket, said: Sequence[StoredMessage], limit: int, shown: Shown
    ) -> tuple[CommentDraft, ...]:
        """An internal note, with what was said while the ticket rested."""
        clean = cleaner(session.handoff)
        below = [replace(item, message=shown(item.message)) for item in _stored(said, clean)]
        return internal(note.key, note_parts(clean(note.text), below, limit, _customer(session, clean)))

    def said_while_resting(self, session: Session, note: NoteOnTicket) -> list[StoredMessage]:
        wanted = range(note.after_seq + 1, note.through_seq + 1)
        return [m for m in self._reads.messages(session.id) if m.seq in wanted] if wanted else []

    def files(
        self, session: Session, effect: AttachToTicket, said: Sequence[StoredMessage], limit: int, shown: Shown
    ) -> tuple[CommentDraft, ...]:
        """An internal note with the files of what the ticket was opened with, whose words it has."""
        clean = cleaner(session.handoff)
        silent = [replace(item, message=replace(item.message, text="")) for item in _stored(said, clean)]
        below = [replace(item, message=shown(item.message)) for item in silent]
        return internal(effect.key, note_parts(FILES_OF_THE_TALK, below, limit, _customer(session, clean)))

    def with_files(self, session: Session, effect: AttachToTicket, most: int) -> list[StoredMessage]:
        """The newest messages that carry `most` files together, oldest first."""
        found: list[StoredMessage] = []
        for stored in reversed(self._reads.messages(session.id)):
            if stored.seq <= effect.through_seq and stored.message.attachments:
                found.insert(0, stored)
                most -= len(stored.message.attachments)
                if most <= 0:
                    break
        return found

    def tags(self, session: Session, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Labels are free text of the platform and of people."""
        return tuple(map(cleaner(session.handoff), tags))

    def _head(self, session: Session, handoff: Handoff, clean: Clean) -> TicketHead:
        return TicketHead(
            customer=_customer(session, clean),
            trigger=handoff.trigger,
            scenarios=tuple(map(clean, handoff.scenarios)),
            reason=clean(handoff.reason),
            summary=clean(handoff.summary or session.summary),
            link=chat_link(handoff.policy, session),
            notes=_stored(self._earlier_notes(session), clean),
        )

    def _earlier_notes(self, session: Session) -> list[StoredMessage]:
        if session.previous_session_id is None:
            return []
        return [m for m in self._reads.messages(session.previous_session_id) if m.kind == "note"]


def chat_link(policy: Policy, session: Session) -> str | None:
    """Where people of the team see the live talk, if the policy says so."""
    if policy.chat_url is None:
        return None
    names = {"{conversation_id}": session.conversation_id, "{session_id}": session.id}
    url = policy.chat_url
    for name, value in names.items():
        url = url.replace(name, quote(value, safe=""))
    return url if len(url) <= LONGEST_LINK else None  # a ticket is worth more than its link


def internal(marker: str, parts: Sequence[str]) -> tuple[CommentDraft, ...]:
    """Comments that only the team sees."""
    return tuple(CommentDraft(marker=f"{marker}/{n}", html=html, public=False) for n, html in enumerate(parts, 1))


def _requester(session: Session, clean: Clean) -> Requester:
    """The customer at the helpdesk. One without an id of the platform is known by their conversation alone."""
    known_as = session.customer.external_id or f"conversation-{session.conversation_id}"
    return Requester(external_id=f"{session.workspace}:{known_as}", customer=_customer(session, clean))


def cleaner(handoff: Handoff | None) -> Clean:
    """Masks card numbers and secrets, unless the handoff's policy leaves them."""
    return redact if handoff is None or handoff.policy.redact else lambda text: text


def _customer(session: Session, clean: Clean) -> Customer:
    name = session.customer.name
    return replace(session.customer, name=clean(name)) if name else session.customer


def _message(message: Message, clean: Clean) -> Message:
    files = tuple(replace(file, name=clean(file.name)) for file in message.attachments)
    return replace(message, text=clean(message.text), attachments=files)


def _stored(messages: Sequence[StoredMessage], clean: Clean) -> tuple[StoredMessage, ...]:
    return tuple(replace(stored, message=_message(stored.message, clean)) for stored in messages)


def _link(session: Session, link_id: str) -> TicketLink:
    for link in session.links:
        if link.id == link_id:
            return link
    raise NotFound(f"Session {session.id} has no ticket link {link_id}.")


def _scenario_tags(handoff: Handoff) -> tuple[str, ...]:
    chosen = [s for s in handoff.policy.scenarios if s.title in handoff.scenarios]
    return tuple(dict.fromkeys(tag for scenario in chosen for tag in scenario.tags))


def _priority(handoff: Handoff) -> str | None:
    chosen = [s.priority for s in handoff.policy.scenarios if s.title in handoff.scenarios and s.priority]
    return chosen[0] if chosen else None
