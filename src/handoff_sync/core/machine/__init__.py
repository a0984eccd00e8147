"""The state machine: `decide` is the only thing that changes a session (domain.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from handoff_sync.core.effects import Outcome
from handoff_sync.core.events import Event
from handoff_sync.core.machine import (
    assignment,
    control,
    decisions,
    endings,
    handoffs,
    messages,
    notes,
    replies,
    status,
    tickets,
    timers,
    undo,
)
from handoff_sync.core.machine.step import Step
from handoff_sync.core.model import Customer, Phase, Session
from handoff_sync.core.policy import Policy

__all__ = ["decide", "new_session"]


class _Rule(Protocol):
    def __call__(self, step: Step, event: Any, /) -> Outcome: ...


_RULES: Mapping[str, _Rule] = {
    "session.started": messages.on_started,
    "session.superseded": messages.on_superseded,
    "customer.message": messages.on_customer,
    "customer.end_human": control.on_customer_end,
    "ai.message.proposed": messages.on_proposed,
    "ai.message.sent": messages.on_sent,
    "human.message": messages.on_human,
    "handoff.requested": handoffs.on_request,
    "decision.accepted": decisions.on_accepted,
    "decision.declined": decisions.on_declined,
    "decision.undone": undo.on_undone,
    "pause": control.on_pause,
    "extend": control.on_extend,
    "resume": control.on_resume,
    "stop": control.on_stop,
    "reset": control.on_reset,
    "claim": assignment.on_claim,
    "assign": assignment.on_assign,
    "unassign": assignment.on_unassign,
    "copilot.set": control.on_copilot,
    "note.added": notes.on_note,
    "label.changed": notes.on_label,
    "resolve": endings.on_resolve,
    "archive": endings.on_archive,
    "timer.fired": timers.on_timer,
    "ticket.created": tickets.on_created,
    "ticket.create_failed": tickets.on_create_failed,
    "ticket.status": status.on_status,
    "ticket.assigned": tickets.on_assigned,
    "ticket.public_reply": replies.on_public_reply,
    "ticket.note": notes.on_ticket_note,
    "ticket.tag": notes.on_tag,
    "ticket.merged": tickets.on_merged,
    "ticket.deleted": tickets.on_deleted,
    "health.changed": timers.on_health,
}


def decide(session: Session, event: Event, policy: Policy, now: datetime) -> Outcome:
    """The session after `event`, and everything to store and to do about it. Total and pure.

    Args:
        session: As stored; version 0 when nothing is stored yet.
        event: What happened. Whether it was applied before is the caller's to know (the inbox).
        policy: As resolved now; a running handoff keeps its own snapshot.
        now: Aware UTC; the same at a replay.

    Returns:
        An outcome for every phase and event, never an exception. NEW_SESSION: make one with
        `new_session(previous=session)`, apply the event there, and tell this one with `SessionSuperseded`.
    """
    return _RULES[event.type](Step(session, event, policy, now), event)


def new_session(
    *,
    id: str,
    workspace: str,
    conversation_id: str,
    now: datetime,
    channel: str = "web",
    customer: Customer | None = None,
    team: str | None = None,
    previous: Session | None = None,
) -> Session:
    """A session at version 0, before its first event.

    After another session of the conversation the epoch goes on counting, so that a licence of the AI is never valid
    twice. A resolved one hands on who and where; an archived one nothing, for its conversation starts from scratch.
    """
    fresh = Session(
        id=id,
        workspace=workspace,
        conversation_id=conversation_id,
        created_at=now,
        channel=channel,
        customer=customer or Customer(),
        team=team,
    )
    return fresh if previous is None else _after(fresh, previous)


def _after(fresh: Session, previous: Session) -> Session:
    session = replace(
        fresh,
        control_epoch=previous.control_epoch + 1,
        agent_running=previous.agent_running,
        channel_running=previous.channel_running,
        customer=previous.customer if fresh.customer == Customer() else fresh.customer,
        team=fresh.team or previous.team,
    )
    if previous.phase is Phase.ARCHIVED:
        return session
    return replace(session, previous_session_id=previous.id, ai_agent_id=previous.ai_agent_id)
