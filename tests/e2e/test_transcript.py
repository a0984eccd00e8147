"""The whole talk reaches the ticket: every word in order, under its author and time. Nothing of it is ever executed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_connectors.zendesk.simulator.model import Comment
from handoff_sync.core.policy import Mode, Policy
from tests.chromium import window
from tests.e2e.live import Live, live
from tests.e2e.stand import until

POLICY = Policy(handover_mode=Mode.AUTOMATIC)
BEGIN = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=5)
LIMIT = 64_000

FAMILY = "\U0001f469\U0001f3fd\u200d\U0001f469\U0001f3fd\u200d\U0001f467\u200d\U0001f466"
HELLO = "\u0645\u0631\u062d\u0628\u0627"
LINE = f"Zeile \u0436 <b onclick=alert(1)>\u00e4</b> {{{{ticket.id}}}} & \"q\" 'a' {FAMILY} {HELLO}\n"

PAYLOADS = [
    "My address is {{ticket.requester.email}}, {{ ticket.requester.name }}, \\{{ticket.id}}, {{ticket.comments}}",
    "{% liquid assign x = ticket.id %}{% for c in ticket.comments %}{{ c.value }}{% endfor %} {{'x' | upcase}}",
    "<script>alert(1)</script>",
    "</p></div></body><script src=//evil.example.com/x.js></script><!-- <![CDATA[",
    "<img src=x onerror=alert(2)><svg/onload=alert(3)><a href=javascript:alert(4)>x</a><iframe srcdoc=<script>>",
    "&lt;script&gt;alert(5)&lt;/script&gt; &amp;amp; &#123;&#123;ticket.id&#125;&#125; &nbsp;",
    "100 kB: " + LINE * (100_000 // len(LINE.encode()) + 1) + "the end of it",
    "\u0436" * 50_000,
    f"Family {FAMILY}, flag \U0001f1e9\U0001f1ea, heart \u2764\ufe0f, accent e\u0301, key 1\ufe0f\u20e3",
    f"{HELLO} (hello) \u05e9\u05dc\u05d5\u05dd 123 \u202eevil\u202c \u2067isolated\u2069",
    "He said \"it's 'fine'\" \u2013 `ok`\\\n\n\nthree lines below\n\n  two blanks in front,\ttab",
    "**bold** _it_ # title\n- item\n> quote\n[x](javascript:alert(6)) https://example.com/?a=1&b=2 www.example.com",
    "/ai resume",
    " ",
]
CHANGED = {
    "null\x00 bell\x07 escape\x1b[31m delete\x7f c1\x9f non\ufffecharacter": (
        "null\ufffd bell\ufffd escape\ufffd[31m delete\ufffd c1\ufffd non\ufffdcharacter"
    ),
    "half of a pair: \ud83d!": "half of a pair: \ufffd!",
    "one\r\ntwo\rthree\u2028four\x0bfive": "one\ntwo\nthree\nfour\nfive",
}
"""Characters that no helpdesk may be sent are shown as U+FFFD, and every kind of line break as one."""

SAID = [*PAYLOADS, *CHANGED]
SHOWN = [CHANGED.get(text, text) for text in SAID]
EVIL = '<script>alert(7)</script>{{ticket.id}}" onmouseover="alert(8)'
CUSTOMERS: dict[str, dict[str, object]] = {
    "nobody knows them": {},
    "evil": {"external_id": "{{ticket.id}}", "name": EVIL, "email": "{{ticket.id}}@example.com"},
}
NAMES = {"nobody knows them": "Customer", "evil": EVIL}


@dataclass
class Paragraph:
    """`title` is what stands in bold, `text` the rest."""

    title: str = ""
    text: str = ""


@dataclass
class Reader(HTMLParser):
    """What a person reads in a comment, paragraph by paragraph; `tags` and `attributes` are all that there are."""

    paragraphs: list[Paragraph] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    bold: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name if name != "href" else f"href={(value or '')[:4]}" for name, value in attrs}
        if tag == "p":
            self.paragraphs.append(Paragraph())
        elif tag == "br":
            self.paragraphs[-1].text += "\n"
        self.bold = tag == "strong" or (self.bold and tag == "bdi")

    def handle_endtag(self, tag: str) -> None:
        self.bold = self.bold and tag != "strong"

    def handle_data(self, data: str) -> None:
        if self.bold:
            self.paragraphs[-1].title += data
        else:
            self.paragraphs[-1].text += data


def read(comment: Comment) -> Reader:
    reader = Reader()
    reader.feed(comment.html_body)
    reader.close()
    return reader


Line = tuple[str, str, str]
SIGNED = re.compile(r" · (\d{4}-\d\d-\d\d \d\d:\d\d UTC)( \(continued\))?\n(.*)", re.S)


def lines(comments: list[Comment], unsigned: str = "") -> list[Line]:
    """Author, time and text of every message; what goes on in a next comment is put together again.

    A comment of a single message is `unsigned`: the helpdesk itself shows author and time.
    """
    found: list[Line] = []
    for comment in comments:
        for paragraph in read(comment).paragraphs:
            match = SIGNED.fullmatch(paragraph.text)
            if match is None and unsigned and not paragraph.title:
                goes_on = paragraph.text.startswith("(continued)\n")
                at, text = "", paragraph.text.removeprefix("(continued)\n")
                author = unsigned
            elif match is not None:
                author, at, goes_on, text = paragraph.title, match[1], match[2] is not None, match[3]
            else:
                continue
            if goes_on:
                author, at, before = found.pop()
                text = before + text
            found.append((author, at, text))
    return found


@dataclass
class Told:
    """A ticket: `opened` with what was said before, `appended` with what was said while people were in charge."""

    name: str
    simulator: ZendeskSimulator
    ticket: int
    opened: list[Comment]
    appended: list[Comment]


@pytest.fixture(scope="module", params=CUSTOMERS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    simulator = ZendeskSimulator()
    with simulator, live(tmp_path_factory.mktemp("talk"), simulator, POLICY) as service:
        customer = CUSTOMERS[request.param]
        tell(service, *(spoken(number, text, customer) for number, text in enumerate(SAID)))
        tell(service, please(customer))
        until("all was told to the ticket", lambda: settled(service))
        ticket = int(service.session()["tickets"][0]["remote_id"])
        opened = simulator.state.comments(ticket)
        # The first goes at once and alone; the others are on their way together.
        tell(service, written(100, SAID[0]))
        until("the first was appended", lambda: settled(service))
        tell(service, *(written(101 + number, text) for number, text in enumerate(SAID[1:])))
        until("the others were appended", lambda: settled(service))
        appended = simulator.state.comments(ticket)[len(opened) :]
        yield Told(NAMES[request.param], simulator, ticket, opened, appended)


def tell(service: Live, *events: dict[str, Any]) -> None:
    """As one batch, in ASCII: half a pair of surrogates has no UTF-8."""
    body = json.dumps({"events": [{"conversation_id": "talk", **event} for event in events]})
    answer = service.http.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["accepted"] * len(events), results


def settled(service: Live) -> bool:
    """Whether everything that was to be delivered is."""
    items = service.http.get("/v1/deliveries", params={"limit": 100}).json()["items"]
    return all(item["status"] == "done" for item in items)


def at(number: int) -> datetime:
    return BEGIN + timedelta(minutes=number)


def author(number: int, name: str) -> str:
    return "AI" if number % 3 == 2 else name


def spoken(number: int, text: str, customer: dict[str, object]) -> dict[str, Any]:
    """The customer and the AI talk; every third utterance is the AI's."""
    kind = "ai.message.sent" if author(number, "") == "AI" else "customer.message"
    said = {"message": {"id": f"m-{number}", "text": text}, "at": at(number).isoformat()}
    return {"id": f"e-{number}", "type": kind, "customer": customer, **said}


def written(number: int, text: str) -> dict[str, Any]:
    said = {"message": {"id": f"m-{number}", "text": text}, "at": at(number).isoformat()}
    return {"id": f"e-{number}", "type": "customer.message", **said}


def please(customer: dict[str, object]) -> dict[str, Any]:
    hostile = {"reason": PAYLOADS[0], "summary": PAYLOADS[3] + PAYLOADS[0]}
    return {"id": "please", "type": "handoff.requested", "trigger": "customer_request", "customer": customer, **hostile}


# --- what is on the ticket ------------------------------------------------------------------------


def test_every_message_in_order_with_author_and_time(told: Told) -> None:
    expected = [
        (author(number, told.name), at(number).strftime("%Y-%m-%d %H:%M UTC"), text)
        for number, text in enumerate(SHOWN)
    ]
    assert lines(told.opened) == expected


def test_messages_during_the_handoff_follow_in_order(told: Told) -> None:
    found = lines(told.appended, told.name)
    assert [(author, text) for author, _, text in found] == [(told.name, text) for text in SHOWN]
    times = [at for _, at, _ in found[1:]]
    assert times == [at(101 + number).strftime("%Y-%m-%d %H:%M UTC") for number in range(len(SAID) - 1)]


def test_the_customer_writes_in_their_own_name(told: Told) -> None:
    """So that agents see whose words they are, and the helpdesk's own rules too."""
    requester = told.simulator.state.ticket(told.ticket).requester_id
    assert {comment.author_id for comment in told.appended} == {requester}
    assert {comment.public for comment in told.appended} == {True}


def test_what_was_said_to_the_ai_is_internal(told: Told) -> None:
    assert len(told.opened) > 1, "100 kB do not fit into one"
    assert [comment.public for comment in told.opened] == [False] * len(told.opened)


def test_no_comment_is_longer_than_the_helpdesk_keeps(told: Told) -> None:
    assert max(len(comment.html_body.encode()) for comment in told.opened + told.appended) <= LIMIT


def test_reason_and_summary_stay_text(told: Told) -> None:
    shown = {paragraph.title: paragraph.text for paragraph in read(told.opened[0]).paragraphs}
    assert shown["Why"].endswith(f"Reason: {PAYLOADS[0]}")
    assert shown["Summary"] == "\n" + PAYLOADS[3] + PAYLOADS[0]
    subject = told.simulator.state.ticket(told.ticket).subject or ""
    assert "{" not in subject and "\n" not in subject


# --- what it can do: nothing --------------------------------------------------------------------------


def test_no_comment_has_an_element_that_does_something(told: Told) -> None:
    for comment in told.opened + told.appended:
        reader = read(comment)
        assert reader.tags <= {"div", "p", "br", "strong", "bdi", "a"}
        assert reader.attributes <= {"class", "dir", "rel", "href=http"}


def test_a_browser_shows_the_ticket_and_does_nothing_else(told: Told) -> None:
    with window(told.simulator.agent_url) as browser:
        page = browser.page
        for address in (told.simulator.agent_url, f"{told.simulator.agent_url}/tickets/{told.ticket}"):
            page.goto(address)
            page.wait_for_load_state("load")
        assert PAYLOADS[2] in page.locator("#thread").inner_text()
        assert page.locator("#thread").get_by_text("the end of it").count() == 2
        assert page.locator("#thread :is(script, img, svg, iframe, b)").count() == 0
        assert browser.complaints == []


def test_a_browser_that_trusts_the_comments_runs_nothing(told: Told) -> None:
    """A helpdesk shows the stored HTML as it is; here without any policy that would hold a script back."""
    with window("about:") as browser:
        browser.page.goto("about:blank")
        browser.page.set_content("".join(comment.html_body for comment in told.opened + told.appended))
        assert browser.page.locator(":is(script, img, svg, iframe, object, style, form, b)").count() == 0
        assert browser.page.evaluate("document.querySelectorAll('[onclick], [onerror], [onload]').length") == 0
        assert PAYLOADS[4] in browser.page.locator("body").inner_text()
        assert browser.complaints == []
