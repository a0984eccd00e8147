"""A helpdesk that hangs holds up its own lanes and nobody else's, however many of them there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handoff_sync.delivery.shares import SLOW_S, Shares, Turn, spare
from handoff_sync.simulator.desk import Desk
from tests.delivery.desks import Desks, desks, until

THREADS = 4
STUCK = 3 * THREADS
USUAL_S = 4.0
"""What anything at a healthy helpdesk may take on a machine that has much to do; a call that hangs takes ten."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Desks]:
    """Workers with few threads. The first helpdesk is the one that will hang."""
    settings = {"worker_threads": THREADS, "sweep_interval_s": 0.2}
    with desks(tmp_path, ("zendesk", "intercom"), workers=True, **settings) as rig:
        yield rig
        rig.places[0].desk.stop()  # else everybody waits for calls that hang


def hanging(desk: Desk) -> int:
    """Calls that it has taken and not answered."""
    return sum(fault.hits for fault in desk.simulator.faults.waiting())


def test_with_more_stuck_lanes_than_threads_the_others_are_as_quick_as_ever(rig: Desks) -> None:
    sick, well = rig.places
    rig.hand_over("before")
    until("the usual", lambda: all((link := rig.link(place, "before")) and link.remote_id for place in rig.places))
    sick.desk.simulator.faults.hang(count=None)
    for number in range(STUCK):
        rig.hand_over(f"stuck-{number}")
    until("the sick helpdesk holds what it may hold", lambda: hanging(sick.desk) >= THREADS)
    rig.hand_over("talk")
    until("a ticket", lambda: (link := rig.link(well)) and link.remote_id, USUAL_S)
    rig.say("<<hello>>")
    until("an append", lambda: rig.saying(well, "<<hello>>"), USUAL_S)
    well.desk.reply(rig.ticket(well), "<<an answer>>")
    rig.tell(well)
    until("a reply", rig.heard, USUAL_S)
    tickets = [rig.link(well, f"stuck-{number}") for number in range(STUCK)]
    assert all(link is not None and link.remote_id for link in tickets), "their own other tickets are there, too"


def test_a_busy_helpdesk_is_worked_off_without_waiting_for_the_sweeper(tmp_path: Path) -> None:
    """More lanes than threads, and a sweeper that comes too late to help: whoever ends a lane takes the next."""
    with desks(tmp_path, ("zendesk",), workers=True, worker_threads=2, sweep_interval_s=60) as rig:
        (place,) = rig.places
        place.desk.simulator.faults.latency_s = 0.02
        talks = [f"talk-{number}" for number in range(STUCK)]
        for talk in talks:
            rig.hand_over(talk)
        until("all tickets", lambda: all((link := rig.link(place, talk)) and link.remote_id for talk in talks))
        until("nothing waits", lambda: not rig.outbox("pending"))


# --- the rule itself -------------------------------------------------------------------------------------


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def entered(shares: Shares, place: str, lanes: int) -> list[Turn]:
    return [shares.enter(place, f"{place}/{number}") for number in range(lanes)]


def test_one_place_may_have_all_threads_but_the_spare_ones() -> None:
    shares = Shares(8, Time())
    assert entered(shares, "a", 10) == [Turn.NOW] * 8 + [Turn.BUSY] * 2
    assert shares.crowded
    assert entered(shares, "b", spare(8)) == [Turn.NOW] * spare(8)


def test_the_longest_waiting_lane_of_a_busy_place_is_next() -> None:
    shares = Shares(1, Time())
    assert not shares.queue("a", "early"), "nothing of it runs that could end"
    shares.enter("a", "first")
    assert shares.queue("a", "second") and shares.queue("a", "third") and shares.queue("a", "second")
    assert shares.following("a") is None, "there is no room yet"
    shares.leave("a", "first", worked=True)
    assert [shares.following("a") for _ in range(3)] == ["second", "third", None]


def test_a_place_that_hangs_gets_few_threads_until_it_answers_again() -> None:
    clock = Time()
    shares = Shares(8, clock)
    entered(shares, "a", 8)
    clock.now = SLOW_S + 1
    assert shares.enter("a", "more") is Turn.SLOW
    for number in range(8):
        shares.leave("a", f"a/{number}", worked=False)
    assert entered(shares, "a", 4) == [Turn.NOW] * 2 + [Turn.SLOW] * 2, "it has not answered yet"
    shares.leave("a", "a/0", worked=False)
    assert shares.enter("a", "x") is Turn.NOW
    shares.leave("a", "x", worked=True)
    assert entered(shares, "a", 8).count(Turn.SLOW) == 0


def test_one_lane_that_takes_its_time_and_gets_there_is_no_sign_of_trouble() -> None:
    clock = Time()
    shares = Shares(8, clock)
    shares.enter("a", "a large file")
    clock.now = 10 * SLOW_S
    assert entered(shares, "a", 5) == [Turn.NOW] * 5
    shares.leave("a", "a large file", worked=True)
    assert shares.enter("a", "more") is Turn.NOW


def test_many_places_that_hang_leave_half_of_the_threads_to_the_others() -> None:
    clock = Time()
    shares = Shares(8, clock)
    places = [f"sick-{number}" for number in range(20)]
    for place in places:
        shares.enter(place, "x")
        clock.now += SLOW_S + 1
        shares.leave(place, "x", worked=False)
    turns = [turn for place in places for turn in entered(shares, place, 3)]
    assert turns.count(Turn.NOW) == 4
    assert entered(shares, "well", 4) == [Turn.NOW] * 4


def test_lanes_that_wait_for_a_place_come_back_by_themselves_when_it_hangs() -> None:
    clock = Time()
    shares = Shares(1, clock)
    shares.enter("a", "first")
    shares.queue("a", "second")
    clock.now = SLOW_S + 1
    assert not shares.queue("a", "third")
    shares.leave("a", "first", worked=False)
    assert shares.following("a") is None
