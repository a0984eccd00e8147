"""Taking a decision back within moments (rule T68): the question is open again, for everybody who was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from handoff_sync.core.effects import HandBack, Outcome
from handoff_sync.core.events import DecisionUndone
from handoff_sync.core.machine import links
from handoff_sync.core.machine.decisions import muted_by, origin_of, winner
from handoff_sync.core.machine.sides import ask, not_running, notice, tell_decided
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import undone_note
from handoff_sync.core.model import Actor, Control, Decision, DecisionState, HandoffState, Phase, Session

UNDO_TIME: Final = timedelta(seconds=30)
_UNDOABLE: Final = frozenset({DecisionState.ACCEPTED, DecisionState.DECLINED})
_MOVED_ON: Final = "moved_on", "The session has moved on; pause, resume or hand it over instead."


def on_undone(step: Step, event: DecisionUndone) -> Outcome:
    """T68. Undoing an acceptance gives the AI its licence back, which needs that nobody has answered the customer."""
    decision = step.session.decision
    if decision is None:
        return step.refused("T68", "no_decision", "No decision was taken.")
    if event.version not in (None, decision.version):
        return step.refused("T68", "stale_decision", "That decision was followed by another one.")
    why = _who_and_when(step.session, decision, step.actor, step.now) or _what_since(step.session, decision)
    if why is not None:
        return step.refused("T68", *why)
    cause = not_running(step) if step.session.control is Control.HUMAN else None
    if cause is not None and not step.actor.is_person:
        return step.refused("T47", cause[0], f"{cause[1]}; a person may undo it nevertheless.")
    _undo(step, decision)
    code, words = cause or ("", "")
    text = "The decision was undone; the question is open again."
    return step.done("T68", text, code=code, detail=words, data=origin_of(event))


def undoable_until(session: Session, actor: Actor, now: datetime) -> datetime | None:
    """Until when `actor` may take the session's decision back; None where they may not."""
    decision = session.decision
    if decision is None or decision.decided_at is None:
        return None
    if _who_and_when(session, decision, actor, now) is not None or _what_since(session, decision) is not None:
        return None
    return decision.decided_at + UNDO_TIME


def _who_and_when(session: Session, decision: Decision, actor: Actor, now: datetime) -> tuple[str, str] | None:
    """Only the decider, and only for moments."""
    if decision.state is DecisionState.PENDING:
        return "not_decided", "Nobody has decided yet."
    if decision.state not in _UNDOABLE or decision.decided_by is None or decision.decided_at is None:
        return "not_undoable", f"Nothing to undo: {winner(session) or decision.state.value}."
    if (decision.decided_by.kind, decision.decided_by.id) != (actor.kind, actor.id):
        return "not_the_decider", f"Only who decided can undo it: {winner(session)}."
    if now - decision.decided_at > UNDO_TIME:
        return "too_late", f"A decision can be undone for {UNDO_TIME.seconds} seconds."
    return None


def _what_since(session: Session, decision: Decision) -> tuple[str, str] | None:
    """Whether things are still as the decision left them."""
    if decision.handoff != len(session.handoffs):
        return _MOVED_ON
    if decision.state is DecisionState.DECLINED:
        return None if session.phase is Phase.AI else _MOVED_ON
    if not session.human_handoff:
        return _MOVED_ON
    relied_at = session.handoffs[-1].relied_at
    if relied_at is not None and decision.decided_at is not None and relied_at >= decision.decided_at:
        return "customer_was_answered", "People have gone on since; resume gives the AI the word again."
    by = decision.decided_by.id if decision.decided_by is not None else ""
    if session.assignee is not None and session.assignee.id != by:
        return "already_claimed_by", f"{session.assignee.name or session.assignee.id} holds the session already."
    return None


def _undo(step: Step, decision: Decision) -> None:
    names = muted_by(step.session.handoffs[-1])
    step.change_handoff(state=HandoffState.DECIDING, decided_at=None, ended_at=None, end_reason=None)
    step.change(mutes=tuple(mute for mute in step.session.mutes if mute.scenario not in names))
    if step.session.control is Control.HUMAN:
        _give_the_word_back(step)
    ask(step)
    step.audit("decision_undone", decision.state.value)
    tell_decided(step, replace(decision, state=DecisionState.UNDONE, decided_by=step.actor, decided_at=step.now))


def _give_the_word_back(step: Step) -> None:
    """The tickets stay linked: whoever accepts next finds them."""
    step.change(
        timers=(), copilot=False, paused_until=None, assignee=None, return_pending=None, solved_by=None
    )  # fmt: skip
    step.raise_epoch()
    step.emit(
        HandBack(
            handoff=step.handoff_number,
            summary=step.session.summary,
            version=step.version,
            ai_agent_id=step.session.ai_agent_id,
        )
    )
    links.state_tag(step, "ai_active")
    links.note(step, f"undone:{step.version}", undone_note(step.actor.name or step.actor.id))
    notice(step, "on_return", step.rules.customer_notice.on_return)
