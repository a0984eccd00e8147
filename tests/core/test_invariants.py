"""The invariants hold over random talks and over every short one; a talk told again ends the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from handoff_sync.core import events as ev
from handoff_sync.core.effects import Verdict
from handoff_sync.core.machine import decide
from handoff_sync.core.model import AuthorClass, Session, TicketStatus
from handoff_sync.core.policy import (
    AfterResolve,
    CloseRule,
    ConnectionRule,
    LateReply,
    Mode,
    OnClaimTimeout,
    OnDecisionExpiry,
    OnResolveTicket,
    Policy,
    TicketOnPause,
)
from handoff_sync.core.policy import Outcome as OnTicket
from tests.core.every_event import EVERY
from tests.core.invariants import Watch, timers_are_safe, ways_out
from tests.core.talk import (
    ANA,
    API,
    EVA,
    POLICY,
    RULE,
    ZD,
    Talk,
    accepted,
    assigned,
    create_failed,
    created,
    declined,
    deleted,
    fresh,
    health,
    ids,
    merged,
    pause,
    proposed,
    reply,
    request,
    reset,
    resume,
    status,
    tagged,
    ticket_note,
    undone,
)

POLICIES = st.builds(
    replace,
    st.just(POLICY),
    handover_mode=st.sampled_from(Mode),
    live_handback=st.booleans(),
    default_pause_minutes=st.sampled_from((None, 30)),
    on_decision_expiry=st.sampled_from(OnDecisionExpiry),
    claim_reminder_minutes=st.sampled_from((None, 5)),
    claim_timeout_minutes=st.sampled_from((None, 10)),
    on_claim_timeout=st.sampled_from(OnClaimTimeout),
    after_resolve=st.sampled_from(AfterResolve),
    on_ticket_solved=st.sampled_from(OnTicket),
    on_ticket_closed=st.sampled_from(OnTicket),
    multi_ticket_close_rule=st.sampled_from(CloseRule),
    session_resolve_sets_ticket=st.sampled_from(OnResolveTicket),
    late_reply=st.sampled_from(LateReply),
    ticket_on_pause=st.sampled_from(TicketOnPause),
    connections=st.sampled_from((POLICY.connections, (), (ConnectionRule(connection="ic"),))),
    recipients=st.sampled_from((POLICY.recipients, ())),
)

Move = Callable[[Talk, int], ev.Event | None]


def _link(session: Session, pick: int) -> str:
    return session.links[pick % len(session.links)].id if session.links else ZD


def _tick(talk: Talk, pick: int) -> None:
    talk.wait(minutes=(1, 45, 24 * 60, 100 * 60)[pick % 4])


def _fire(talk: Talk, pick: int) -> ev.Event | None:
    """The next timer's time comes; now and then it fires too early."""
    if not talk.session.timers:
        return None
    timer = min(talk.session.timers, key=lambda timer: timer.fires_at)
    if pick % 5:
        talk.now = max(talk.now, timer.fires_at)
    return ev.TimerFired(**ids(), kind=timer.kind, epoch=timer.epoch)


def _turn(talk: Talk, pick: int) -> None:
    """The policy changes while things are under way."""
    talk.policy = replace(talk.policy, live_handback=pick % 2 == 0, on_ticket_solved=list(OnTicket)[pick % 3])


ORDERS = (
    "resume", "pause 30m", "pause", "extend 1h", "stop", "reset", "copilot on", "copilot off", "accept", "decline",
    "claim", "resolve", "why", "status", "sing",
)  # fmt: skip
MOVES: dict[str, Move] = {
    "tick": _tick,
    "fire": _fire,
    "policy": _turn,
    "made": lambda talk, pick: created(_link(talk.session, pick), f"r{pick % 3}"),
    "not made": lambda talk, pick: create_failed(_link(talk.session, pick)),
    "status": lambda talk, pick: status(
        list(TicketStatus)[pick % 5], _link(talk.session, pick), EVA if pick % 2 else RULE
    ),
    "reply": lambda talk, pick: reply(_link(talk.session, pick)),
    "assigned": lambda talk, pick: assigned(EVA if pick % 3 else None, _link(talk.session, pick)),
    "merged": lambda talk, pick: merged(f"t{pick % 2}", _link(talk.session, pick), "other" if pick % 3 else None),
    "deleted": lambda talk, pick: deleted(_link(talk.session, pick), restored=pick % 2 == 0),
    "health": lambda talk, pick: health(agent=pick % 2 == 0, channel=pick % 3 != 0),
    "licence": lambda talk, pick: proposed(talk.session.control_epoch - pick % 2),
    "asked": lambda talk, pick: request(scenario=("a", "b", None)[pick % 3], mode=(None, *Mode)[pick % 4]),
    "yes": lambda talk, pick: accepted(claim=pick % 2 == 0),
    "no": lambda talk, pick: declined(),
    "after all not": lambda talk, pick: undone((ANA, ANA, EVA)[pick % 3]),
    "pause": lambda talk, pick: pause((None, 15, 120)[pick % 3], use_default=pick % 4 == 0),
    "resume by API": lambda talk, pick: resume(API),
    "reset by rule": lambda talk, pick: reset(RULE),
    "automation": lambda talk, pick: reply(_link(talk.session, pick), AuthorClass.AUTOMATION),
    "order": lambda talk, pick: ticket_note(f"/ai {ORDERS[pick % len(ORDERS)]}", _link(talk.session, pick // 7)),
    "tag": lambda talk, pick: tagged(
        ("ai_resume", "ai_pause", "ai_stop", "ai_resolve")[pick % 4], link=_link(talk.session, pick // 4)
    ),
    **{name: (lambda talk, pick, make=make: make(talk.session)) for name, make in EVERY.items()},
}


def play(policy: Policy, moves: list[tuple[str, int]]) -> Talk:
    """Makes the moves and checks every step."""
    talk, watch = fresh(policy), Watch()
    for name, pick in moves:
        event = MOVES[name](talk, pick)
        if event is None:
            continue
        before = talk.session
        outcome = talk.send(event)
        watch.see(before, event, outcome, talk)
    return talk


TALKS = st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 59)), max_size=50)


@settings(max_examples=400, deadline=None)
@given(policy=POLICIES, moves=TALKS)
def test_the_invariants_hold_in_any_talk(policy: Policy, moves: list[tuple[str, int]]) -> None:
    talk = play(policy, moves)
    ways_out(talk)
    timers_are_safe(talk)


def random_policy(chance: random.Random) -> Policy:
    pick = chance.choice
    return replace(
        POLICY,
        handover_mode=pick(list(Mode)),
        live_handback=chance.random() < 0.7,
        on_decision_expiry=pick(list(OnDecisionExpiry)),
        claim_timeout_minutes=pick((None, 10)),
        on_claim_timeout=pick(list(OnClaimTimeout)),
        after_resolve=pick(list(AfterResolve)),
        on_ticket_solved=pick(list(OnTicket)),
        on_ticket_closed=pick(list(OnTicket)),
        multi_ticket_close_rule=pick(list(CloseRule)),
        late_reply=pick(list(LateReply)),
        ticket_on_pause=pick(list(TicketOnPause)),
        connections=pick((POLICY.connections, POLICY.connections, (), (ConnectionRule(connection="ic"),))),
        recipients=pick((POLICY.recipients, ())),
    )


def test_the_invariants_hold_in_two_thousand_long_talks() -> None:
    chance = random.Random(20260302)
    names = sorted(set(MOVES) - {"archive"})
    met: set[str] = set()
    for _ in range(2000):
        moves = [(chance.choice(names), chance.randrange(60)) for _ in range(50)]
        talk = play(random_policy(chance), moves)
        ways_out(talk)
        met |= {outcome.rule for outcome in talk.outcomes}
    assert {f"T{number}" for number in range(1, 69)} - {"T45", "T7", "T50", "T51"} <= met


def outline(session: Session) -> tuple[object, ...]:
    """What can matter for the future, without names and counts."""
    last = session.handoff
    return (
        session.phase,
        session.copilot,
        session.paused_until is None,
        session.return_pending,
        session.agent_running,
        session.control_at_resolve,
        session.next_session_id is None,
        None if last is None else (last.state, last.end_reason, last.mode),
        tuple((link.state, link.status, last is not None and link.serves == last.number) for link in session.links),
        tuple(sorted(timer.kind for timer in session.timers)),
        bool(session.mutes),
    )


SHORT = replace(
    POLICY,
    connections=POLICY.connections[:1],
    recipients=(),
    claim_timeout_minutes=10,
    on_claim_timeout=OnClaimTimeout.RETURN_TO_AI,
    late_reply=LateReply.DELIVER_AND_RETAKE,
)


def test_the_invariants_hold_in_every_short_talk() -> None:
    """All talks of four events, each told only once where they lead to the same state."""
    variants = (SHORT, replace(SHORT, live_handback=False), replace(SHORT, on_ticket_solved=OnTicket.RETURN_TO_AI))
    moves: dict[str, Move] = {**{name: MOVES[name] for name in EVERY}, "fire": MOVES["fire"]}
    for policy in variants:
        seen: set[tuple[object, ...]] = set()
        edge = [(fresh(policy), Watch())]
        for _ in range(4):
            edge = [reached for start in edge for reached in _next(start, moves, seen)]
        assert len(seen) > 500


def _next(
    start: tuple[Talk, Watch], moves: dict[str, Move], seen: set[tuple[object, ...]]
) -> Iterator[tuple[Talk, Watch]]:
    talk, watch = start
    for move in moves.values():
        now, after = Talk(policy=talk.policy, session=talk.session, now=talk.now), watch.copy()
        event = move(now, 1)
        if event is None:
            continue
        before = now.session
        after.see(before, event, now.send(event), now)
        if (state := outline(now.session)) not in seen:
            seen.add(state)
            ways_out(now)
            timers_are_safe(now)
            yield now, after


@settings(max_examples=100, deadline=None)
@given(policy=POLICIES, moves=TALKS)
def test_a_talk_told_again_ends_the_same(policy: Policy, moves: list[tuple[str, int]]) -> None:
    """I4: also when what changed nothing is left out."""
    talk = play(policy, moves)
    again, short = fresh(policy).session, fresh(policy).session
    for (event, rules, now), outcome in zip(talk.recorded, talk.outcomes, strict=True):
        repeated = decide(again, event, rules, now)
        assert repeated == outcome
        again = repeated.session
        if outcome.verdict in (Verdict.APPLIED, Verdict.DRAFT, Verdict.BLOCK, Verdict.ALLOW):
            short = decide(short, event, rules, now).session
    assert again == short == talk.session
