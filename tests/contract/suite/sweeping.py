"""What changed at the helpdesk, found without a webhook."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from handoff_sync.contract.connector import ChangedTickets, Connector
from handoff_sync.core.model import TicketStatus
from tests.contract.suite.bench import Bench

POLL_S: Final = 60.0
LATE_S: Final = 45.0
CROWD: Final = 250
MOST_PAGES: Final = 40
STRANGE: Final = ("nonsense", "{}", "[]", "from:yesterday", "after:nothing", '{"since": "soon"}', "1", "\x00")


def every_change_of_a_ticket_is_found(bench: Bench) -> None:
    """Answer, note, the customer's own words, status, assignee, tags and merge, each from the cursor before it."""
    ticket, other, merged = (bench.opened(f"hs:acme:{number}") for number in range(3))
    desk = bench.desk
    changes: dict[str, Callable[[], object]] = {
        "reply": lambda: desk.reply(ticket, "an answer"),
        "note": lambda: desk.note(ticket, "a note"),
        "customer": lambda: desk.customer_reply(ticket, "by mail"),
        "assign": lambda: desk.assign(ticket, desk.colleague_name),
        "team": lambda: desk.assign_team(ticket),
        "tag": lambda: desk.add_tags(ticket, "ai_pause"),
        "untag": lambda: desk.remove_tags(ticket, "ai_pause"),
        "solve": lambda: desk.solve(ticket),
        "reopen": lambda: desk.reopen(ticket),
        "hold": lambda: desk.set_status(ticket, TicketStatus.ON_HOLD),
        "merge": lambda: desk.merge(ticket, merged),
    }
    cursor = _quiet(bench)
    for name, change in changes.items():
        change()
        ids, cursor = _sweep(bench, cursor)
        assert ticket in ids, name
        assert other not in ids, (name, "nobody touched it")
        cursor = _quiet(bench, cursor)


def every_removal_is_found(bench: Bench) -> None:
    """A ticket that an agent took away, in any way, or took back, is found like any other change."""
    cursor = _quiet(bench)
    for number, (name, remove) in enumerate(bench.desk.removals.items()):
        ticket = bench.opened(f"hs:acme:{number}")
        cursor = _quiet(bench, cursor)
        remove(ticket)
        ids, cursor = _sweep(bench, cursor)
        if name != "purge":  # of what is gone for good some helpdesks tell nothing; whoever asks for it learns it
            assert ticket in ids, name
        cursor = _quiet(bench, cursor)


def an_idle_account_tells_nothing_for_ever(bench: Bench) -> None:
    """Some time after the last change sweeps are empty, whatever the last changes were, and stay empty."""
    tickets = [bench.opened(f"hs:acme:{number}") for number in range(4)]
    _, cursor = _sweep(bench, None)
    bench.desk.reply(tickets[0], "an answer")
    bench.desk.delete(tickets[1])
    bench.desk.merge(tickets[2], tickets[3])
    bench.desk.crowd(3)
    cursor = _quiet(bench, cursor)
    for _ in range(5):
        bench.pass_time(POLL_S)
        ids, cursor = _sweep(bench, cursor)
        assert ids == []


def what_is_listed_late_is_not_missed(bench: Bench) -> None:
    """Changes that the helpdesk lists late are found, though sweeps before them have seen younger ones."""
    tickets = [bench.opened(f"hs:acme:{number}") for number in range(6)]
    cursor = _quiet(bench)
    bench.desk.lag(LATE_S)
    found: set[str] = set()
    for number, ticket in enumerate(tickets):
        bench.desk.reply(ticket, f"answer {number}")
        bench.desk.note(tickets[0], "and something else at once")
        bench.pass_time(20)
        ids, cursor = _sweep(bench, cursor)
        found |= set(ids)
    bench.pass_time(LATE_S + 1)
    ids, cursor = _sweep(bench, cursor)
    assert found | set(ids) >= set(tickets)


def sweeps_far_apart_miss_nothing(bench: Bench) -> None:
    """After hours without a sweep the cursor still leads to everything since, also in another process."""
    first, second = bench.opened("hs:acme:1"), bench.opened("hs:acme:2")
    cursor = _quiet(bench)
    bench.desk.reply(first, "soon after")
    bench.pass_time(20 * 3600)
    bench.desk.reply(second, "hours later")
    bench.pass_time(POLL_S)
    ids, _ = _sweep(bench, cursor, bench.another())
    assert {first, second} <= set(ids)


def changes_between_two_sweeps_of_one_second_are_found(bench: Bench) -> None:
    """What happens right after a sweep, within the same second, is found by the next."""
    ticket, other = bench.opened("hs:acme:1"), bench.opened("hs:acme:2")
    cursor = _quiet(bench)
    for number in range(5):
        bench.desk.reply(ticket, f"before {number}")
        _, cursor = _sweep(bench, cursor)
        bench.desk.reply(other, f"after {number}")
        ids, cursor = _sweep(bench, cursor)
        assert other in ids, number


def a_crowd_is_swept_to_the_end(bench: Bench) -> None:
    """250 changed tickets, more than a page: `more` ends, each is named once in an answer, and ours is among them."""
    first = bench.opened("hs:acme:1")
    cursor = _quiet(bench)
    bench.desk.reply(first, "before the crowd")
    crowd = bench.desk.crowd(CROWD)
    last = bench.opened("hs:acme:2")
    ids, cursor = _sweep(bench, cursor)
    assert {first, last, *crowd} <= set(ids)
    cursor = _quiet(bench, cursor)
    bench.desk.reply(last, "after the crowd")
    ids, _ = _sweep(bench, cursor)
    assert last in ids and first not in ids


def a_sweep_begins_shortly_before_now(bench: Bench) -> None:
    """The first sweep of all does not walk through the past, and what happens from then on is found."""
    old = bench.opened("hs:acme:1")
    bench.pass_time(86_400)
    ids, cursor = _sweep(bench, None)
    assert old not in ids
    bench.desk.reply(old, "an answer")
    ids, _ = _sweep(bench, cursor)
    assert old in ids


def a_strange_cursor_starts_again(bench: Bench) -> None:
    """A cursor that is none, or that the helpdesk no longer takes, begins anew hours back instead of failing."""
    ticket, later = bench.opened("hs:acme:1"), bench.opened("hs:acme:2")
    bench.pass_time(3 * 3600)
    for strange in STRANGE:
        ids, cursor = _sweep(bench, strange)
        assert {ticket, later} <= set(ids), strange[:20]
        bench.desk.reply(later, "an answer")
        ids, cursor = _sweep(bench, cursor)
        assert later in ids, strange[:20]


def _sweep(bench: Bench, cursor: str | None, connector: Connector | None = None) -> tuple[list[str], str]:
    """All ids since the cursor, in the order told, and the next cursor."""
    found: list[str] = []
    for _ in range(MOST_PAGES):
        page = _page(bench, cursor, connector or bench.connector)
        assert len(page.ids) == len(set(page.ids)), "an id is named once in an answer"
        assert not page.more or page.cursor != cursor, "the next page is another one"
        found += page.ids
        cursor = page.cursor
        if not page.more:
            return found, cursor
    raise AssertionError("the sweep does not end")


def _page(bench: Bench, cursor: str | None, connector: Connector) -> ChangedTickets:
    now = bench.desk.simulator.clock.now()
    page: ChangedTickets = bench.persist(lambda: connector.changed(cursor, now))
    return page


def _quiet(bench: Bench, cursor: str | None = None) -> str:
    """A cursor after which nothing has happened and nothing is told again, however far connectors look back."""
    until = bench.desk.simulator.clock.now() + timedelta(hours=1)
    while bench.desk.simulator.clock.now() < until:
        bench.pass_time(20 * POLL_S)
        _, cursor = _sweep(bench, cursor)
    assert cursor is not None
    return cursor
