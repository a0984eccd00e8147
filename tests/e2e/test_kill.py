"""kill -9 around every outside call: always one ticket, each message once, and work resumes by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from handoff_connectors.intercom.simulator.workspace import FIRST_TEAM
from handoff_sync.simulator.desk import Call, Desk
from handoff_sync.simulator.faults import Fault, FaultKind
from tests.e2e.arrival import everything_arrived
from tests.e2e.stand import Stand, lagging, until

POINTS = (
    "open.before",
    "open.answered",
    "open.settling",
    "append.before",  # the note that follows every opening
    "append.answered",
    "append.settling",
    "append.before#2",  # what the customer says next
    "append.answered#2",
    "append.settling#2",
)
STANDS = [("zendesk", "embedded"), ("zendesk", "production"), ("gorgias", "embedded"), ("intercom", "production")]
AT_POINTS = [
    *((*stand, point) for point, stand in zip(POINTS, itertools.cycle(STANDS[:2]), strict=False)),
    *((*stand, point) for stand in STANDS[2:] for point in POINTS),
]
KINDS = ("zendesk", "gorgias", "intercom")
WRITES: Mapping[str, tuple[Call, ...]] = {
    "zendesk": (
        Call(method="POST", path=r"/users/create_or_update"),
        Call(method="POST", path=r"/tickets(\.json)?$"),
    ),
    "gorgias": (
        Call(method="POST", path=r"/customers$"),
        Call(method="POST", path=r"/tickets$"),
    ),
    "intercom": (
        Call(method="POST", path=r"/contacts$"),
        Call(method="POST", path=r"/conversations$"),
        Call(method="PUT", path=r"/conversations/\d+$"),  # title and attributes
        Call(method="POST", path=r"/conversations/\d+/reply$"),  # the transcript
        Call(method="POST", path=r"/conversations/\d+/parts$"),  # the team
        Call(method="POST", path=r"/tags$"),
        Call(method="POST", path=r"/conversations/\d+/tags$"),
    ),
}
"""Everything that opening a ticket writes, in order."""
LOST = (FaultKind.DROP, FaultKind.CUT, FaultKind.HTML)

Start = Callable[..., Stand]


@pytest.fixture
def stand_at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Makes a stand at a helpdesk of this kind, with SQLite in one process or PostgreSQL and Redis and two."""
    ending: list[Callable[[], None]] = []

    def make(kind: str, engine: str, **options: Any) -> Stand:
        urls = f"sqlite:///{tmp_path}/handoff.db", "memory://"
        if engine == "production":
            urls = request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url")
        desk = lagging(kind)
        desk.start()
        ending.append(desk.stop)
        stand = Stand(tmp_path, desk, *urls, **options)
        ending.append(stand.stop)
        return stand

    yield make
    for end in reversed(ending):
        end()


def hang(desk: Desk, call: Call, *, applied: bool) -> Fault:
    """The next such request gets no answer; the helpdesk does what it asks, or does not."""
    return desk.simulator.faults.add(
        Fault(kind=FaultKind.HANG, method=call.method, path=call.path, applied=applied, delay_s=60)
    )


def lose(desk: Desk, call: Call) -> None:
    """The answers to the next such requests."""
    for kind in LOST:
        desk.simulator.faults.add(Fault(kind=kind, method=call.method, path=call.path, applied=True))


@pytest.mark.parametrize(("kind", "engine", "point"), AT_POINTS)
def test_killed_at_a_checkpoint(stand_at: Start, kind: str, engine: str, point: str) -> None:
    stand = stand_at(kind, engine)
    stand.start(point)
    stand.say("talk", 1)
    stand.say("talk", 2)
    stand.hand_over("talk")
    if point.endswith("#2"):
        stand.linked("talk")
        stand.idle()
        stand.say("talk", 3)
    stand.was_killed()
    stand.start()
    stand.say("talk", 3)
    stand.say("talk", 4)
    everything_arrived(stand, {"talk": 4})


def test_what_three_workers_died_of_waits_for_a_person_and_is_then_done_once(stand_at: Start) -> None:
    """Three without a pause in between: where a look-up must be waited for, they are not in a row."""
    stand = stand_at("zendesk", "production")
    for attempt in range(3):
        stand.start("open.settling")
        if not attempt:
            stand.say("talk", 1)
            stand.hand_over("talk")
        stand.was_killed(times=attempt + 1)
    stand.start()
    stand.say("talk", 2)
    until("it is parked", lambda: stand.get("/v1/deliveries?status=parked")["items"])
    stand.retry_parked()
    everything_arrived(stand, {"talk": 2})


@pytest.mark.parametrize("kind", KINDS)
def test_killed_amid_the_parts_of_a_long_transcript(stand_at: Start, kind: str) -> None:
    stand = stand_at(kind, "embedded")
    stand.start("append.answered")
    for number in range(1, 6):
        stand.say("talk", number, " and so on" * 1500)
    stand.hand_over("talk")
    stand.was_killed()
    assert stand.desk.ticket_ids()  # it was the transcript's second part
    stand.start()
    stand.say("talk", 6)
    everything_arrived(stand, {"talk": 6})


@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not-applied"])
@pytest.mark.parametrize("what", ["open", "append"])
@pytest.mark.parametrize(("kind", "engine"), STANDS)
def test_killed_while_the_helpdesk_has_the_request(
    stand_at: Start, kind: str, engine: str, what: str, applied: bool
) -> None:
    """After the request was sent and before any answer: the helpdesk may or may not have done it."""
    stand = stand_at(kind, engine)
    stand.start()
    stand.say("talk", 1)
    if what == "open":
        held = hang(stand.desk, stand.desk.opening, applied=applied)
        stand.hand_over("talk")
    else:
        stand.hand_over("talk")
        stand.linked("talk")
        stand.idle()
        held = hang(stand.desk, stand.desk.appending, applied=applied)
        stand.say("talk", 2)
    until("the request is under way", lambda: held.hits)
    stand.kill()
    stand.start()
    stand.say("talk", 2)
    stand.say("talk", 3)
    everything_arrived(stand, {"talk": 3})


@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not-applied"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_the_helpdesk_has_any_request_of_an_opening(stand_at: Start, kind: str, applied: bool) -> None:
    """Several talks, each held at another step; one kill ends them all."""
    rule = {"group": str(FIRST_TEAM), "custom_fields": {"Unknown there": "x"}} if kind == "intercom" else {}
    stand = stand_at(kind, "embedded", rule=rule, threads=12)
    stand.start()
    held = [hang(stand.desk, call, applied=applied) for call in WRITES[kind]]
    talks = [f"talk-{number}" for number in range(len(held) + 1)]
    for talk in talks:
        stand.say(talk, 1)
        stand.hand_over(talk)
    until("each step is held once", lambda: all(fault.hits for fault in held))
    stand.kill()
    stand.start()
    for talk in talks:
        stand.say(talk, 2)
    everything_arrived(stand, dict.fromkeys(talks, 2))
    if kind == "intercom":
        state = cast(Any, stand.desk.simulator).state
        for ticket in stand.desk.ticket_ids():
            assert state.conversation(ticket).team_assignee_id == FIRST_TEAM
            assert len(state.parts(ticket, "assignment")) == 1


@pytest.mark.parametrize(("kind", "engine"), STANDS[1:])
def test_done_but_the_answer_is_lost(stand_at: Start, kind: str, engine: str) -> None:
    """Nobody is killed; the helpdesk did what was asked and its answer never came, in any of three ways."""
    stand = stand_at(kind, engine)
    stand.start()
    talks = [f"talk-{lost}" for lost in LOST]
    lose(stand.desk, stand.desk.opening)
    for talk in talks:
        stand.say(talk, 1)
        stand.hand_over(talk)
    for talk in talks:
        stand.linked(talk)
    stand.idle()
    lose(stand.desk, stand.desk.appending)
    for talk in talks:
        stand.say(talk, 2)
        stand.say(talk, 3)
    everything_arrived(stand, dict.fromkeys(talks, 3))
    assert stand.desk.simulator.faults.waiting() == []
