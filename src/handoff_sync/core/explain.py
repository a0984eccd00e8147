"""Why the AI is silent or speaking, in one sentence and then row by row (domain.md section 10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from handoff_sync.core.model import EndReason, Phase, Session, TimerKind
from handoff_sync.core.policy import Policy

_TIMERS: Final[Mapping[TimerKind, str]] = {
    TimerKind.PAUSE: "the pause ends",
    TimerKind.DECISION: "the decision expires",
    TimerKind.DECISION_REMINDER: "those who were asked are reminded",
    TimerKind.CLAIM_REMINDER: "people are reminded",
    TimerKind.CLAIM_TIMEOUT: "waiting for somebody is given up",
    TimerKind.SOLVED_GRACE: "the session follows the solved ticket",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`sentence` for people in a hurry; the rows name each fact and what it is."""

    sentence: str
    rows: tuple[tuple[str, str], ...]


def explain(session: Session, policy: Policy, at: str = "%Y-%m-%d %H:%M UTC") -> Explanation:
    """What holds now. `policy` is the current one; a running handoff is explained by its own. `at` formats times."""
    running = session.running_handoff
    rules = running.policy if running is not None else policy
    rows = [("phase", session.phase.value), ("AI mode", session.ai_mode.value), *_handoff_rows(session, at)]
    rows += [("timer", f"{_TIMERS[timer.kind]} at {timer.fires_at.strftime(at)}") for timer in session.timers]
    rows += [("back to the AI by", way) for way in _ways_back(session, rules)]
    rows += [("blocked by", block) for block in _blocks(session, rules)]
    return Explanation(sentence=_sentence(session, at), rows=tuple(rows))


def _sentence(session: Session, at: str) -> str:
    match session.phase:
        case Phase.AI:
            down = next(iter(_health(session)), None)
            return f"The AI is in charge, but silent: {down}." if down else "The AI speaks; nobody has taken over."
        case Phase.AI_DECIDING:
            return "The AI speaks while people decide whether somebody should take over."
        case Phase.WAITING:
            return f"The AI is silent because a human was asked for{_since(session, at)}; nobody has claimed it yet."
        case Phase.HUMAN:
            who = session.assignee.name or session.assignee.id if session.assignee is not None else "somebody"
            return f"The AI is silent because {who} has the session{_until(session.paused_until, at)}."
        case Phase.STOPPED:
            return "The AI is silent because somebody stopped it; only resume or reset ends that."
        case Phase.RESOLVED:
            return "The AI is silent because the session is resolved."
        case Phase.ARCHIVED:
            return "The AI is silent because the session is archived; the next message starts a new one."


def _since(session: Session, at: str) -> str:
    handoff = session.handoff
    return f" at {handoff.requested_at.strftime(at)}" if handoff is not None else ""


def _until(end: datetime | None, at: str) -> str:
    return f" until {end.strftime(at)}" if end is not None else ""


def _handoff_rows(session: Session, at: str) -> list[tuple[str, str]]:
    handoff = session.handoff
    if handoff is None:
        return [("handoff", "none so far")]
    rows = [
        ("handoff", f"{handoff.number}, {handoff.state.value}, since {handoff.requested_at.strftime(at)}"),
        ("trigger", handoff.trigger.value),
    ]
    rows += [("scenario", name) for name in handoff.scenarios]
    if handoff.reason:
        rows.append(("reason", handoff.reason))
    if handoff.ended_at is not None and handoff.end_reason is not None:
        rows.append(("ended", f"{handoff.end_reason.value.replace('_', ' ')} at {handoff.ended_at.strftime(at)}"))
    return rows


def _ways_back(session: Session, rules: Policy) -> tuple[str, ...]:
    match session.phase:
        case Phase.AI | Phase.AI_DECIDING | Phase.ARCHIVED:
            return ()
        case Phase.STOPPED:
            return ("resume", "reset")
        case Phase.RESOLVED:
            return ("reset, then the customer's next message",)
        case Phase.WAITING | Phase.HUMAN:
            return ("resume", "assigning an AI agent", "reset") if rules.live_handback else ("resolve", "reset")


def _blocks(session: Session, rules: Policy) -> list[str]:
    blocks = _health(session)
    if session.human_handoff and not rules.live_handback:
        blocks.append("live hand-back is off")
    if session.phase is Phase.AI_DECIDING:
        blocks.append("a decision is pending")
    if session.return_pending is not None:
        blocks.append(f"a return is due ({_words(session.return_pending)}) and waits for agent and channel")
    return blocks


def _health(session: Session) -> list[str]:
    states = (("Agent", session.agent_running), ("Channel", session.channel_running))
    return [f"{name} not running" for name, runs in states if not runs]


def _words(end: EndReason) -> str:
    return end.value.replace("_", " ")
