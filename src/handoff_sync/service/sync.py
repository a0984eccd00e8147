"""Level-triggered sync: what differs between two readings of a ticket becomes events (domain.md section 9).

Relay to the customer is an allow-list: public, by a human agent, not ours. Everything else fails closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, TicketComment, TicketSnapshot
from handoff_sync.core.events import (
    Event,
    NoteAdded,
    TicketAssigned,
    TicketDeleted,
    TicketMerged,
    TicketNote,
    TicketPublicReply,
    TicketStatusChanged,
    TicketTagged,
)
from handoff_sync.core.machine.texts import merged_into_yours
from handoff_sync.core.model import (
    SYSTEM,
    Actor,
    ActorKind,
    AuthorClass,
    LinkState,
    Message,
    Person,
    Session,
    TicketStatus,
)
from handoff_sync.service.apply import step
from handoff_sync.store.rows import LinkRow
from handoff_sync.store.unit import UnitOfWork

_SNAPSHOT = TypeAdapter(TicketSnapshot)
_RULE = replace(SYSTEM, via="ticket")
_PARTED = frozenset({LinkState.DETACHED, LinkState.MERGED})
"""Links by which a session owns its ticket no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of a ticket. `number` is unique per link and names the events that come of it."""

    link: str
    connection: str
    number: int
    before: TicketSnapshot | None
    now: TicketSnapshot
    merged_owner: str | None = None


def events_of(reading: Reading) -> Iterator[Event]:
    """The differences as events: comments first, because solving usually comes with a last reply."""
    now, before = reading.now, reading.before
    for comment in now.comments:
        yield from _comment_event(reading, comment)
    if now.deleted != (before is not None and before.deleted):
        yield TicketDeleted(
            id=_name(reading, "deleted"), at=now.updated_at, actor=_who(reading), link=reading.link,
            restored=not now.deleted,
        )  # fmt: skip
    if now.deleted:
        return
    if now.merged_into is not None and (before is None or before.merged_into != now.merged_into):
        yield TicketMerged(
            id=_name(reading, "merged"), at=now.updated_at, actor=_who(reading), link=reading.link,
            target_id=now.merged_into, owned_by=reading.merged_owner,
        )  # fmt: skip
        return
    yield from _field_events(reading)


def _field_events(reading: Reading) -> Iterator[Event]:
    now, before, at = reading.now, reading.before or _as_opened(reading.now), reading.now.updated_at
    agent_before = before.assignee.id if before.assignee is not None else None
    if (now.assignee.id if now.assignee is not None else None) != agent_before:
        agent = _person(reading.connection, now.assignee) if now.assignee is not None else None
        yield TicketAssigned(
            id=_name(reading, "assigned"), at=at, actor=_who(reading), link=reading.link, agent=agent
        )  # fmt: skip
    if before.status is not now.status:
        yield TicketStatusChanged(
            id=_name(reading, "status"), at=at, actor=_who(reading), link=reading.link,
            status=now.status, raw_status=now.raw_status,
        )  # fmt: skip
    had, has = set(before.tags), set(now.tags)
    if had != has:
        yield TicketTagged(
            id=_name(reading, "tags"), at=at, actor=_who(reading), link=reading.link,
            added=tuple(sorted(has - had)), removed=tuple(sorted(had - has)),
        )  # fmt: skip


def _as_opened(now: TicketSnapshot) -> TicketSnapshot:
    """What a ticket that was never read before is compared with: open, held by nobody, with the tags it has."""
    return replace(now, status=TicketStatus.OPEN, assignee=None)


def _comment_event(reading: Reading, comment: TicketComment) -> Iterator[Event]:
    name = f"{reading.link}:comment:{comment.id}"
    match comment.author, comment.public:
        case CommentAuthor.AGENT, True:
            yield _reply(reading, comment, name, AuthorClass.HUMAN)
        case CommentAuthor.AUTOMATION, True:
            yield _reply(reading, comment, name, AuthorClass.AUTOMATION)
        case CommentAuthor.AGENT, False:
            yield TicketNote(
                id=name, at=comment.at, actor=_actor(reading.connection, comment.agent), link=reading.link,
                comment_id=comment.id, text=comment.text,
            )  # fmt: skip
        case _:
            return


def _reply(reading: Reading, comment: TicketComment, name: str, author_class: AuthorClass) -> TicketPublicReply:
    author = _person(reading.connection, comment.agent) if comment.agent is not None else None
    return TicketPublicReply(
        id=name,
        at=comment.at,
        actor=_actor(reading.connection, comment.agent),
        link=reading.link,
        message=Message(
            id=f"{reading.link}:{comment.id}",
            author_class=author_class,
            text=comment.text,
            at=comment.at,
            author=author,
            attachments=comment.attachments,
        ),
    )


def _name(reading: Reading, what: str) -> str:
    return f"{reading.link}:{reading.number}:{what}"


def _who(reading: Reading) -> Actor:
    return _actor(reading.connection, reading.now.changed_by)


def _actor(connection: str, agent: HelpdeskAgent | None) -> Actor:
    if agent is None:
        return _RULE
    return Actor(kind=ActorKind.AGENT, id=f"{connection}:{agent.id}", name=agent.name, via="ticket")


def _person(connection: str, agent: HelpdeskAgent) -> Person:
    return Person(id=f"{connection}:{agent.id}", name=agent.name, avatar=agent.avatar)


def apply_reading(uow: UnitOfWork, link: LinkRow, number: int, now: TicketSnapshot, merges: Sequence[str] = ()) -> int:
    """Stages everything that the new reading tells and remembers it. Returns the number of events.

    `merges` are the tickets that a merge has led through, the last one being `now.merged_into`.
    """
    before = _SNAPSHOT.validate_json(link.snapshot) if link.snapshot else None
    fresh = _unknown_comments(uow, link, now)
    reading = Reading(
        link=link.id,
        connection=link.connection_id,
        number=number,
        before=before,
        now=replace(now, comments=fresh),
        merged_owner=_owner(uow, link, merges or ([now.merged_into] if now.merged_into else [])),
    )
    count = 0
    for count, event in enumerate(events_of(reading), start=1):  # noqa: B007
        session = uow.session(link.session_id)
        if session is not None:
            step(uow, session, event)
        if isinstance(event, TicketMerged):
            _tell_others(uow, link, event)
    for comment in now.comments:
        direction = "out" if comment.author is CommentAuthor.OURS else "in"
        uow.link_message(link.id, comment.id, f"{link.id}:{comment.id}", direction, comment.marker)
    uow.save_read(link.id, now.cursor, _SNAPSHOT.dump_json(_to_compare_with(before, now)).decode())
    return count


def _to_compare_with(before: TicketSnapshot | None, now: TicketSnapshot) -> TicketSnapshot:
    """What the next reading is compared with. A deleted ticket says nothing of itself: restored, it is as it was."""
    seen = replace(before, deleted=True, cursor=now.cursor) if now.deleted and before is not None else now
    return replace(seen, comments=())


def _unknown_comments(uow: UnitOfWork, link: LinkRow, now: TicketSnapshot) -> tuple[TicketComment, ...]:
    known = uow.known_comments(link.id, tuple(comment.id for comment in now.comments))
    return tuple(comment for comment in now.comments if comment.id not in known)


def _owner(uow: UnitOfWork, link: LinkRow, merges: Sequence[str]) -> str | None:
    """The other session that owns a ticket into which ours was merged, be it merged on in turn."""
    mine = uow.session(link.session_id)
    others = [owner for _, owner in _owners(uow, link, merges) if mine is None or not _goes_on_in(owner, mine)]
    return others[0].id if others else None


def _owners(uow: UnitOfWork, link: LinkRow, tickets: Sequence[str]) -> list[tuple[LinkRow, Session]]:
    """Other sessions that own one of these tickets, and by which link."""
    rows = uow.links_of_remote(link.connection_id, tickets)
    found = [(row, uow.session(row.session_id)) for row in rows if row.state not in _PARTED]
    return [(row, owner) for row, owner in found if owner is not None and owner.id != link.session_id]


def _goes_on_in(before: Session, session: Session) -> bool:
    """Whether it is an earlier session of the same conversation, which is over for good."""
    return before.conversation_id == session.conversation_id and before.next_session_id is not None


def _tell_others(uow: UnitOfWork, link: LinkRow, event: TicketMerged) -> None:
    """Whoever works on the target sees a talk in it that is not theirs to answer there (rule T63).

    An earlier session of the same conversation leaves the ticket to the one that goes on.
    """
    mine = uow.session(link.session_id)
    if mine is None or link.remote_id is None:
        return
    if event.owned_by is None:
        for row, owner in _owners(uow, link, (event.target_id,)):
            step(uow, owner, replace(event, id=f"{event.id}:{row.id}", link=row.id, owned_by=mine.id))
        return
    theirs = uow.session(event.owned_by)
    if theirs is not None and theirs.conversation_id != mine.conversation_id:
        text = merged_into_yours(link.remote_id, event.target_id)
        step(uow, theirs, NoteAdded(id=f"{event.id}:told", at=event.at, actor=_RULE, text=text, kind="merge"))
