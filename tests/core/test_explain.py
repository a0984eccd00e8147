"""Why the AI is silent, said in one sentence and row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handoff_sync.core.explain import explain
from handoff_sync.core.model import Phase, TimerKind
from tests.core.talk import PHASES, POLICY, Talk, handover, health, in_ai, in_human, in_waiting, pause


def facts(talk: Talk, name: str) -> list[str]:
    return [what for fact, what in explain(talk.session, talk.policy).rows if fact == name]


@pytest.mark.parametrize(
    ("phase", "says"),
    [
        (Phase.AI, "speaks"),
        (Phase.AI_DECIDING, "people decide"),
        (Phase.WAITING, "nobody has claimed it"),
        (Phase.HUMAN, "Ana has the session"),
        (Phase.STOPPED, "stopped"),
        (Phase.RESOLVED, "resolved"),
        (Phase.ARCHIVED, "archived"),
    ],
)
def test_every_phase_has_its_sentence(phase: Phase, says: str) -> None:
    talk = PHASES[phase]()
    assert says in explain(talk.session, talk.policy).sentence


def test_the_rows_say_why_until_when_and_what_would_end_it() -> None:
    talk = in_ai()
    talk.send(pause(30, reason="checking a refund"))
    assert facts(talk, "reason") == ["checking a refund"]
    assert facts(talk, "timer") == ["the pause ends at 2026-03-02 12:30 UTC"]
    assert facts(talk, "back to the AI by") == ["resume", "assigning an AI agent", "reset"]
    assert facts(talk, "blocked by") == []


def blocked_by_policy() -> Talk:
    talk = in_ai(replace(POLICY, live_handback=False))
    talk.send(handover())
    return talk


def blocked_by_health() -> Talk:
    talk = in_ai()
    talk.send(pause(30), health(agent=False))
    talk.fire(TimerKind.PAUSE)
    return talk


@pytest.mark.parametrize(
    ("start", "block"),
    [
        (blocked_by_policy, "live hand-back is off"),
        (blocked_by_health, "Agent not running"),
        (blocked_by_health, "a return is due (timer expired) and waits for agent and channel"),
        (PHASES[Phase.AI_DECIDING], "a decision is pending"),
    ],
)
def test_what_blocks_the_way_back(start: Callable[[], Talk], block: str) -> None:
    assert block in facts(start(), "blocked by")


def test_an_ai_that_is_down_is_silent_although_in_charge() -> None:
    talk = in_ai()
    talk.send(health(channel=False))
    assert explain(talk.session, talk.policy).sentence == "The AI is in charge, but silent: Channel not running."


def test_a_running_handoff_is_explained_by_its_own_policy() -> None:
    talk = in_human()
    assert "resume" in facts(talk.but(live_handback=False), "back to the AI by")
    assert facts(in_waiting(), "handoff") == ["1, open, since 2026-03-02 12:00 UTC"]
