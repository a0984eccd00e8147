"""Mail scanners open every link, run its scripts and press its buttons, a hundred times; nobody has decided then.

The service's clock stands still, so that no scanner is ever too slow for "at once", however busy the machine is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest

from handoff_sync.core.model import Phase, Session
from handoff_sync.simulator.server import LoopbackServer
from tests.api.asking import Asking, asking
from tests.chromium import window
from tests.engines import free_port

ROUNDS = 100
HALVES = [range(ROUNDS // 2), range(ROUNDS // 2, ROUNDS)]
"""So that two processors share the work."""


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Asking]:
    port = free_port()
    with asking(sqlite_url, public_url=f"http://127.0.0.1:{port}") as desk:
        desk.clock.stopped = desk.clock.now()
        server = LoopbackServer(desk.app, port=port)
        server.start()
        try:
            yield desk
        finally:
            server.stop()


@pytest.fixture
def session(desk: Asking) -> Session:
    return desk.ask()


def undecided(desk: Asking, session: Session) -> bool:
    now = desk.session(session)
    return now.phase is Phase.AI_DECIDING and now.decision == session.decision and now.version == session.version


# --- without a browser -------------------------------------------------------------------------------------------


@dataclass
class Form:
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    choices: list[tuple[str, str]] = field(default_factory=list)


class Links(HTMLParser):
    """What a scanner finds on a page: addresses, and forms as they stand."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.addresses += [given[name] for name in ("href", "src") if name in given]
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and given.get("type") in ("radio", "checkbox"):
            self.forms[-1].choices.append((given["name"], given["value"]))
            assert "checked" not in given
        elif tag in ("input", "textarea"):
            self.forms[-1].fields.append((given["name"], given.get("value", "")))
        elif tag == "button":
            self.forms[-1].buttons.append((given.get("name", ""), given.get("value", "")))


def scan(client: httpx.Client, url: str, round: int) -> list[int]:
    """Everything that a program can do with a link at once; the answers to its forms."""
    origin = url.partition("/decide")[0]
    client.cookies.clear()
    client.head(url)
    page = Links()
    page.feed(client.get(url).text)
    for address in page.addresses:
        client.get(urljoin(url, address))
        client.head(urljoin(url, address))
    answers = []
    same = {"origin": origin, "sec-fetch-site": "same-origin"}
    for form in page.forms:
        where = urljoin(url, form.action)
        sent = dict(form.fields)
        answers.append(client.post(where, data=sent))
        answers.append(client.post(where, data=sent, headers=same))
        for button in form.buttons:
            answers.append(client.post(where, data=sent | dict([button]), headers=same))
        name, value = form.choices[round % len(form.choices)]
        answers.append(client.post(where, data=sent | {name: value}, headers=same))  # at once
        answers.append(client.post(where, data=sent | dict(form.choices), headers=same))
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("rounds", HALVES, ids=["first half", "second half"])
def test_a_scanner_without_a_browser_decides_nothing(desk: Asking, session: Session, rounds: range) -> None:
    url = desk.public_url + desk.link(session)
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) SafeLinks"
    with httpx.Client(headers={"user-agent": agent}, follow_redirects=True, timeout=20) as client:
        for round in rounds:
            answers = scan(client, url, round)
            assert answers and set(answers) <= {400, 403}
    assert undecided(desk, session)


# --- with one ----------------------------------------------------------------------------------------------------

PRESS = """() => {
  for (const link of document.querySelectorAll("a[href]")) fetch(link.href).catch(() => {});
  for (const button of document.querySelectorAll("button, input[type=submit]")) button.click();
  for (const box of document.querySelectorAll("summary, label")) box.click();
  for (const box of document.querySelectorAll("input")) box.checked = false;
}"""
UNTOUCHED = "() => { const form = document.querySelector('form'); if (form) form.submit(); }"
FIRST_AT_ONCE = """() => {
  const form = document.querySelector("form"), first = document.querySelector("input[type=radio]");
  if (!form || !first) return;
  first.checked = true;
  form.requestSubmit();
}"""


@pytest.mark.parametrize("rounds", HALVES, ids=["first half", "second half"])
def test_a_scanner_with_a_real_browser_decides_nothing(desk: Asking, session: Session, rounds: range) -> None:
    url = desk.public_url + desk.link(session)
    with window(desk.public_url) as scanner:
        page = scanner.page
        for round in rounds:
            page.context.clear_cookies()
            page.goto(url, wait_until="load")
            page.evaluate(PRESS)
            for act in (UNTOUCHED, FIRST_AT_ONCE) if round % 2 else (FIRST_AT_ONCE, UNTOUCHED):
                with page.expect_navigation(wait_until="load"):
                    page.evaluate(act)
                assert page.get_by_role("alert").count() == 1
    assert undecided(desk, session)


def test_after_a_person_has_decided_a_scanner_undoes_nothing(desk: Asking, session: Session) -> None:
    path = desk.link(session)
    desk.browser().decide(path, "accept")
    after = desk.session(session)
    with window(desk.public_url) as scanner:
        for _ in range(5):
            scanner.page.goto(desk.public_url + path)
            scanner.page.evaluate(PRESS)
            scanner.page.evaluate(UNTOUCHED)
    assert desk.session(session) == after and after.phase is Phase.WAITING
