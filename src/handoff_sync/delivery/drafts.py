"""What a ticket is told: drafts made of the stored session, redacted before anything leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from handoff_sync.contract.connector import CommentDraft, Requester, TicketDraft
from handoff_sync.core.effects import AppendToTicket, NoteOnTicket, OpenTicket, StoredMessage
from handoff_sync.core.model import AuthorClass, Customer, Handoff, Message, Session, TicketLink
from handoff_sync.core.policy import ConnectionRule
from handoff_sync.core.redaction import redact
from handoff_sync.core.transcript import TicketHead, comment_html, note_parts, subject, ticket_parts
from handoff_sync.errors import NotFound
from handoff_sync.store.reads import Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The ticket to open and the notes that carry the rest of a long transcript, in order."""

    draft: TicketDraft
    rest: tuple[str, ...]


class Drafts:
    """Builds drafts from what is stored. `public_url` is where people reach this service."""

    def __init__(self, reads: Reads, public_url: str | None) -> None:
        self._reads = reads
        self._public_url = public_url

    def opening(self, session: Session, effect: OpenTicket, limit: int) -> Opening:
        """The ticket of `effect`: the transcript up to its `through_seq`, split to `limit` bytes a part."""
        link = _link(session, effect.link)
        handoff = next(h for h in session.handoffs if h.number == effect.handoff)
        rule = next(
            (rule for rule in handoff.policy.connections if rule.connection == effect.connection),
            ConnectionRule(connection=effect.connection),
        )
        messages = [m for m in self._reads.messages(session.id) if m.seq <= effect.through_seq]
        parts = ticket_parts(
            self._clean(messages, handoff), self._head(session, handoff), limit
        )  # private notes are part of it: the ticket's first comment is internal
        draft = TicketDraft(
            external_id=link.key,
            subject=subject(rule.subject, self._customer(session, handoff)),
            requester=requester_of(session),
            html=parts[0],
            tags=("handoff-sync", "human-handoff", *rule.tags, *_scenario_tags(handoff)),
            priority=_priority(handoff) or rule.priority,
            group=rule.group,
            custom_fields=rule.custom_fields,
            follow_up_of=_link(session, effect.follow_up_of).remote_id if effect.follow_up_of else None,
        )
        return Opening(draft=draft, rest=parts[1:])

    def comments(
        self, session: Session, appends: Sequence[AppendToTicket], marker: str, limit: int
    ) -> tuple[CommentDraft, ...]:
        """One or more comments that say the messages, in order; several only where they are too long for one."""
        handoff = session.handoff
        redacted = handoff is None or handoff.policy.redact
        messages = [_said(effect, redacted) for effect in appends]
        by_customer = all(effect.message.author_class is AuthorClass.CUSTOMER for effect in appends)
        parts = comment_html(messages, limit, session.customer)
        author = requester_of(session) if by_customer and appends[0].public else None
        return tuple(
            CommentDraft(marker=f"{marker}/{n}", html=html, public=appends[0].public, author=author)
            for n, html in enumerate(parts, start=1)
        )

    def notes(self, session: Session, note: NoteOnTicket, limit: int) -> tuple[CommentDraft, ...]:
        """An internal note, with what was said while the ticket rested."""
        handoff = session.handoff
        wanted = range(note.after_seq + 1, note.through_seq + 1)
        said = [m for m in self._reads.messages(session.id) if m.seq in wanted] if wanted else []
        below = self._clean(said, handoff) if handoff is not None else said
        return internal(note.key, note_parts(note.text, below, limit, session.customer))

    def _head(self, session: Session, handoff: Handoff) -> TicketHead:
        summary = handoff.summary or session.summary
        return TicketHead(
            customer=self._customer(session, handoff),
            trigger=handoff.trigger,
            scenarios=handoff.scenarios,
            reason=redact(handoff.reason) if handoff.policy.redact else handoff.reason,
            summary=redact(summary) if handoff.policy.redact else summary,
            link=f"{self._public_url}/v1/sessions/{session.id}" if self._public_url else None,
            notes=self._earlier_notes(session, handoff),
        )

    def _earlier_notes(self, session: Session, handoff: Handoff) -> tuple[StoredMessage, ...]:
        if session.previous_session_id is None:
            return ()
        earlier = self._reads.messages(session.previous_session_id)
        return tuple(self._clean([m for m in earlier if m.kind == "note"], handoff))

    def _clean(self, messages: Sequence[StoredMessage], handoff: Handoff) -> list[StoredMessage]:
        if not handoff.policy.redact:
            return list(messages)
        return [replace(m, message=replace(m.message, text=redact(m.message.text))) for m in messages]

    def _customer(self, session: Session, handoff: Handoff) -> Customer:
        name = session.customer.name
        return replace(session.customer, name=redact(name)) if name and handoff.policy.redact else session.customer


def internal(marker: str, parts: Sequence[str]) -> tuple[CommentDraft, ...]:
    """Comments that only the team sees."""
    return tuple(CommentDraft(marker=f"{marker}/{n}", html=html, public=False) for n, html in enumerate(parts, 1))


def requester_of(session: Session) -> Requester:
    """The customer at the helpdesk. One without an id of the platform is known by their conversation alone."""
    customer = session.customer
    known_as = customer.external_id or f"conversation-{session.conversation_id}"
    return Requester(external_id=f"{session.workspace}:{known_as}", customer=customer)


def _said(effect: AppendToTicket, redacted: bool) -> Message:
    message = effect.message
    return replace(message, text=redact(message.text)) if redacted else message


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
