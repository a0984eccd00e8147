"""What two readings of a ticket tell: the differences, and nothing that the customer must not see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, TicketComment, TicketSnapshot
from handoff_sync.core.events import (
    TicketAssigned,
    TicketDeleted,
    TicketMerged,
    TicketNote,
    TicketPublicReply,
    TicketStatusChanged,
    TicketTagged,
)
from handoff_sync.core.model import ActorKind, AuthorClass, TicketStatus
from handoff_sync.service.sync import Reading, events_of

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DANA = HelpdeskAgent(id="7", name="Dana")
SEEN = TicketSnapshot(id="1", status=TicketStatus.OPEN, raw_status="open", updated_at=AT, cursor="c")


def comment(author: CommentAuthor = CommentAuthor.AGENT, public: bool = True, **fields: object) -> TicketComment:
    agent = DANA if author is CommentAuthor.AGENT else None
    base = TicketComment(id="55", author=author, agent=agent, text="Hello", public=public, at=AT)
    return replace(base, **fields)  # type: ignore[arg-type]


def reading(now: TicketSnapshot, before: TicketSnapshot | None = SEEN, **fields: object) -> Reading:
    base = Reading(link="L", connection="zd", number=3, before=before, now=now)
    return replace(base, **fields)  # type: ignore[arg-type]


def test_nothing_changed_tells_nothing() -> None:
    assert list(events_of(reading(SEEN))) == []


def test_a_public_reply_of_an_agent_is_a_human_message_with_the_agents_name() -> None:
    (event,) = events_of(reading(replace(SEEN, comments=(comment(),))))
    assert isinstance(event, TicketPublicReply)
    assert event.message.author_class is AuthorClass.HUMAN
    assert event.message.author is not None and event.message.author.name == "Dana"
    assert (event.message.id, event.actor.kind, event.actor.id) == ("L:55", ActorKind.AGENT, "zd:7")


@pytest.mark.parametrize("author", list(CommentAuthor))
@pytest.mark.parametrize("public", [True, False])
def test_only_public_words_of_an_agent_become_a_human_message(author: CommentAuthor, public: bool) -> None:
    events = list(events_of(reading(replace(SEEN, comments=(comment(author, public),)))))
    human = [e for e in events if isinstance(e, TicketPublicReply) and e.message.author_class is AuthorClass.HUMAN]
    assert bool(human) == (author is CommentAuthor.AGENT and public)


def test_an_internal_note_is_a_note() -> None:
    (event,) = events_of(reading(replace(SEEN, comments=(comment(public=False),))))
    assert isinstance(event, TicketNote) and event.comment_id == "55"


def test_a_last_reply_comes_before_the_solving() -> None:
    now = replace(
        SEEN, status=TicketStatus.SOLVED, raw_status="solved", comments=(comment(),), changed_by=DANA, assignee=DANA
    )
    assert [type(e) for e in events_of(reading(now))] == [TicketPublicReply, TicketAssigned, TicketStatusChanged]


def test_a_status_that_no_agent_set_is_by_the_system() -> None:
    (event,) = events_of(reading(replace(SEEN, status=TicketStatus.SOLVED, raw_status="solved")))
    assert isinstance(event, TicketStatusChanged) and event.actor.kind is ActorKind.SYSTEM


def test_deleting_and_restoring_are_told_once_each() -> None:
    gone = replace(SEEN, deleted=True)
    (event,) = events_of(reading(gone))
    assert isinstance(event, TicketDeleted) and not event.restored
    assert list(events_of(reading(gone, before=gone))) == []
    (back,) = events_of(reading(SEEN, before=gone))
    assert isinstance(back, TicketDeleted) and back.restored


def test_a_merge_is_told_instead_of_the_closing_that_comes_with_it() -> None:
    now = replace(SEEN, status=TicketStatus.CLOSED, raw_status="closed", merged_into="2")
    (event,) = events_of(reading(now, merged_owner="other"))
    assert isinstance(event, TicketMerged) and (event.target_id, event.owned_by) == ("2", "other")


def test_tags_are_told_as_differences() -> None:
    (event,) = events_of(reading(replace(SEEN, tags=("b", "c")), before=replace(SEEN, tags=("a", "b"))))
    assert isinstance(event, TicketTagged) and (event.added, event.removed) == (("c",), ("a",))


def test_the_same_status_again_at_a_later_reading_has_another_name() -> None:
    solved = replace(SEEN, status=TicketStatus.SOLVED, raw_status="solved")
    (first,), (later,) = events_of(reading(solved, number=3)), events_of(reading(solved, number=9))
    assert first.id != later.id
