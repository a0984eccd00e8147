"""Saying something on a ticket: as whom, in order, and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from handoff_sync.contract.connector import CommentDraft
from handoff_sync.contract.features import Feature
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import OutcomeUnknown
from handoff_sync.simulator.faults import FaultKind
from tests.contract.suite.bench import ANA, WORDS, Bench
from tests.contract.suite.parts import MemoryJournal


def customers_words_stand_in_their_name(bench: Bench) -> None:
    """What the customer says stands on the ticket as theirs, where agents answer customers."""
    ticket = bench.opened()
    bench.connector.append(ticket, bench.words(), bench.journal)
    last = bench.desk.ticket(ticket).comments[-1]
    assert f"{WORDS} again" in last.text
    assert last.by_customer and last.public


def notes_stay_inside(bench: Bench) -> None:
    """A note of ours is internal, and reopens nothing."""
    ticket = bench.opened()
    bench.desk.solve(ticket)
    bench.connector.append(ticket, bench.remark(), bench.journal)
    last = bench.desk.ticket(ticket).comments[-1]
    assert "a note of ours" in last.text
    assert not last.public and not last.by_customer
    assert bench.desk.ticket(ticket).status is TicketStatus.SOLVED


def public_words_of_ours_are_never_taken_for_the_customers(bench: Bench) -> None:
    """Where the helpdesk would mail them they become a note; in no case does the customer stand as their author."""
    ticket = bench.opened()
    bench.connector.append(ticket, bench.words(author=None, text="ours"), bench.journal)
    last = bench.desk.ticket(ticket).comments[-1]
    assert "ours" in last.text and not last.by_customer
    assert last.public is bench.capabilities.can(Feature.PUBLIC_WORDS)


def customers_words_wake_a_ticket(bench: Bench) -> None:
    """A solved or resting ticket is open again after the customer's words."""
    ticket = bench.opened()
    for number, status in enumerate((TicketStatus.SOLVED, TicketStatus.ON_HOLD)):
        bench.desk.set_status(ticket, status)
        bench.connector.append(ticket, bench.words(f"m-{number}"), MemoryJournal())
        assert bench.desk.ticket(ticket).status is TicketStatus.OPEN, status


def our_markup_is_readable_as_it_was_meant(bench: Bench) -> None:
    """Line breaks stay, and what the customer typed is neither lost nor run: tags, entities, quotes."""
    ticket = bench.opened()
    html = '<p dir="auto">one &lt;b&gt; &amp; &quot;two&quot;<br>three</p><p dir="auto">four</p>'
    for said in (CommentDraft(marker="m-1", html=html, public=True, author=ANA),
                 CommentDraft(marker="m-2", html=html, public=False)):  # fmt: skip
        bench.connector.append(ticket, said, MemoryJournal())
        shown = bench.desk.ticket(ticket).comments[-1].text
        lines = [line.strip() for line in shown.splitlines() if line.strip()]
        assert lines[-3:] == ['one <b> & "two"', "three", "four"], shown


def keeps_the_order(bench: Bench) -> None:
    """Many comments, coalesced and single, of customer and team, stand in the order in which they were said."""
    ticket = bench.opened()
    for number in range(12):
        text = f"line-{number:02}-a</p><p>line-{number:02}-b"
        said = bench.words(f"m-{number}", text) if number % 3 else bench.remark(f"m-{number}", text)
        bench.persist(lambda said=said: bench.connector.append(ticket, said, MemoryJournal()))
    whole = bench.texts(ticket)
    places = [whole.index(f"line-{number:02}-{half}") for number in range(12) for half in "ab"]
    assert places == sorted(places)


def says_it_once_when_the_answer_is_lost(bench: Bench) -> None:
    """The helpdesk did it and the answer never came: any process finds it, and it is never said twice."""
    ticket = bench.opened()
    for number, kind in enumerate((FaultKind.DROP, FaultKind.CUT, FaultKind.HTML)):
        for name, said in (("w", bench.words), ("n", bench.remark)):
            text = f"text-{name}-{number}"
            comment, journal = said(f"{name}-{number}", text), MemoryJournal()
            bench.spoil(kind, "appending", applied=True)
            with pytest.raises(OutcomeUnknown):
                bench.persist(lambda c=comment, j=journal: bench.connector.append(ticket, c, j))
            process = bench.connector if number % 2 else bench.another()
            first = bench.append_again(ticket, comment, journal, process)
            again = bench.append_again(ticket, comment, journal, bench.another())
            assert first.id == again.id
            assert bench.texts(ticket).count(text) == 1, (kind, name)


def says_it_when_the_request_was_lost(bench: Bench) -> None:
    """The helpdesk never did it: it is said by the repeat, though the same words were said before."""
    ticket = bench.opened()
    bench.connector.append(ticket, bench.words("m-0", "the same words"), MemoryJournal())
    comment, journal = bench.words("m-1", "the same words"), MemoryJournal()
    bench.spoil(FaultKind.DROP, "appending", applied=False)
    with pytest.raises(OutcomeUnknown):
        bench.connector.append(ticket, comment, journal)
    bench.append_again(ticket, comment, journal, bench.another())
    assert bench.texts(ticket).count("the same words") == 2


def nothing_is_found_that_was_not_said(bench: Bench) -> None:
    """A marker that was never used is not found."""
    ticket = bench.opened()
    bench.connector.append(ticket, bench.words("m-1"), bench.journal)
    assert bench.connector.find_appended(ticket, "m-2") is None
    assert bench.another().find_appended(ticket, "m-2") is None


def many_threads_say_each_thing_once(bench: Bench) -> None:
    """Twenty comments on four tickets from eight threads of one connector."""
    tickets = [bench.opened(f"hs:acme:{number}") for number in range(4)]

    def say(number: int) -> None:
        ticket = tickets[number % 4]
        comment = bench.words(f"m-{number}", f"thread-{number:02}.")
        bench.persist(lambda: bench.connector.append(ticket, comment, MemoryJournal()))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(say, range(20)))
    whole = "\n".join(bench.texts(ticket) for ticket in tickets)
    assert all(whole.count(f"thread-{number:02}.") == 1 for number in range(20))
