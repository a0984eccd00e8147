"""A person works on the agent page in a real browser, and the session follows within two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.policy import Mode, Policy
from tests.chromium import Window, window
from tests.e2e.live import Live, live
from tests.e2e.stand import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

POLICY = Policy(handover_mode=Mode.AUTOMATIC, solved_grace_seconds=0)
SOON_S = 2.0
EVIL = "<img src=x onerror=alert(1)> & \U0001f469\u200d\U0001f467"


@dataclass
class Desk:
    """A person at the page of a ticket whose session waits for them."""

    service: Live
    page: Page
    talk: str

    def write(self, text: str, *, internal: bool = False, then: str = "") -> None:
        if internal:
            self.page.get_by_label("Internal note").check()
        self.page.locator("#text").fill(text)
        if then:
            self.page.locator("#then").select_option(then)
        self.page.get_by_role("button", name="Send", exact=True).click()

    def soon(self, what: str, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The session once it looks like this, which must not take longer than two seconds after the page answered."""
        begun = time.monotonic()
        until(what, lambda: seen(self.session()), SOON_S)
        assert time.monotonic() - begun < SOON_S
        return self.session()

    def session(self) -> dict[str, Any]:
        return self.service.session(self.talk)

    def lines(self, visibility: str) -> list[tuple[str, str]]:
        """Author class and text of the transcript's public or private lines."""
        told = [line for line in self.service.transcript(self.talk) if line["visibility"] == visibility]
        return [(line["author_class"], line["text"]) for line in told if line["author_class"] != "automation"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Window]]:
    """Only webhooks tell the service what happens: the sweep comes much later."""
    simulator = ZendeskSimulator()
    folder = tmp_path_factory.mktemp("office")
    with (
        simulator,
        window(simulator.agent_url) as browser,
        live(folder, simulator, POLICY, poll_interval_s=300) as service,
    ):
        yield service, browser


@pytest.fixture
def desk(office: tuple[Live, Window], request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The test fails when the browser complains about anything."""
    service, browser = office
    talk = request.node.name
    service.say(1, talk)
    browser.page.goto(f"{service.simulator.agent_url}/tickets/{service.hand_over(talk)}")
    yield Desk(service, browser.page, talk)
    assert browser.complaints == []


def test_a_reply_takes_the_session_and_reaches_the_customer(desk: Desk) -> None:
    desk.write(f"Hello, Dana here. {EVIL}")
    session = desk.soon("the reply counts", lambda session: session["phase"] == "human")
    assert session["last_responder"]["author_class"] == "human"
    assert session["assignee"]["name"] == desk.page.locator(".entry.reply header strong").last.inner_text()
    assert desk.lines("public") == [("customer", "<<words 1>>"), ("human", f"Hello, Dana here. {EVIL}")]


def test_an_internal_note_stays_inside(desk: Desk) -> None:
    desk.write("The customer is a friend of ours.", internal=True)
    desk.soon("the note is kept", lambda _: ("human", "The customer is a friend of ours.") in desk.lines("private"))
    session = desk.session()
    assert (session["phase"], desk.lines("public")) == ("waiting", [("customer", "<<words 1>>")])


def test_a_command_in_a_note_gives_the_session_back(desk: Desk) -> None:
    desk.write("/ai resume", internal=True)
    session = desk.soon("the AI is back", lambda session: session["phase"] == "ai")
    assert session["control"] == "ai"
    assert desk.lines("public") == [("customer", "<<words 1>>")]


def test_solving_resolves_the_session(desk: Desk) -> None:
    desk.write("Done.")
    desk.soon("the reply counts", lambda session: session["phase"] == "human")
    desk.page.locator("#state").get_by_role("button", name="Solve", exact=True).click()
    session = desk.soon("the session is resolved", lambda session: session["phase"] == "resolved")
    assert session["handoff"]["end_reason"] == "ticket_solved"


def test_a_last_reply_that_solves_is_delivered_first(desk: Desk) -> None:
    desk.write("That was all.", then="solved")
    desk.soon("the session is resolved", lambda session: session["phase"] == "resolved")
    assert desk.lines("public")[1] == ("human", "That was all.")


def test_what_the_customer_writes_appears_on_the_open_page(desk: Desk) -> None:
    """While somebody types, too: nothing of it is lost."""
    desk.page.locator("#text").fill("half typed")
    desk.service.say(2, desk.talk)
    desk.page.locator("#thread").get_by_text("<<words 2>>").wait_for(timeout=5000)
    assert desk.page.locator("#text").input_value() == "half typed"
