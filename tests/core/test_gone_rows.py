"""A ticket that is merged or deleted: rows T63 and T64."""

from __future__ import annotations

from handoff_sync.core.effects import AlertOps, MailAdmin, NoteOnTicket, OpenTicket, Verdict
from handoff_sync.core.events import SessionSuperseded
from handoff_sync.core.model import LinkState, Phase, TicketStatus
from handoff_sync.core.policy import MailKind
from tests.core.talk import (
    IC,
    ZD,
    Talk,
    created,
    customer,
    deleted,
    ids,
    in_human,
    in_resolved,
    merged,
    of,
    reply,
    returned,
    status,
)

CLOSED = TicketStatus.CLOSED


def state(talk: Talk, link: str = ZD) -> LinkState:
    return next(found.state for found in talk.session.links if found.id == link)


def test_t63_the_link_follows_its_ticket() -> None:
    talk = in_human()
    talk.send(merged("99"))
    assert (state(talk), talk.session.links[0].remote_id) == (LinkState.LINKED, "99")
    assert talk.send(merged("99")).rule == "T65"


def test_t63_but_not_into_somebody_elses() -> None:
    talk = in_human()
    outcome = talk.send(merged("99", owned_by="s9"))
    assert state(talk) is LinkState.DETACHED
    assert [effect.kind for effect in of(outcome, AlertOps)] == ["ticket_detached"]
    assert [effect.link for effect in of(outcome, NoteOnTicket)] == [ZD]
    assert talk.send(reply()).verdict is Verdict.IGNORED


def test_t63_whoever_loses_the_only_ticket_is_mailed_while_people_are_needed() -> None:
    mails = of(in_human().send(merged("99", owned_by="s9")), MailAdmin)
    assert {mail.kind for mail in mails} == {MailKind.TICKET_FAILED}
    assert of(in_resolved().send(merged("99", owned_by="s9")), MailAdmin) == []


def test_t63_an_earlier_session_leaves_its_ticket_to_the_one_that_goes_on() -> None:
    talk = in_resolved()
    target = talk.session.links[0].remote_id
    assert target is not None
    assert talk.send(merged(target, owned_by="s2")).verdict is Verdict.UNCHANGED, "it may still be opened again"
    talk.send(SessionSuperseded(**ids(), next_session="s2"))
    outcome = talk.send(merged(target, owned_by="s2"))
    assert state(talk) is LinkState.DETACHED
    assert of(outcome, AlertOps) == []


def test_t63_two_tickets_of_one_session_become_one() -> None:
    talk = in_human()
    talk.send(status(CLOSED, IC), customer())
    target = talk.session.links[1].remote_id
    assert target is not None
    talk.send(created(f"{IC}:2"), merged(target, f"{IC}:2"))
    assert state(talk, f"{IC}:2") is LinkState.MERGED


def test_t64_a_deleted_ticket_is_an_alarm_and_not_made_again() -> None:
    talk = in_human()
    outcome = talk.send(deleted())
    assert (state(talk), talk.phase) == (LinkState.DELETED, Phase.HUMAN)
    assert [effect.kind for effect in of(outcome, AlertOps)] == ["ticket_deleted"]
    assert [effect.kind for effect in of(outcome, MailAdmin)] == [MailKind.TICKET_FAILED] * 2
    assert not of(talk.send(customer()), OpenTicket)
    talk.send(deleted(restored=True))
    assert state(talk) is LinkState.LINKED


def test_t64_nobody_is_alarmed_when_nobody_needs_the_ticket() -> None:
    assert not returned().send(deleted()).effects
