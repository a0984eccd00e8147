"""Gorgias' words and ours as tables, and that no strange shape gets further than an error of ours."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handoff_connectors.gorgias import GorgiasConnector
from handoff_connectors.gorgias.api import _must_not_be_mailed
from handoff_connectors.gorgias.mapping import (
    STATUS,
    TO_GORGIAS,
    agent_message,
    author_of,
    customer_message,
    fitting,
    mark,
    note_message,
    removed,
    status_of,
    to_comment,
)
from handoff_connectors.gorgias.markup import to_text
from handoff_connectors.gorgias.reading import OVERLAP, Seen
from handoff_connectors.gorgias.settings import TranscriptMode
from handoff_connectors.gorgias.talk import MOST_BYTES, MOST_MESSAGES, first_messages
from handoff_sync.contract.connector import CommentAuthor, Requester, TicketDraft
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import Attachment, AuthorClass, Customer, Message, Person, TicketStatus
from handoff_sync.errors import HandoffError, UnrecognisedPayload, VendorRejected
from tests.connectors.gorgias.conftest import DANA, Script
from tests.connectors.zendesk.conftest import answer

US, NOW = 900, datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BOT = {**DANA, "role": {"name": "bot"}}
MESSAGE: dict[str, Any] = {
    "id": 5003, "ticket_id": 35, "external_id": None, "public": True, "channel": "email", "via": "helpdesk",
    "source": {"type": "email", "from": {"name": "Acme", "address": "x@example.com"}, "to": []},
    "sender": {"id": 500, "name": "Dana Miller", "email": "dana@example.com"}, "rule_id": None, "from_agent": True,
    "body_text": "Hello\n> quoted", "body_html": "<p>Hello</p>", "stripped_text": "Hello", "attachments": [],
    "created_datetime": "2026-03-02T09:20:11.440100+00:00", "sent_datetime": None,
}  # fmt: skip
TICKET: dict[str, Any] = {
    "id": 35, "status": "open", "customer": {"id": 700}, "assignee_user": {"id": 500, "firstname": "Dana"},
    "assignee_team": None, "tags": [{"id": 9, "name": "a"}], "snooze_datetime": None, "trashed_datetime": None,
    "spam": False, "updated_datetime": "2026-03-02T09:20:11+00:00", "messages": [MESSAGE], "external_id": "hs:1",
}  # fmt: skip


def message(**changes: Any) -> Wild:
    return Wild({**MESSAGE, **changes}, "message")


def ticket(**changes: Any) -> Wild:
    return Wild({**TICKET, **changes}, "ticket")


# --- statuses ------------------------------------------------------------------------------------------


def test_every_status_has_a_word_on_the_other_side() -> None:
    assert set(STATUS) == {"open", "closed"}
    assert set(TO_GORGIAS) == set(TicketStatus)
    assert TicketStatus.CLOSED not in STATUS.values(), "nothing is final here"


SNOOZES = [
    ("closed", None, TicketStatus.SOLVED, "closed"),
    ("open", None, TicketStatus.OPEN, "open"),
    ("closed", "2026-03-02T10:00:01Z", TicketStatus.ON_HOLD, "snoozed"),
    ("open", "2026-03-02T10:00:01+00:00", TicketStatus.ON_HOLD, "snoozed"),
    ("closed", "2026-03-02T10:00:01", TicketStatus.ON_HOLD, "snoozed"),
    ("closed", "2026-03-02T11:59:59+02:00", TicketStatus.SOLVED, "closed"),
]


@pytest.mark.parametrize(("theirs", "snooze", "ours", "raw"), SNOOZES)
def test_the_snooze_is_looked_at_before_the_status(
    theirs: str, snooze: str | None, ours: TicketStatus, raw: str
) -> None:
    assert status_of(ticket(status=theirs, snooze_datetime=snooze), NOW) == (ours, raw)


def test_an_unknown_status_is_loud() -> None:
    with pytest.raises(UnrecognisedPayload, match=r"ticket\.status"):
        status_of(ticket(status="parked"), NOW)


def test_trash_and_spam_are_told_apart() -> None:
    assert removed(ticket()) == ""
    assert removed(ticket(spam=True)) == "spam"
    assert removed(ticket(trashed_datetime="2026-03-02T09:00:00Z")) == "trashed"


# --- who wrote a message -------------------------------------------------------------------------------

AGENT, CUSTOMER, MACHINE = CommentAuthor.AGENT, CommentAuthor.CUSTOMER, CommentAuthor.AUTOMATION
OURS, UNKNOWN = CommentAuthor.OURS, CommentAuthor.UNKNOWN
AUTHORS = {
    "an agent": (message(), DANA, AGENT),
    "an agent on api": (message(channel="api", source={"type": "api"}), DANA, AGENT),
    "an agent's note": (message(channel="internal-note", via="internal-note", public=False), DANA, AGENT),
    "our marker": (message(external_id="hs1:m"), DANA, OURS),
    "our marker beats everything": (message(external_id="hs1:m", from_agent=False), None, OURS),
    "another's external id": (message(external_id="crm:1"), DANA, AGENT),
    "a customer": (message(from_agent=False), None, CUSTOMER),
    "an agent who is the customer": (message(from_agent=False), DANA, CUSTOMER),
    "nobody says who": (message(from_agent=None), DANA, UNKNOWN),
    "the text True": (message(from_agent="True"), DANA, UNKNOWN),
    "deleted": (message(deleted_datetime="2026-03-02T09:30:00Z"), DANA, UNKNOWN),
    "no sender": (message(sender=None), DANA, UNKNOWN),
    "a rule": (message(rule_id=7), DANA, MACHINE),
    "by way of a rule": (message(via="rule"), DANA, MACHINE),
    "a system message": (message(source={"type": "system-message"}), DANA, MACHINE),
    "another program as us": (message(sender={"id": US}), None, MACHINE),
    "another program as an agent": (message(via="api"), DANA, MACHINE),
    "a bot": (message(), BOT, MACHINE),
    "a way that we do not know": (message(via="telepathy"), DANA, UNKNOWN),
    "no way": (message(via=None), DANA, UNKNOWN),
    "public by way of a note": (message(via="internal-note"), DANA, UNKNOWN),
    "a user who is gone": (message(), None, UNKNOWN),
    "a role that we do not know": (message(), {**DANA, "role": {"name": "ghost"}}, UNKNOWN),
    "no role": (message(), {"id": 500}, UNKNOWN),
}


@pytest.mark.parametrize(("said", "author", "expected"), AUTHORS.values(), ids=AUTHORS.keys())
def test_only_what_nothing_speaks_against_is_an_agents(
    said: Wild, author: dict[str, Any] | None, expected: CommentAuthor
) -> None:
    assert author_of(said, US, Wild(author) if author is not None else None) is expected


@pytest.mark.parametrize(
    "change",
    [{"public": False}, {"public": None}, {"public": "True"}, {"channel": "internal-note"},
     {"source": {"type": "internal-note"}}],
)  # fmt: skip
def test_one_sign_of_a_note_is_enough(change: dict[str, Any]) -> None:
    assert to_comment(message(**change), US, Wild(DANA)).public is False


@pytest.mark.parametrize(
    ("receiver", "expected"),
    [
        ({"id": 5}, CommentAuthor.AGENT),
        (None, CommentAuthor.AGENT),
        ({"id": 6}, CommentAuthor.UNKNOWN),
        ({"email": "supplier@example.com"}, CommentAuthor.UNKNOWN),
    ],
)
def test_what_goes_to_somebody_else_is_nobodys(receiver: dict[str, Any] | None, expected: CommentAuthor) -> None:
    assert to_comment(message(receiver=receiver), US, Wild(DANA), customer=5).author is expected


def test_a_message_as_read() -> None:
    files = [{"url": "https://f.example.com/a", "name": "a.txt", "size": 3, "content_type": "text/plain"}, {"url": ""}]
    comment = to_comment(message(attachments=files), US, Wild(DANA))
    assert (comment.id, comment.text, comment.public, comment.marker) == ("5003", "Hello", True, None)
    assert comment.at == datetime(2026, 3, 2, 9, 20, 11, 440100, tzinfo=UTC), "sent or not"
    assert comment.attachments == (
        Attachment(name="a.txt", content_type="text/plain", size=3, url="https://f.example.com/a"),
    )
    assert comment.agent is not None
    assert comment.agent.name == "Dana Miller"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"stripped_text": " ", "body_text": "All of it"}, "All of it"),
        ({"stripped_text": None, "body_text": None, "body_html": "<p>One</p><p>Two &amp; <b>three</b></p>"},
         "One\n\nTwo & three"),
        ({"stripped_text": None, "body_text": None, "body_html": None}, ""),
    ],
)  # fmt: skip
def test_the_text_is_what_was_written_now(texts: dict[str, Any], expected: str) -> None:
    assert to_comment(message(**texts), US, Wild(DANA)).text == expected


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<p dir="auto">a<br>b</p><p dir="auto">c</p>', "a\nb\n\nc"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("<script>alert(1)</script><style>x</style>shown", "shown"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<p>broken <b>off", "broken off"),
        ("", ""),
    ],
)
def test_html_reads_as_people_see_it(markup: str, text: str) -> None:
    assert to_text(markup) == text


# --- what we write -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "of"),
    [
        ({"sent_datetime": None}, "agent"),
        ({"channel": "email"}, "agent"),
        ({"channel": "chat"}, "agent"),
        ({"channel": "api"}, "note"),
        ({"public": True}, "note"),
    ],
)
def test_what_gorgias_would_mail_is_never_sent(change: dict[str, Any], of: str) -> None:
    made = {"agent": agent_message, "note": note_message}[of]("m", "<p>x</p>", US, NOW)
    _must_not_be_mailed(made)
    with pytest.raises(VendorRejected, match="not sent"):
        _must_not_be_mailed(made | change)


def test_ids_that_are_too_long_stay_different() -> None:
    first, second = mark("x" * 400 + "1"), mark("x" * 400 + "2")
    assert len(first) == len(second) == 255
    assert first != second
    assert fitting("hs:1") == "hs:1"


def draft(said: tuple[Message, ...]) -> TicketDraft:
    requester = Requester(external_id="c", customer=Customer(name="Ana", email="<b>@example.com"))
    return TicketDraft(external_id="k", subject="{{x}}", requester=requester, html="<p>all</p>", said=said)


def turn(n: int, who: AuthorClass = AuthorClass.CUSTOMER, text: str = "words") -> Message:
    person = Person(id="m", name="Mo") if who is AuthorClass.HUMAN else None
    return Message(id=f"m-{n}", author_class=who, text=text, at=NOW + timedelta(seconds=n), author=person)


def test_the_longest_talk_fits_with_its_newest_messages() -> None:
    for talk in ([turn(n) for n in range(700)], [turn(n, text="ü" * 10_000) for n in range(60)]):
        made = first_messages(draft(tuple(talk)), TranscriptMode.THREAD, 700, US, NOW)
        assert len(made) <= MOST_MESSAGES
        assert sum(len(str(m["body_html"]).encode()) for m in made) <= MOST_BYTES + 1000
        assert str(made[-2]["external_id"]).startswith(f"hs1:k:{talk[-1].id}")
        assert made[-1]["channel"] == "internal-note"
        times = [str(m["created_datetime"]) for m in made[:-1]]
        assert times == sorted(times)


def test_who_said_it_stands_in_what_our_user_says() -> None:
    talk = (turn(1, AuthorClass.AI), turn(2, AuthorClass.HUMAN), turn(3, AuthorClass.AUTOMATION))
    made = first_messages(draft(talk), TranscriptMode.THREAD, 700, US, NOW)
    assert [str(m["body_text"]).partition("\n")[0] for m in made[:3]] == ["AI", "Mo", "Automation"]
    assert [m["from_agent"] for m in made] == [True, True, True, False, True]


@pytest.mark.parametrize("mode", TranscriptMode)
def test_words_of_a_customer_stay_text(mode: TranscriptMode) -> None:
    talk = (turn(1, text="<img src=x onerror=alert(1)> {{ticket.id}}"),)
    made = first_messages(draft(talk), mode, 700, US, NOW)
    html = "".join(str(m["body_html"]) for m in made)
    assert "<img" not in html
    assert "<b>@" not in html
    assert "{{" not in html


def test_only_what_was_said_before_brings_its_own_time() -> None:
    assert "created_datetime" not in customer_message("m", "x", 700, NOW)


# --- cursors and strange shapes ------------------------------------------------------------------------


def test_a_message_from_the_future_hides_none_of_the_present() -> None:
    future = message(id=1, created_datetime="2027-01-01T00:00:00Z")
    ours = message(id=2, external_id="hs1:m", created_datetime="2026-12-01T00:00:00Z")
    seen = Seen().then([future, ours], 0, "", False, NOW)
    assert Seen.load(seen.dump()) == seen
    assert seen.newest == NOW
    assert [seen.is_new(m) for m in (future, ours)] == [False, False]
    assert seen.is_new(message(id=3, created_datetime="2026-03-02T09:59:00Z"))
    assert not seen.is_new(message(id=4, created_datetime=(NOW - 2 * OVERLAP).isoformat()))


def spoilt(value: Any) -> Iterator[Any]:
    """The value with one part of it replaced by each wrong thing, or gone."""
    if isinstance(value, dict | list):
        for key in value.keys() if isinstance(value, dict) else range(len(value)):
            for wrong in (None, 7, "words-canary", [], {}, True):
                changed = copy.deepcopy(value)
                changed[key] = wrong
                yield changed
            gone = copy.deepcopy(value)
            del gone[key]
            yield gone
            for inner in spoilt(value[key]):
                changed = copy.deepcopy(value)
                changed[key] = inner
                yield changed


def test_a_strange_ticket_is_an_error_of_ours_or_relayed_to_nobody(
    gorgias: Script, connector: GorgiasConnector
) -> None:
    tried = 0
    for changed in spoilt(TICKET):
        gorgias.say("GET /api/tickets/35", answer(200, changed))
        gorgias.say("GET /api/messages", answer(200, {"data": changed.get("messages") or [], "meta": {}}))
        tried += 1
        try:
            snapshot = connector.read("35", None)
        except HandoffError as error:
            assert "words-canary" not in str(error) or "status" in str(error)
            continue
        for comment in snapshot.comments:
            relayed = comment.author is CommentAuthor.AGENT and comment.public
            (raw,) = changed["messages"]
            assert not relayed or (raw["from_agent"] is True and raw["public"] is True)
    assert tried > 200
