"""Apply one event to one session: the only way in which a session changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace

from handoff_sync.core.effects import Outcome, Verdict
from handoff_sync.core.events import CustomerMessage, Event, HumanMessage, SessionStarted, SessionSuperseded
from handoff_sync.core.machine import decide, new_session
from handoff_sync.core.model import Control, Customer, Session, Status
from handoff_sync.errors import NotFound
from handoff_sync.service.policies import left_out, policy_for
from handoff_sync.store.committer import Job
from handoff_sync.store.ids import new_id
from handoff_sync.store.unit import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of an event. `duplicate`: it was applied before; verdict and codes are those of the first time.

    `epoch` is the control epoch right after the event, the AI's licence when the verdict is ALLOW.
    """

    session: Session | None
    verdict: Verdict
    rule: str
    code: str = ""
    detail: str = ""
    duplicate: bool = False
    epoch: int = 0


def on_conversation(
    workspace_id: str,
    conversation_id: str,
    event: Event,
    *,
    channel: str = "web",
    customer: Customer | None = None,
    team: str | None = None,
) -> Job[Applied]:
    """Applies an event to the conversation's current session, and starts one where there is none (T1, T6, T7)."""

    def run(uow: UnitOfWork) -> Applied:
        if (repeat := _repeated(uow, workspace_id, event.id)) is not None:
            return repeat
        session = uow.session_of(workspace_id, conversation_id)
        if session is None:
            session = new_session(
                id=new_id("ses"),
                workspace=workspace_id,
                conversation_id=conversation_id,
                now=uow.now,
                channel=channel,
                customer=customer or Customer(),
                team=team,
            )
        elif _said_before(uow, session, event):
            return _known(uow, session, event)
        elif customer is not None and session.status is Status.OPEN:
            session = _introduced(uow, session, customer, event)
        return _apply(uow, session, event)

    return Job(run=run, conversations=((workspace_id, conversation_id),), inbox=((workspace_id, event.id),))


def on_session(workspace_id: str, session_id: str, event: Event) -> Job[Applied]:
    """Applies an event to one known session. NotFound when it is not of this workspace."""

    def run(uow: UnitOfWork) -> Applied:
        session = uow.session(session_id)
        if session is None or session.workspace != workspace_id:
            raise NotFound(f"No session {session_id!r} in this workspace.")
        return _repeated(uow, workspace_id, event.id) or _apply(uow, session, event)

    return Job(run=run, sessions=(session_id,), inbox=((workspace_id, event.id),))


def step(uow: UnitOfWork, session: Session, event: Event) -> Outcome:
    """Decides and stages one event inside a running transaction, following it into a new session where rules say so."""
    outcome = decide(session, event, policy_for(uow, session, event), uow.now)
    if outcome.verdict is Verdict.NEW_SESSION:
        fresh = _successor(session, uow)
        superseded = SessionSuperseded(id=f"superseded:{session.id}", at=uow.now, next_session=fresh.id)
        uow.save(decide(session, superseded, policy_for(uow, session, superseded), uow.now), superseded)
        uow.retire(session)
        outcome = decide(fresh, event, policy_for(uow, fresh, event), uow.now)
    outcome = _telling_who_is_left_out(uow, session, event, outcome)
    uow.save(outcome, event)
    return outcome


def _telling_who_is_left_out(uow: UnitOfWork, before: Session, event: Event, outcome: Outcome) -> Outcome:
    """People who look for a ticket that is not there find in the timeline why."""
    if before.human_handoff or not outcome.session.human_handoff:
        return outcome
    lines = tuple(
        replace(outcome.timeline[0], kind="ticket", text=f"No ticket at {name}: that connection is off.", data={})
        for name in left_out(uow, outcome.session, event)
    )
    return replace(outcome, timeline=(*outcome.timeline, *lines))


def _introduced(uow: UnitOfWork, session: Session, customer: Customer, event: Event) -> Session:
    """The session with what `event` newly tells of the customer: chats often learn the name after the first words."""
    if customer == session.customer:
        return session
    told = {field.name: value for field in fields(customer) if (value := getattr(customer, field.name))}
    known = replace(session.customer, **told)
    if "email" in told:
        known = replace(known, email_verified=customer.email_verified)
    if known == session.customer:
        return session
    learnt = SessionStarted(id=f"{event.id}#customer", at=event.at, channel=session.channel, customer=known)
    return step(uow, session, learnt).session


def _said_before(uow: UnitOfWork, session: Session, event: Event) -> bool:
    """Whether a platform repeats a message under a new event id. While the AI talks a repeat can do no harm."""
    if session.control is Control.AI or not isinstance(event, CustomerMessage | HumanMessage):
        return False
    return uow.has_message(session.id, event.message.id)


def _known(uow: UnitOfWork, session: Session, event: Event) -> Applied:
    known = Applied(
        session=session,
        verdict=Verdict.UNCHANGED,
        rule="T65",
        code="known_message",
        detail="This message was told before.",
        epoch=session.control_epoch,
    )
    uow.record_inbox(session.workspace, event.id, event.type, session.id, _encode(known))
    return known


def _successor(session: Session, uow: UnitOfWork) -> Session:
    return new_session(
        id=new_id("ses"),
        workspace=session.workspace,
        conversation_id=session.conversation_id,
        now=uow.now,
        channel=session.channel,
        customer=session.customer,
        team=session.team,
        previous=session,
    )


def _apply(uow: UnitOfWork, session: Session, event: Event) -> Applied:
    outcome = step(uow, session, event)
    applied = Applied(
        session=outcome.session,
        verdict=outcome.verdict,
        rule=outcome.rule,
        code=outcome.code,
        detail=outcome.detail,
        epoch=outcome.session.control_epoch,
    )
    uow.record_inbox(session.workspace, event.id, event.type, outcome.session.id, _encode(applied))
    return applied


def _encode(applied: Applied) -> str:
    assert applied.session is not None
    return json.dumps(
        [applied.session.id, applied.verdict, applied.rule, applied.code, applied.detail, applied.epoch],
        ensure_ascii=False,
    )


def _repeated(uow: UnitOfWork, workspace_id: str, event_id: str) -> Applied | None:
    """The stored answer, with the session as it is now."""
    stored = uow.inbox_result(workspace_id, event_id)
    if stored is None:
        return None
    session_id, verdict, rule, code, detail, epoch = json.loads(stored)
    first = Applied(session=None, verdict=Verdict(verdict), rule=rule, code=code, detail=detail, epoch=epoch)
    return replace(first, session=uow.session(session_id), duplicate=True)
