"""A ticket that takes no more words: closed, merged, deleted or full while a customer's message is on its way."""

from __future__ import annotations

import httpx
import pytest

from handoff_sync.core.events import Resolved
from handoff_sync.core.model import LinkState, Phase
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


def test_words_on_their_way_to_a_merged_ticket_go_where_it_went(rig: Rig) -> None:
    ticket, target = opened(rig), lone_ticket(rig)
    rig.simulator.merge(ticket, target)
    rig.say("<<missed>>")
    rig.work()
    later(rig)
    assert words(rig, target).count("<<missed>>") == 1
    assert rig.session().phase is Phase.WAITING, "a merge is no closing"
    assert rig.ticket() == target and parked_words(rig) == []


def lone_ticket(rig: Rig) -> int:
    """A ticket of the account that no session of ours has."""
    known = rig.simulator.credentials
    token = httpx.post(
        f"{rig.simulator.base_url}/oauth/tokens",
        json={
            "grant_type": "client_credentials",
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "scope": "read write",
        },
    ).json()["access_token"]
    answer = httpx.post(
        f"{rig.simulator.base_url}/api/v2/tickets.json",
        json={"ticket": {"subject": "Old", "comment": {"body": "OLD words of another talk"}}},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 201, answer.text
    number = int(answer.json()["ticket"]["id"])
    rig.simulator.reply(number, "OLD answer of another talk")
    return number


def public(rig: Rig) -> list[str]:
    return [m.message.text for m in rig.app.reads.messages(rig.session().id) if m.visibility.value == "public"]


def test_what_stood_in_the_target_of_a_merge_is_never_relayed(rig: Rig) -> None:
    ticket, target = opened(rig), lone_ticket(rig)
    rig.advance(5)
    rig.simulator.merge(ticket, target)
    read_again(rig, ticket)
    rig.advance(5)
    rig.simulator.reply(target, "<<new answer>>")
    read_again(rig, target)
    assert "<<new answer>>" in public(rig)
    assert not any("OLD" in text or "merged" in text for text in public(rig))


def test_a_chain_of_merges_is_followed_to_its_end(rig: Rig) -> None:
    ticket, middle, end = opened(rig), lone_ticket(rig), lone_ticket(rig)
    rig.simulator.merge(ticket, middle)
    rig.advance(5)
    rig.simulator.merge(middle, end)
    read_again(rig, ticket)
    assert rig.ticket() == end
    rig.advance(5)
    rig.simulator.reply(end, "<<new answer>>")
    read_again(rig, end)
    assert "<<new answer>>" in public(rig)
    assert not any("OLD" in text or "merged" in text for text in public(rig))


def test_words_for_a_deleted_ticket_stay_visible_and_can_be_replayed_when_it_is_restored(rig: Rig) -> None:
    ticket = opened(rig)
    rig.simulator.delete(ticket)
    rig.say("<<missed>>")
    rig.work()
    later(rig)
    assert rig.session().links[0].state is LinkState.DELETED
    (parked,) = [row for row in rig.parked() if row.kind == "ticket.append"]
    rig.simulator.restore(ticket)
    read_again(rig, ticket)
    assert rig.session().links[0].state is LinkState.LINKED
    assert rig.app.committer.run(Job(run=lambda uow: uow.unpark(rig.workspace, parked.id)))
    rig.work()
    assert words(rig, ticket).count("<<missed>>") == 1


def test_a_restored_ticket_is_as_it_was(rig: Rig) -> None:
    """Its tags and its holder are no news: nobody put them there now."""
    ticket = opened(rig)
    rig.simulator.assign(ticket, "Dana")
    read_again(rig, ticket)
    before = rig.session()
    rig.simulator.delete(ticket)
    read_again(rig, ticket)
    rig.simulator.restore(ticket)
    read_again(rig, ticket)
    after = rig.session()
    assert (after.labels, after.assignee, after.phase) == (before.labels, before.assignee, before.phase)
    assert before.assignee is not None and before.assignee.name == "Dana"


def test_a_status_for_a_closed_ticket_is_dropped_quietly(rig: Rig) -> None:
    ticket = opened(rig)
    rig.simulator.close(ticket)
    rig.apply(Resolved(id="resolve", at=rig.simulator.clock.now()))
    rig.work()
    later(rig)
    assert parked_words(rig) == [] and rig.session().phase is Phase.RESOLVED
    assert len(rig.simulator.state.tickets) == 1
