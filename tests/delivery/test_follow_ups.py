"""What people noted earlier stands in the next ticket (rules T5, T6), masked, and never reaches the customer."""

from __future__ import annotations

import pytest

from handoff_sync.contract.features import Feature
from handoff_sync.core.events import NoteAdded, Resolved
from handoff_sync.core.model import Phase, TicketStatus
from handoff_sync.core.policy import AfterResolve
from tests.delivery.desk_rig import EVA, DeskRig

CARD = "4111 1111 1111 1111"
HOUR_S = 3600


def noted(rig: DeskRig) -> str:
    """A ticket on which an agent and a member left notes, one with a card number."""
    ticket = rig.opened()
    rig.desk.note(ticket, f"<<by an agent>> the card is {CARD}")
    rig.notice()
    rig.order(NoteAdded, EVA, text="<<by a member>>")
    return ticket


def private_words(rig: DeskRig, ticket: str) -> str:
    return "\n".join(rig.notes_on(ticket))


def test_a_follow_up_of_a_final_ticket_has_the_notes_of_the_first(at_desk: DeskRig) -> None:
    """T5: the same session goes on; its ticket cannot."""
    at_desk.needs(Feature.FINAL_STATUS)
    ticket = noted(at_desk)
    at_desk.desk.set_status(ticket, TicketStatus.CLOSED)
    at_desk.notice()
    assert at_desk.phase() is Phase.RESOLVED
    at_desk.say("<<again>>")
    at_desk.work()
    second = at_desk.ticket_id()
    assert second != ticket
    told = private_words(at_desk, second)
    assert "<<by an agent>>" in told and "<<by a member>>" in told and "<<again>>" in told
    assert CARD not in told and CARD[-4:] in told


@pytest.mark.parametrize("redact", [True, False])
def test_the_next_session_begins_with_the_notes_of_the_last(at_desk: DeskRig, redact: bool) -> None:
    """T6: a new session, and when people are needed again they know what was noted before."""
    at_desk.follow(after_resolve=AfterResolve.NEW_SESSION, redact=redact)
    ticket = noted(at_desk)
    first = at_desk.session().id
    at_desk.order(Resolved, EVA)
    at_desk.advance(HOUR_S)
    at_desk.say("<<something else>>")
    session = at_desk.session()
    assert (session.previous_session_id, session.phase) == (first, Phase.AI)
    at_desk.hand_over()
    at_desk.work()
    second = at_desk.ticket_id()
    assert second != ticket
    told = private_words(at_desk, second)
    assert "<<by an agent>>" in told and "<<by a member>>" in told
    assert (CARD in told) is not redact
    shown = [said.text for said in at_desk.desk.ticket(second).comments if said.public]
    assert not any("<<by" in text for text in shown)
    assert not any("<<by" in str(told) for told in at_desk.told() if told["type"] == "message.deliver")


def test_within_the_window_the_same_ticket_goes_on(at_desk: DeskRig) -> None:
    ticket = noted(at_desk)
    at_desk.order(Resolved, EVA)
    at_desk.say("<<again>>")
    at_desk.work()
    assert at_desk.ticket_id() == ticket
    assert at_desk.desk.ticket(ticket).status is TicketStatus.OPEN
