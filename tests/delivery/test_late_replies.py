"""What an agent writes to the customer after the end is delivered or refused, never silent (rule T62)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handoff_sync.core.events import Archived, Resolved, Resumed
from handoff_sync.core.model import Phase
from handoff_sync.core.policy import LateReply, Outcome
from tests.delivery.desk_rig import EVA, DeskRig

ENDINGS: dict[str, Callable[[DeskRig], None]] = {
    "resolved": lambda rig: rig.order(Resolved, EVA),
    "archived": lambda rig: rig.order(Archived, EVA),
    "ai": lambda rig: rig.order(Resumed, EVA),
    "solved": lambda rig: solved(rig),
}
AFTER = {"resolved": Phase.RESOLVED, "archived": Phase.ARCHIVED, "ai": Phase.AI, "solved": Phase.AI}
REFUSED = "Your reply was not delivered"
every_ending = pytest.mark.parametrize("ending", ENDINGS)


def solved(rig: DeskRig) -> None:
    """By an agent at the helpdesk, who might as well open the ticket again."""
    rig.desk.solve(rig.ticket_id())
    rig.notice()
    rig.later(60)


def ended(rig: DeskRig, ending: str, choice: LateReply) -> str:
    """A ticket whose handoff is over; its own changes have come back to us."""
    rig.follow(late_reply=choice, on_ticket_solved=Outcome.RETURN_TO_AI)
    ticket = rig.opened()
    ENDINGS[ending](rig)
    rig.notice()
    assert rig.phase() is AFTER[ending]
    return ticket


@every_ending
def test_it_is_delivered_and_nothing_else_changes(at_desk: DeskRig, ending: str) -> None:
    ticket = ended(at_desk, ending, LateReply.DELIVER)
    at_desk.desk.reply(ticket, "<<one more thing>>")
    for _ in range(2):
        at_desk.notice()
    assert at_desk.heard() == ["<<one more thing>>"]
    assert at_desk.phase() is AFTER[ending]
    assert at_desk.on(ticket, REFUSED) == []


@every_ending
def test_or_takes_the_session_back_where_it_can(at_desk: DeskRig, ending: str) -> None:
    """An archived one is over for good: the words are delivered, no more."""
    ticket = ended(at_desk, ending, LateReply.DELIVER_AND_RETAKE)
    at_desk.desk.reply(ticket, "<<one more thing>>")
    for _ in range(2):
        at_desk.notice()
    assert at_desk.heard() == ["<<one more thing>>"]
    assert at_desk.phase() is (Phase.ARCHIVED if ending == "archived" else Phase.HUMAN)
    if ending != "archived":
        at_desk.say("<<thanks>>")
        at_desk.work()
        assert len(at_desk.on(ticket, "<<thanks>>")) == 1
        assert at_desk.desk.ticket_ids() == (ticket,)


@every_ending
def test_or_is_refused_and_the_agent_is_told_once(at_desk: DeskRig, ending: str) -> None:
    ticket = ended(at_desk, ending, LateReply.REFUSE_WITH_NOTE)
    at_desk.desk.reply(ticket, "<<one more thing>>")
    for _ in range(2):
        at_desk.notice()
    assert at_desk.heard() == []
    assert at_desk.phase() is AFTER[ending]
    (said,) = at_desk.on(ticket, REFUSED)
    assert not said.public


@every_ending
def test_machines_are_never_delivered(at_desk: DeskRig, ending: str) -> None:
    ticket = ended(at_desk, ending, LateReply.DELIVER_AND_RETAKE)
    for name, say in at_desk.desk.machines.items():
        say(ticket, f"<<machine {name}>>")
    at_desk.notice()
    assert at_desk.heard() == []
    assert at_desk.phase() is AFTER[ending]


def test_on_an_older_ticket_a_late_reply_leaves_the_newer_handoff_alone(at_desk: DeskRig) -> None:
    """The ticket is used again, so its replies are the newer handoff's own; nothing is late about them."""
    ticket = ended(at_desk, "resolved", LateReply.REFUSE_WITH_NOTE)
    at_desk.say("<<once more>>")
    at_desk.work()
    assert at_desk.ticket_id() == ticket
    at_desk.desk.reply(ticket, "<<sure>>")
    at_desk.notice()
    assert at_desk.heard() == ["<<sure>>"]
    assert at_desk.on(ticket, REFUSED) == []
