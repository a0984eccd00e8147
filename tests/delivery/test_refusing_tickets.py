"""A ticket that takes no more words: closed while a customer's message is on its way."""

from __future__ import annotations

import pytest

from handoff_sync.core.events import Resolved
from handoff_sync.core.model import Phase
from handoff_sync.core.policy import Mode, Outcome, Policy
from handoff_sync.service.hooks import look_again
from handoff_sync.store.committer import Job
from tests.delivery.rig import Rig


def opened(rig: Rig, talk: str = "talk") -> int:
    rig.say("<<first>>", talk)
    rig.hand_over(talk)
    rig.work()
    return rig.ticket(talk)


def read_again(rig: Rig, *tickets: int) -> None:
    """As a webhook of these tickets."""
    named = tuple(str(ticket) for ticket in tickets)
    rig.app.committer.run(Job(run=lambda uow: look_again(uow, rig.connection, named)))
    rig.work()


def later(rig: Rig, times: int = 4) -> None:
    for _ in range(times):
        rig.advance(30)
        rig.work()


def parked_words(rig: Rig) -> list[str]:
    return [row.kind for row in rig.parked() if row.kind.startswith("ticket.")]


def words(rig: Rig, ticket: int) -> str:
    return "\n".join(rig.simulator.state.texts(ticket))


def follow(rig: Rig, choice: Outcome) -> None:
    policy = Policy(handover_mode=Mode.AUTOMATIC, solved_grace_seconds=0, on_ticket_closed=choice)
    rig.app.admin.update_workspace(rig.workspace, policy=policy)


@pytest.mark.parametrize("choice", list(Outcome))
@pytest.mark.parametrize("read_first", [True, False])
def test_words_on_their_way_to_a_closed_ticket_open_a_follow_up(rig: Rig, choice: Outcome, read_first: bool) -> None:
    """Whether the closing is noticed by a reading or by the refusal: a person sees what the customer wrote."""
    follow(rig, choice)
    ticket = opened(rig)
    rig.simulator.close(ticket)
    if read_first:
        rig.app.connections.pause(rig.connection, 1, "test")
    rig.say("<<missed>>")
    if read_first:
        rig.advance(2)
        read_again(rig, ticket)
    rig.work()
    later(rig)
    second = rig.ticket()
    assert second != ticket
    assert words(rig, second).count("<<missed>>") >= 1 and "<<first>>" in words(rig, second)
    assert "<<missed>>" not in words(rig, ticket)
    assert rig.session().human_handoff
    assert parked_words(rig) == []
    rig.say("<<next>>")
    rig.work()
    assert words(rig, second).count("<<next>>") == 1


def test_who_closed_the_ticket_is_known_even_if_the_refusal_comes_first(rig: Rig) -> None:
    ticket = opened(rig)
    rig.simulator.close(ticket, agent="Dana")
    rig.say("<<missed>>")
    rig.work()
    later(rig)
    markers = [m.message.text for m in rig.app.reads.messages(rig.session().id) if m.kind == "marker"]
    assert len(markers) == 1 and "Dana" in markers[0]


def test_a_status_for_a_closed_ticket_is_dropped_quietly(rig: Rig) -> None:
    ticket = opened(rig)
    rig.simulator.close(ticket)
    rig.apply(Resolved(id="resolve", at=rig.simulator.clock.now()))
    rig.work()
    later(rig)
    assert parked_words(rig) == [] and rig.session().phase is Phase.RESOLVED
    assert len(rig.simulator.state.tickets) == 1
