"""Tickets that are no longer there as they were: merged, deleted, restored, never made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from handoff_sync.contract.features import Feature
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import TicketGone, VendorRejected
from tests.contract.suite.bench import Bench
from tests.contract.suite.parts import MemoryJournal

NEVER_MADE: Final = "987654321"
NO_IDS: Final = ("../x", "1/2", "", "1?x", "1#x", " 1", "1\n", "%31", "..", "-1", "١", "last", "1" * 10_240)
"""Nothing of this may become part of an address."""


def a_merged_ticket_names_its_target(bench: Bench) -> None:
    """Known from the first reading on and at every later one, in any process, and never taken for solved."""
    source, target = bench.opened("hs:acme:1"), bench.opened("hs:acme:2")
    cursor = bench.read(source).cursor
    bench.desk.merge(source, target)
    for process in (bench.connector, bench.another()):
        snapshot = bench.read(source, cursor, process)
        assert (snapshot.merged_into, snapshot.deleted) == (target, False)
        assert snapshot.status is not TicketStatus.SOLVED
        later = bench.read(source, snapshot.cursor, process)
        assert later.merged_into == target
        assert later.status is not TicketStatus.SOLVED
    assert bench.read(target).merged_into is None
    assert bench.read(target).status is TicketStatus.OPEN
    assert bench.heard(source, cursor) == bench.heard(target) == [], "merging is no answer"


def a_merged_and_solved_ticket_is_still_merged(bench: Bench) -> None:
    """What an agent solved and then merged is merged: the solution is not the target's."""
    source, target = bench.opened("hs:acme:1"), bench.opened("hs:acme:2")
    bench.desk.solve(source)
    cursor = bench.read(source).cursor
    bench.pass_time(600)
    bench.desk.merge(source, target)
    snapshot = bench.read(source, cursor)
    assert (snapshot.merged_into, snapshot.status is TicketStatus.SOLVED) == (target, False)


def merges_lead_through_chains(bench: Bench) -> None:
    """A ticket whose target was merged in turn leads, step by step, to the one that is left."""
    first, second, last = (bench.opened(f"hs:acme:{number}") for number in range(3))
    bench.desk.merge(first, second)
    bench.pass_time(600)
    bench.desk.merge(second, last)
    place, steps = first, 0
    while (following := bench.read(place, None, bench.another()).merged_into) is not None:
        place, steps = following, steps + 1
        assert steps <= 2
    assert place == last


def two_merges_at_once_are_not_mixed_up(bench: Bench) -> None:
    """Of two merges in the same moment each names its own target or none, and none is taken for solved."""
    tickets = [bench.opened(f"hs:acme:{number}") for number in range(4)]
    pairs = ((tickets[0], tickets[1]), (tickets[2], tickets[3]))
    for source, target in pairs:
        bench.desk.merge(source, target)
    for source, target in pairs:
        snapshot = bench.read(source)
        assert snapshot.merged_into in (target, None)
        assert snapshot.status is not TicketStatus.SOLVED


def a_ticket_that_was_taken_away_says_so(bench: Bench) -> None:
    """Deleted, trashed or marked as spam is a snapshot that says so, in any process; the customer is told to nobody."""
    assert "delete" in bench.desk.removals
    for number, (name, remove) in enumerate(bench.desk.removals.items()):
        ticket = bench.opened(f"hs:acme:{number}")
        cursor = bench.read(ticket).cursor
        remove(ticket)
        for process in (bench.connector, bench.another()):
            snapshot = bench.read(ticket, cursor, process)
            assert snapshot.deleted and snapshot.id == ticket, name
            assert (snapshot.comments, snapshot.merged_into) == ((), None), name
            assert bench.read(ticket, snapshot.cursor, process).deleted, name
        with pytest.raises(TicketGone):
            bench.connector.append(ticket, bench.words(f"m-{number}"), MemoryJournal())


def a_restored_ticket_is_back(bench: Bench) -> None:
    """Where a deleted ticket can come back it is as it was: nothing is told twice, and what is new is told."""
    ticket = bench.opened()
    bench.desk.reply(ticket, "before")
    cursor = bench.read(ticket).cursor
    bench.desk.delete(ticket)
    gone = bench.read(ticket, cursor)
    if not bench.capabilities.can(Feature.RESTORE):
        with pytest.raises(ValueError):
            bench.desk.restore(ticket)
        bench.exempt(Feature.RESTORE)
    bench.desk.restore(ticket)
    back = bench.read(ticket, gone.cursor)
    assert (back.deleted, back.comments, back.status) == (False, (), TicketStatus.OPEN)
    bench.desk.reply(ticket, "after")
    assert [comment.text for comment in bench.heard(ticket, back.cursor)] == ["after"]


def a_ticket_that_never_was_is_gone(bench: Bench) -> None:
    """An id of nothing reads as deleted, takes no words, and makes nothing."""
    there = bench.opened()
    assert bench.read(NEVER_MADE).deleted
    process = bench.another()
    with pytest.raises(TicketGone):
        process.append(NEVER_MADE, bench.words(), MemoryJournal())
    with pytest.raises(TicketGone):
        process.set_status(NEVER_MADE, TicketStatus.SOLVED, "s-1")
    assert bench.desk.ticket_ids() == (there,)


def what_is_no_id_never_becomes_a_path(bench: Bench) -> None:
    """Dots, slashes, signs and masses of digits where an id belongs are refused before anything is asked."""
    bench.read(bench.opened())  # signed in, and whatever is looked up once
    before = len(bench.desk.simulator.log.all())
    for ticket in NO_IDS:
        for name, ask in _calls(bench, ticket).items():
            with pytest.raises(VendorRejected):
                ask()
                pytest.fail(f"{name} took {ticket[:20]!r}")
    asked = [entry.path for entry in bench.desk.simulator.log.all()[before:]]
    assert asked == []


def what_is_no_agent_never_becomes_one(bench: Bench) -> None:
    """An assignee whose id is none, or nobody's, is refused, and who has the ticket keeps it."""
    ticket = bench.opened()
    bench.desk.assign(ticket, bench.desk.agent_name)
    for agent in (*NO_IDS, NEVER_MADE):
        with pytest.raises(VendorRejected):
            bench.connector.set_assignee(ticket, agent, "a-1")
            pytest.fail(f"took {agent[:20]!r}")
        assert bench.desk.ticket(ticket).assignee == bench.desk.agent_name


def _calls(bench: Bench, ticket: str) -> dict[str, Callable[[], object]]:
    bot = bench.connector
    return {
        "read": lambda: bot.read(ticket, None),
        "append words": lambda: bot.append(ticket, bench.words(), MemoryJournal()),
        "append a note": lambda: bot.append(ticket, bench.remark(), MemoryJournal()),
        "find_appended": lambda: bot.find_appended(ticket, "m-1"),
        "set_status": lambda: bot.set_status(ticket, TicketStatus.SOLVED, "s-1"),
        "set_assignee": lambda: bot.set_assignee(ticket, None, "a-1"),
        "set_tags": lambda: bot.set_tags(ticket, ("x",), ("y",), "t-1"),
    }
