"""What comes twice happens once: the same message under another event id, and comments that failed as a group."""

from __future__ import annotations

from handoff_sync.core.events import CustomerMessage
from handoff_sync.core.model import AuthorClass, Message
from handoff_sync.store.committer import Job
from tests.delivery.rig import Rig


def tell(rig: Rig, event: str, message: str, text: str) -> None:
    now = rig.simulator.clock.now()
    said = Message(id=message, author_class=AuthorClass.CUSTOMER, text=text, at=now)
    rig.apply(CustomerMessage(id=event, at=now, message=said))


def words(rig: Rig) -> str:
    return "\n".join(rig.simulator.state.texts(rig.ticket()))


def test_a_known_message_under_a_new_event_id_is_neither_stored_nor_appended_again(rig: Rig) -> None:
    rig.hand_over()
    rig.work()
    tell(rig, "event-1", "m", "<<once>>")
    rig.work()
    tell(rig, "event-2", "m", "<<once>>")
    rig.work()
    tell(rig, "event-3", "other", "<<after>>")
    rig.work()
    assert words(rig).count("<<once>>") == words(rig).count("<<after>>") == 1
    stored = [m.message.text for m in rig.app.reads.messages(rig.session().id)]
    assert stored.count("<<once>>") == stored.count("<<after>>") == 1


def test_what_was_sent_as_one_comment_is_set_aside_as_one_and_said_once_when_replayed(rig: Rig) -> None:
    """Had only the first been parked, the second would be said again by itself, though the helpdesk may hold both."""
    rig.hand_over()
    rig.work()
    rig.simulator.faults.fail(422, method="PUT", path=r"/tickets/\d+", count=1)
    rig.app.connections.pause(rig.connection, 5, "test")
    rig.say("<<one>>")
    rig.say("<<two>>")
    rig.work()
    rig.advance(6)
    rig.work()
    rows = sorted(row.id for row in rig.parked() if row.kind == "ticket.append")
    assert len(rows) == 2 and "<<two>>" not in words(rig)
    for row in rows:
        assert rig.app.committer.run(Job(run=lambda uow, id=row: uow.unpark(rig.workspace, id)))  # type: ignore[misc]
    rig.work()
    assert words(rig).count("<<one>>") == words(rig).count("<<two>>") == 1
    assert words(rig).index("<<one>>") < words(rig).index("<<two>>")
