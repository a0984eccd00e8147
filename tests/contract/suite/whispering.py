"""What the customer must never hear: internal words of every kind, machines, the unknown, and our own echo."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from handoff_sync.contract.connector import CommentAuthor, TicketComment
from handoff_sync.errors import OutcomeUnknown
from handoff_sync.simulator.desk import Say
from handoff_sync.simulator.faults import FaultKind
from tests.contract.suite.bench import WORDS, Bench
from tests.contract.suite.parts import MemoryJournal

SECRET = "nobody-outside-may-read-this"


def internal_words_are_never_relayed(bench: Bench) -> None:
    """Every way in which a text gets on a ticket for the team alone, at once and later, in any process."""
    assert "note" in bench.desk.whispers
    _nothing_is_heard_of(bench, bench.desk.whispers)


def a_note_hides_no_answer(bench: Bench) -> None:
    """An answer before, between and after internal words is relayed, and only the answer."""
    for number, (name, say) in enumerate(bench.desk.whispers.items()):
        ticket = bench.opened(f"hs:acme:{number}")
        cursor = bench.read(ticket).cursor
        for text in ("first", "second", "third"):
            bench.desk.reply(ticket, text)
            say(ticket, f"{SECRET} {text}")
        assert [comment.text for comment in bench.heard(ticket, cursor)] == ["first", "second", "third"], name


def kinds_that_nobody_knows_are_closed(bench: Bench) -> None:
    """What looks like an answer but for one thing of an unknown kind is nobody's, and stops no reading."""
    assert bench.desk.unknown_kinds
    _nothing_is_heard_of(bench, bench.desk.unknown_kinds)
    for number, (name, say) in enumerate(bench.desk.unknown_kinds.items()):
        ticket = bench.opened(f"hs:odd:{number}")
        say(ticket, SECRET)
        bench.desk.reply(ticket, "an answer")
        assert [comment.text for comment in bench.heard(ticket)] == ["an answer"], name
        for comment in _of(bench, ticket, SECRET):
            assert comment.author is CommentAuthor.UNKNOWN, name


def machines_are_no_people(bench: Bench) -> None:
    """What rules, bots and other programs say is automation, whatever name stands at it, and never relayed as human."""
    assert bench.desk.machines
    _nothing_is_heard_of(bench, bench.desk.machines)
    for number, (name, say) in enumerate(bench.desk.machines.items()):
        ticket = bench.opened(f"hs:machine:{number}")
        say(ticket, SECRET)
        (comment,) = _of(bench, ticket, SECRET)
        assert (comment.author, comment.agent) == (CommentAuthor.AUTOMATION, None), name


def our_own_words_are_known_as_ours(bench: Bench) -> None:
    """All that we write comes back as ours, or as the customer's where it stands in their name; nothing is relayed."""
    ticket = bench.opened()
    bench.connector.append(ticket, bench.words("m-1"), MemoryJournal())
    bench.connector.append(ticket, bench.remark("n-1"), MemoryJournal())
    bench.connector.append(ticket, bench.words("p-1", "public words of ours", author=None), MemoryJournal())
    bench.connector.append(ticket, bench.words("q-1", "the customer's, inside", public=False), MemoryJournal())
    for process in (bench.connector, bench.another()):
        comments = bench.read(ticket, None, process).comments
        assert {comment.author for comment in comments} <= {CommentAuthor.OURS, CommentAuthor.CUSTOMER}
        assert all(comment.agent is None for comment in comments)
        theirs = " ".join(comment.text for comment in comments if comment.author is CommentAuthor.CUSTOMER)
        assert f"{WORDS} two" not in theirs, "the AI's words"
        assert "of ours" not in theirs


def an_echo_without_answer_is_ours_too(bench: Bench) -> None:
    """What we wrote and never got an answer for is read before it is found: nothing of it is relayed."""
    ticket = bench.opened()
    for name, said in (("w", bench.words), ("n", bench.remark)):
        bench.spoil(FaultKind.DROP, "appending", applied=True)
        with pytest.raises(OutcomeUnknown):
            bench.connector.append(ticket, said(name, f"{SECRET} {name}"), MemoryJournal())
        for process in (bench.connector, bench.another()):
            (echo,) = [c for c in bench.read(ticket, None, process).comments if f"{SECRET} {name}" in c.text]
            assert echo.author in (CommentAuthor.OURS, CommentAuthor.CUSTOMER)


def _nothing_is_heard_of(bench: Bench, ways: Mapping[str, Say]) -> None:
    for number, (name, say) in enumerate(ways.items()):
        ticket = bench.opened(f"hs:acme:{number}")
        cursor = bench.read(ticket).cursor
        say(ticket, SECRET)
        assert bench.heard(ticket, cursor) == [], name
        process = bench.another()
        everything = bench.read(ticket, None, process).comments
        assert not [c for c in everything if c.public and c.author is CommentAuthor.AGENT], name
        bench.pass_time(600)
        assert bench.heard(ticket) == [], (name, "later")


def _of(bench: Bench, ticket: str, text: str) -> list[TicketComment]:
    return [comment for comment in bench.read(ticket).comments if text in comment.text]
