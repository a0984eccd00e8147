"""The sweeper finds what is due, and one sick thing hides no other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.events import Paused
from handoff_sync.core.model import Actor, ActorKind, Phase
from handoff_sync.service.apply import on_session
from handoff_sync.worker.sweeper import Sweeper
from tests.delivery.rig import Rig, make_rig

NORA = Actor(kind=ActorKind.MEMBER, id="nora", name="Nora", via="console")


@pytest.fixture(scope="module")
def simulator() -> Iterator[ZendeskSimulator]:
    with ZendeskSimulator() as simulator:
        yield simulator


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[Rig]:
    simulator.reset()
    rig = make_rig(tmp_path, simulator)
    yield rig
    rig.app.stop()


class Reminded:
    def __init__(self) -> None:
        self.lanes: list[str] = []

    def __call__(self, lanes: Collection[str]) -> None:
        self.lanes += lanes


def pause(rig: Rig, talk: str, minutes: int = 10) -> None:
    rig.say("hello", talk)
    now = rig.simulator.clock.now()
    rig.apply(Paused(id=f"pause-{talk}", at=now, actor=NORA, minutes=minutes), talk)


def phases(rig: Rig, *talks: str) -> list[Phase]:
    return [rig.session(talk).phase for talk in talks]


def resumes(rig: Rig, talk: str) -> int:
    rows = rig.app.reads.pause_log(rig.workspace, rig.session(talk).id)
    return sum(row.action == "auto_resume" for _, row in rows)


def test_a_timer_fires_once_and_not_early_however_often_one_looks(rig: Rig) -> None:
    pause(rig, "one")
    rig.advance(599)
    rig.app.sweeper.tick()
    assert phases(rig, "one") == [Phase.HUMAN]
    rig.advance(2)
    for _ in range(3):
        rig.app.sweeper.tick()
    assert phases(rig, "one") == [Phase.AI] and resumes(rig, "one") == 1


def test_timers_that_passed_during_an_outage_all_fire_at_the_next_look(rig: Rig) -> None:
    talks = [f"talk-{number}" for number in range(20)]
    for minutes, talk in enumerate(talks, start=1):
        pause(rig, talk, minutes)
    rig.advance(3600)
    rig.app.sweeper.tick()
    assert set(phases(rig, *talks)) == {Phase.AI}
    assert {resumes(rig, talk) for talk in talks} == {1}


def test_a_session_that_nobody_can_read_stops_no_other_timer_and_no_lane(rig: Rig) -> None:
    pause(rig, "sick")
    pause(rig, "well")
    poison(rig, rig.session("sick").id)
    rig.advance(601)
    reminded = Reminded()
    Sweeper(rig.app.committer, rig.app.reads, reminded, 1.0).tick()
    assert phases(rig, "well") == [Phase.AI]
    assert reminded.lanes, "and lanes are looked at all the same"


def poison(rig: Rig, session_id: str) -> None:
    with rig.app.db.write.begin() as connection:
        connection.execute(text("UPDATE sessions SET state = '{}' WHERE id = :id"), {"id": session_id})


def test_a_plan_that_fails_hides_no_due_lane(rig: Rig) -> None:
    rig.hand_over()

    def plan() -> None:
        raise RuntimeError("the connections cannot be read")

    reminded = Reminded()
    Sweeper(rig.app.committer, rig.app.reads, reminded, 1.0, plan).tick()
    assert reminded.lanes


def test_an_old_timer_does_nothing(rig: Rig) -> None:
    """The pause was made longer: its first end is no end any more."""
    pause(rig, "one")
    session = rig.session("one")
    now = rig.simulator.clock.now()
    longer = Paused(id="longer", at=now, actor=NORA, minutes=60)
    rig.app.committer.run(on_session(rig.workspace, session.id, longer))
    rig.advance(601)
    rig.app.sweeper.tick()
    assert phases(rig, "one") == [Phase.HUMAN]
