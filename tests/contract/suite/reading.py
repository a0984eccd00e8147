"""Reading a ticket: the words of agents as they were written, once each, with who said them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from handoff_sync.contract.connector import CommentAuthor, TicketSnapshot
from handoff_sync.contract.features import Feature
from tests.contract.suite.bench import Bench

WHOLE: Final = (
    "Hello Ana,\nI looked into it.\n\n1 < 2 & 3 > 2; typed as is: &amp; &lt;b&gt; &amp;amp; <b>not bold</b>\n"
    "🙂 naïve “quotes” — שלום עולם, مرحبا\n\nDana"
)
"""Line breaks, an empty line, signs that are markup elsewhere, entities as text, emoji, and text from right to left."""
MANY: Final = 150
LONG: Final = 600
STRANGE: Final = ("nonsense", "{}", "[]", '{"newest": "soon"}', "1", "\x00")
FILES: Final = {"invoice.txt": b"one line\n", "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(64)}


def a_snapshot_says_what_people_need(bench: Bench) -> None:
    """A word for the status that agents know, an address that people can open, and the time of the newest change."""
    ticket = bench.opened()
    bench.pass_time(60)
    bench.desk.reply(ticket, "Here I am.")
    snapshot = bench.read(ticket)
    assert snapshot.raw_status.strip()
    assert snapshot.url is None or (snapshot.url.startswith("http") and ticket in snapshot.url)
    late = bench.desk.simulator.clock.now() - snapshot.updated_at
    assert timedelta(seconds=-5) < late < timedelta(seconds=30)


def agents_words_come_as_they_were_typed(bench: Bench) -> None:
    """A reply is text: with its line breaks, without markup, and nothing decoded twice."""
    ticket = bench.opened()
    bench.desk.reply(ticket, WHOLE)
    (comment,) = bench.heard(ticket)
    assert comment.text.strip() == WHOLE
    assert comment.public and comment.author is CommentAuthor.AGENT


def an_answer_says_who_and_when(bench: Bench) -> None:
    """Each reply names its agent as customers may see them, the same person as the assignee, and its time."""
    ticket = bench.opened()
    bench.pass_time(90)
    before = bench.desk.simulator.clock.now() - timedelta(seconds=1)
    bench.desk.assign(ticket, bench.desk.agent_name)
    bench.desk.reply(ticket, "first")
    bench.pass_time(30)
    bench.desk.reply(ticket, "second")
    snapshot, heard = bench.read(ticket), bench.heard(ticket)
    assert [comment.text for comment in heard] == ["first", "second"]
    assert heard[0].id != heard[1].id
    assert before <= heard[0].at < heard[1].at <= bench.desk.simulator.clock.now()
    assert snapshot.assignee is not None
    for comment in heard:
        assert comment.agent is not None
        assert (comment.agent.id, comment.agent.name) == (snapshot.assignee.id, bench.desk.agent_name)


def every_answer_reaches_the_customer(bench: Bench) -> None:
    """In whatever way an agent answers, with a change of status in the same step too, the words are relayed once."""
    assert "reply" in bench.desk.answers
    for number, (name, answer) in enumerate(bench.desk.answers.items()):
        ticket = bench.opened(f"hs:acme:{number}")
        cursor = bench.read(ticket).cursor
        answer(ticket, "an answer")
        snapshot = bench.read(ticket, cursor)
        heard = [comment for comment in snapshot.comments if comment.author is CommentAuthor.AGENT and comment.public]
        assert [comment.text for comment in heard] == ["an answer"], name
        assert heard[0].agent is not None and heard[0].agent.name == bench.desk.agent_name, name
        assert snapshot.status is bench.desk.ticket(ticket).status, name
        assert bench.read(ticket, snapshot.cursor).comments == (), name


def the_order_is_that_of_the_ticket(bench: Bench) -> None:
    """Words of agents, customer and us come in the order in which they stand, also within one second."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    for number in range(4):
        bench.desk.reply(ticket, f"reply-{number}")
        bench.desk.note(ticket, f"note-{number}")
        bench.desk.customer_reply(ticket, f"customer-{number}")
    texts = [comment.text for comment in bench.read(ticket, cursor).comments]
    assert texts == [f"{who}-{number}" for number in range(4) for who in ("reply", "note", "customer")]


def what_is_new_is_told_once(bench: Bench) -> None:
    """After each reading only what came since, to any process that gets the cursor; a quiet ticket tells nothing."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    for number in range(5):
        bench.desk.reply(ticket, f"reply-{number}")
        process = bench.another()
        snapshot = bench.read(ticket, cursor, process)
        assert _texts(snapshot) == [f"reply-{number}"]
        again = bench.read(ticket, snapshot.cursor)
        assert again.comments == ()
        cursor = again.cursor
        bench.pass_time(number * 100)


def an_older_cursor_tells_it_again(bench: Bench) -> None:
    """A reading that was not stored is made again from the cursor before it, and brings the same."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    bench.desk.reply(ticket, "one")
    first = bench.read(ticket, cursor)
    bench.desk.reply(ticket, "two")
    again = bench.read(ticket, cursor, bench.another())
    assert _texts(again) == ["one", "two"]
    assert again.comments[0].id == first.comments[0].id, "the same comment has the same id"


def equal_times_hide_nothing(bench: Bench) -> None:
    """What is said in the same second as the last reading is told, the same words once more too, and nothing twice."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    told: list[str] = []
    for text in ("ok", "ok", "a", "b", "ok", "c", "ok", "ok"):
        bench.desk.reply(ticket, text)
        snapshot = bench.read(ticket, cursor)
        told += _texts(snapshot)
        cursor = snapshot.cursor
    assert told == ["ok", "ok", "a", "b", "ok", "c", "ok", "ok"]
    assert len({comment.id for comment in bench.heard(ticket)}) == 8


def many_at_once_are_all_told(bench: Bench) -> None:
    """150 comments since the last reading come in one reading, in order, and none of them again."""
    ticket = bench.opened()
    bench.desk.reply(ticket, "before")
    cursor = bench.read(ticket).cursor
    expected = [f"reply-{number}" for number in range(MANY)]
    for text in expected:
        bench.desk.reply(ticket, text)
    snapshot = bench.read(ticket, cursor)
    assert _texts(snapshot) == expected
    assert bench.read(ticket, snapshot.cursor).comments == ()
    assert _texts(bench.read(ticket, None, bench.another()))[-MANY:] == expected, "also from the start"


def a_long_pause_loses_nothing(bench: Bench) -> None:
    """A cursor is good after a week, and brings what was said first and last meanwhile."""
    ticket = bench.opened()
    bench.desk.reply(ticket, "before")
    cursor = bench.read(ticket).cursor
    bench.desk.reply(ticket, "at once")
    bench.pass_time(7 * 86_400)
    bench.desk.reply(ticket, "after a week")
    snapshot = bench.read(ticket, cursor, bench.another())
    assert _texts(snapshot) == ["at once", "after a week"]
    assert bench.read(ticket, snapshot.cursor).comments == ()


def a_very_long_silence_is_read_whole(bench: Bench) -> None:
    """600 comments since the last reading come all; where the helpdesk shows fewer, the newest of them, in order."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    expected = [f"reply-{number}" for number in range(LONG)]
    for text in expected:
        bench.desk.reply(ticket, text)
    snapshot = bench.read(ticket, cursor)
    texts = _texts(snapshot)
    assert len(texts) >= MANY and texts == expected[-len(texts) :]
    bench.desk.reply(ticket, "one more")
    assert _texts(bench.read(ticket, snapshot.cursor)) == ["one more"]
    bench.needs(Feature.LONG_HISTORY)
    assert texts == expected


def a_strange_cursor_reads_from_the_start(bench: Bench) -> None:
    """A cursor that is none tells everything again instead of failing, and the next reading only what is new."""
    ticket = bench.opened()
    bench.desk.reply(ticket, "before")
    everything = _texts(bench.read(ticket))
    for number, strange in enumerate(STRANGE):
        snapshot = bench.read(ticket, strange)
        assert _texts(snapshot) == everything, strange
        everything.append(f"after-{number}")
        bench.desk.reply(ticket, everything[-1])
        assert _texts(bench.read(ticket, snapshot.cursor)) == everything[-1:]


def what_the_customer_says_elsewhere_is_theirs(bench: Bench) -> None:
    """Words that the customer writes to the helpdesk itself are the customer's, and nobody's answer."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    bench.desk.customer_reply(ticket, "I wrote a mail.")
    (comment,) = bench.read(ticket, cursor).comments
    assert (comment.author, comment.agent, comment.text) == (CommentAuthor.CUSTOMER, None, "I wrote a mail.")
    assert comment.marker is None


def notes_are_notes_of_their_agent(bench: Bench) -> None:
    """An internal note is read whole and names its agent: it may be a command."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    bench.desk.note(ticket, "/ai pause 30m\nback soon")
    (comment,) = bench.read(ticket, cursor).comments
    assert (comment.author, comment.public, comment.text) == (CommentAuthor.AGENT, False, "/ai pause 30m\nback soon")
    assert comment.agent is not None and comment.agent.name == bench.desk.agent_name


def files_are_listed_with_their_answer(bench: Bench) -> None:
    """What an agent attaches is listed with name, kind, size and address, in order, at its own reply only."""
    ticket = bench.opened()
    bench.desk.reply(ticket, "no files here")
    bench.desk.reply(ticket, "two files", FILES)
    plain, with_files = bench.heard(ticket)
    assert plain.attachments == ()
    assert [(file.name, file.size) for file in with_files.attachments] == [(n, len(c)) for n, c in FILES.items()]
    assert [file.content_type for file in with_files.attachments] == ["text/plain", "image/png"]
    assert all(file.url.startswith("http") for file in with_files.attachments)


def _texts(snapshot: TicketSnapshot) -> list[str]:
    return [comment.text.strip() for comment in snapshot.comments]
