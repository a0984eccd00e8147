"""No word of the AI after a takeover: over every order of what the AI and people do, and with all of it at once."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from handoff_sync.core.policy import Mode, Policy, Recipient
from tests.e2e.gated import Platform, gated
from tests.e2e.stand import until

TEAM = (Recipient(email="admin@example.com"),)
AUTOMATIC = Policy(handover_mode=Mode.AUTOMATIC, recipients=TEAM)
ASKING = Policy(handover_mode=Mode.SEMI_AUTOMATIC, recipients=TEAM)

STEPS = ("customer", "handover", "pause", "resume", "claim", "stop")
"""What the customer and people do."""
DECIDED = ("customer", "please", "accept", "decline")
"""The same where a person is asked before a human takes over; until then the AI speaks."""
TAKEOVERS = ("handover", "pause", "claim", "stop", "reply")


@pytest.fixture(scope="module")
def sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("gate")
    with gated(folder, f"sqlite:///{folder / 'gate.db'}", AUTOMATIC) as http:
        yield http


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def take(platform: Platform, step: str) -> str:
    """One step of somebody else; who is in control afterwards."""
    match step:
        case "customer":
            return platform.says("?")
        case "please":
            return str(platform.event("handoff.requested", trigger="customer_request")["session"]["control"])
        case "reply":
            return platform.act("message", text="Mona here.")
        case _:
            return platform.act(step)


def propose(platform: Platform, licence: int, number: int) -> tuple[str, str]:
    """The AI wants to send what it generated under `licence`; the gate and the event are the same question."""
    message = {"id": f"ai-{number}", "text": f"words {number}"}
    if number % 2:
        answer = platform.event("ai.message.proposed", message=message, epoch=licence)
        return answer["verdict"], answer["code"]
    answer = platform.ask(message=message, epoch=licence)
    return answer["decision"], answer["reason"]


def play(platform: Platform, steps: Sequence[str]) -> None:
    """The AI asks before and after every step, and after every step proposes what it generated under each answer.

    So one run holds every place of asking with every later place of proposing. Only what was generated and proposed
    while the AI was in control all the time may be said; who was, the steps themselves answer.
    """
    controls = ["ai"]
    licences = [platform.ask()["epoch"]]
    reasons: list[str] = []
    numbers = itertools.count()
    for place in range(len(steps) + 1):
        if place:
            controls.append(take(platform, steps[place - 1]))
            licences.append(platform.ask()["epoch"])
        for asked, licence in enumerate(licences):
            decision, reason = propose(platform, licence, next(numbers))
            may = all(control == "ai" for control in controls[asked:])
            assert decision == ("allow" if may else "block"), (steps, asked, place, reason)
            if not may:
                reasons.append(reason)
    assert platform.blocked() == reasons, (steps, "each blocked attempt is on record with its reason")
    assert platform.said_by_ai() == [], (steps, "nothing that was blocked is in the transcript")


# --- one after the other ----------------------------------------------------------------------------


@pytest.mark.parametrize("first", STEPS)
def test_every_order_of_the_ais_steps_and_three_of_others(sqlite: httpx.Client, first: str) -> None:
    """What has fewer steps is the beginning of one that has three."""
    for rest in itertools.product(STEPS, repeat=2):
        steps = (first, *rest)
        play(Platform(sqlite, "-".join(steps)), steps)


def test_every_order_where_a_person_decides_first(sqlite_url: str, tmp_path: Path) -> None:
    with gated(tmp_path, sqlite_url, ASKING) as http:
        for steps in itertools.product(DECIDED, repeat=3):
            play(Platform(http, "-".join(steps)), steps)


def test_long_talks(database: str, tmp_path: Path) -> None:
    """A sample of longer orders, with more kinds of steps, on both kinds of database."""
    dice = random.Random(7)
    with gated(tmp_path, database, AUTOMATIC) as http:
        for number in range(5):
            steps = [dice.choice((*STEPS, "reply", "unassign", "reset", "please")) for _ in range(6)]
            play(Platform(http, f"long-{number}"), steps)


@pytest.mark.parametrize("step", TAKEOVERS)
def test_what_was_sent_just_before_a_takeover_is_kept_and_gives_nothing_back(sqlite: httpx.Client, step: str) -> None:
    """Allowed, sent, taken over, and only then reported: the customer has read it, so people must see it too."""
    platform = Platform(sqlite, f"sent-{step}")
    licence = platform.ask()["epoch"]
    assert propose(platform, licence, 0)[0] == "allow"
    assert take(platform, step) == "human"
    reported = platform.event("ai.message.sent", message={"id": "ai-0", "text": "words 0"})
    assert reported["session"]["control"] == "human"
    assert platform.said_by_ai() == ["words 0"]
    assert propose(platform, licence, 2) == ("block", "stale_epoch")


# --- all at once ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One question of an AI that wants to send what it generated under `licence`."""

    begun: float
    ended: float
    licence: int
    decision: str


def insist(platform: Platform, name: int, made: list[Attempt], over: threading.Event) -> None:
    """An AI that proposes one message after the other under the newest licence it was told of."""
    licence = platform.ask()["epoch"]
    while not over.is_set():
        begun = time.monotonic()
        answer = platform.ask(message={"id": f"ai-{name}-{len(made)}", "text": "words"}, epoch=licence)
        made.append(Attempt(begun=begun, ended=time.monotonic(), licence=licence, decision=answer["decision"]))
        licence = answer["epoch"]


def test_no_answer_after_a_takeover_allows_what_was_generated_before(database: str, tmp_path: Path) -> None:
    """Four AIs ask without a pause while people take over and give back, ten times."""
    over = threading.Event()
    attempts: list[list[Attempt]] = [[] for _ in range(4)]
    spans: list[tuple[float, float, int]] = []  # from the answer to a takeover until giving back; the epoch in between

    def all_asked_again(why: str) -> float:
        """Waits for an attempt of every AI that begins after now; returns now."""
        now = time.monotonic()
        until(why, lambda: all(made and made[-1].begun >= now for made in attempts))
        return now

    with gated(tmp_path, database, AUTOMATIC) as http, ThreadPoolExecutor(len(attempts)) as threads:
        platform = Platform(http, "busy")
        asking = [threads.submit(insist, platform, name, made, over) for name, made in enumerate(attempts)]
        try:
            for number in range(10):
                assert take(platform, TAKEOVERS[number % len(TAKEOVERS)]) == "human"
                taken = all_asked_again("the AIs ran into it")
                spans.append((taken, time.monotonic(), platform.state()["control_epoch"]))
                assert take(platform, "resume") == "ai"
                all_asked_again("the AIs may speak")
        finally:
            over.set()
        for future in asking:
            future.result()
        blocked = platform.blocked()
    made = [attempt for each in attempts for attempt in each]
    for taken, given, epoch in spans:
        after = [attempt for attempt in made if attempt.begun >= taken]
        assert {attempt.decision for attempt in after if attempt.licence < epoch} <= {"block"}
        assert {attempt.decision for attempt in after if attempt.ended <= given} == {"block"}
    assert len([attempt for attempt in made if attempt.decision == "allow"]) >= len(spans)
    assert len(blocked) == len([attempt for attempt in made if attempt.decision == "block"]), "each is on record once"
