"""Opening a ticket: one call, nothing in it that must not leave, and what waits behind one that cannot be made."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime

import pytest

from handoff_sync.core.events import HandoffRequested, LabelChanged, NoteAdded, SessionStarted
from handoff_sync.core.model import Actor, ActorKind, Customer, LinkState, Phase, Trigger
from handoff_sync.simulator.faults import Fault, FaultKind
from handoff_sync.simulator.request_log import LoggedRequest
from handoff_sync.store.committer import Job
from tests.delivery.rig import Rig

CARD = "4111 1111 1111 1111"
NORA = Actor(kind=ActorKind.MEMBER, id="nora", name="Nora", via="console")


def now(rig: Rig) -> datetime:
    return rig.simulator.clock.now()


def label(rig: Rig, *names: str) -> None:
    rig.apply(LabelChanged(id=f"label-{names}", at=now(rig), actor=NORA, add=names))


def creations(rig: Rig) -> list[LoggedRequest]:
    return [r for r in rig.simulator.state.requests("POST") if re.search(r"/tickets(\.json)?$", r.path)]


def test_a_new_ticket_has_its_first_tags_from_the_start(rig: Rig) -> None:
    label(rig, "vip")
    rig.hand_over()
    rig.work()
    tags = set(rig.simulator.state.ticket(rig.ticket()).tags)
    assert {"vip", "ai_paused", "human-handoff", "handoff-sync"} <= tags
    assert not rig.simulator.state.requests("PUT", "/tags"), "opening costs one call less"
    rows = rig.app.reads.deliveries(rig.workspace).items
    assert {row.status for row in rows if row.kind == "ticket.set_tags"} == {"done"}


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.CUT])
def test_a_repeated_opening_sends_the_same_bytes_whatever_happened_meanwhile(rig: Rig, kind: FaultKind) -> None:
    rig.simulator.faults.add(Fault(kind=kind, method="POST", path=r"/tickets(\.json)?$", applied=True))
    label(rig, "vip")
    rig.say("<<one>>")
    rig.hand_over()
    rig.work()
    label(rig, "later")
    rig.say("<<two>>")
    for _ in range(4):
        rig.advance(30)
        rig.work()
    first, second = creations(rig)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert second.status == 201 and second.answer_headers["x-idempotency-lookup"] == "hit", "else the bytes differ"
    assert len(rig.simulator.state.tickets) == 1
    assert {"vip", "later", "ai_paused"} <= set(rig.simulator.state.ticket(rig.ticket()).tags)


def refused_opening(rig: Rig) -> int:
    """A ticket that Zendesk refuses; the id of the parked row."""
    rig.simulator.faults.fail(422, method="POST", path=r"/tickets(\.json)?$", count=1)
    rig.say("<<one>>")
    rig.hand_over()
    rig.work()
    (parked,) = [row for row in rig.parked() if row.kind == "ticket.open"]
    assert rig.session().links[0].state is LinkState.FAILED
    assert rig.session().phase is Phase.WAITING, "never back to the AI by itself"
    return int(parked.id)


def test_behind_a_parked_opening_words_wait_in_order_until_it_is_replayed(rig: Rig) -> None:
    row = refused_opening(rig)
    rig.say("<<two>>")
    rig.say("<<three>>")
    rig.work()
    assert rig.simulator.state.tickets == []
    assert rig.app.committer.run(Job(run=lambda uow: uow.unpark(rig.workspace, row)))
    rig.work()
    text = "\n".join(rig.simulator.state.texts(rig.ticket()))
    assert text.index("<<one>>") < text.index("<<two>>") < text.index("<<three>>")
    assert text.count("<<two>>") == text.count("<<three>>") == 1
    assert rig.session().links[0].state is LinkState.LINKED
    rig.say("<<four>>")
    rig.work()
    assert "\n".join(rig.simulator.state.texts(rig.ticket())).count("<<four>>") == 1


def test_behind_a_skipped_opening_words_are_parked_and_nothing_is_tried_for_hours(rig: Rig) -> None:
    row = refused_opening(rig)
    rig.say("<<two>>")
    assert rig.app.committer.run(Job(run=lambda uow: uow.skip(rig.workspace, row)))
    rig.work()
    assert "ticket.append" in [parked.kind for parked in rig.parked()]
    assert not rig.app.reads.deliveries(rig.workspace, status="pending").items


def test_card_numbers_leave_in_no_part_of_a_ticket(rig: Rig) -> None:
    """Subject, requester, summary, reason, transcript, tags, notes and comments."""
    customer = Customer(external_id="u-1", name=f"Ana {CARD}", email="ana@example.com")
    rig.apply(SessionStarted(id="start", at=now(rig), customer=customer))
    rig.say(f"my card is {CARD}")
    label(rig, f"paid {CARD}")
    request = HandoffRequested(
        id="please", at=now(rig), trigger=Trigger.SCENARIO, scenario=f"Card {CARD}", reason=f"has {CARD}",
        summary=f"pays with {CARD}",
    )  # fmt: skip
    rig.apply(request)
    rig.work()
    rig.say(f"again {CARD}")
    label(rig, f"twice {CARD}")
    rig.apply(NoteAdded(id="note", at=now(rig), actor=NORA, text=f"told me {CARD}"))
    rig.apply(replace(request, id="again", reason=f"still {CARD}"))
    rig.work()
    sent = [r for r in rig.simulator.state.requests() if r.method in ("POST", "PUT")]
    assert len(sent) > 4
    everything = json.dumps(rig.simulator.state.as_dict(requests=False), default=str)
    for spelled in (CARD, CARD.replace(" ", "_"), CARD.replace(" ", "")):
        assert spelled not in everything
    assert "1111" in everything, "the last four digits may stay"
    assert rig.ticket()


def test_a_message_without_words_holds_nothing_up(rig: Rig) -> None:
    rig.hand_over()
    rig.work()
    rig.say("")
    rig.say("<<after>>")
    for _ in range(3):
        rig.work()
        rig.advance(30)
    assert "<<after>>" in "\n".join(rig.simulator.state.texts(rig.ticket()))
    assert not rig.app.reads.deliveries(rig.workspace, status="pending").items
