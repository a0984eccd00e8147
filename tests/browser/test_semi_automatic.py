"""Semi-automatic mode by hand: a customer in the chat, an admin with a mail program, agents at three helpdesks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from handoff_sync.core.policy import Mode
from handoff_sync.demo import DemoOptions, World, world
from handoff_sync.simulator.narrator import Narrator
from tests.chromium import Window, window
from tests.e2e.stand import until

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

HERE = "http://127.0.0.1:"
PATIENCE_MS = 60_000
"""Gorgias allows thirty calls in sixteen seconds, and this machine may be busy."""


@pytest.fixture(scope="module")
def demo() -> Iterator[World]:
    options = DemoOptions(mode=Mode.SEMI_AUTOMATIC, helpdesks=("zendesk", "gorgias", "intercom"))
    with world(options, Narrator(io.StringIO())) as parts:
        yield parts


@pytest.fixture
def desk_top(demo: World) -> Iterator[DeskTop]:
    with window(HERE) as browser:
        assert browser.page.context.browser is not None
        context = browser.page.context.browser.new_context(viewport={"width": 1200, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        yield DeskTop(demo, context, browser.complaints)
        assert browser.complaints == []


class DeskTop:
    """All windows of one browser. None of them may complain, or call any other machine."""

    def __init__(self, demo: World, context: BrowserContext, complaints: list[str]) -> None:
        self.demo, self._context, self._complaints = demo, context, complaints
        self.mails = self.window()
        self.mails.goto(demo.mailbox_url)
        self.chat = self.window()

    def window(self) -> Page:
        page = self._context.new_page()
        self._watch(page)
        return page

    def _watch(self, page: Page) -> None:
        Window(page, HERE, self._complaints).watch()

    def ask_for_a_human(self) -> None:
        """A new conversation; the AI must go on talking."""
        self.chat.goto(self.demo.chat_url)
        self.say("Where is my order?")
        self.chat.get_by_text("arrives on Thursday").wait_for()
        self.chat.get_by_role("button", name="Let me talk to a human").click()
        self.chat.get_by_text("Handoff requested").wait_for()
        self.ai_answers(2)

    def say(self, text: str) -> None:
        self.chat.get_by_label("Your message").fill(text)
        self.chat.keyboard.press("Enter")

    def ai_answers(self, times: int) -> None:
        """The AI answers what the customer writes; it has the talk."""
        before = self.chat.locator("#lines .ai").count()
        self.say("And until when can I send it back?")
        self.chat.locator("#lines .ai").nth(before).wait_for()
        assert before + 1 > times
        self.chat.locator("#charge[data-charge=ai]").wait_for()

    def mail(self, to: str, subject: str) -> None:
        """Opens the newest mail to somebody as soon as it is the one with this subject."""
        self.mails.bring_to_front()
        row = self.mails.locator("#list a", has_text=f"To {to}").first
        row.filter(has_text=subject).click()
        self.mails.locator("h1", has_text=subject).wait_for()

    def follow(self) -> Page:
        """The link of the open mail opens a window of its own."""
        with self.mails.expect_popup() as opened:
            self.mails.frame_locator("iframe").locator("a[href*='/decide/']").first.click()
        self._watch(opened.value)
        opened.value.wait_for_load_state()
        return opened.value

    def decide(self, page: Page, choice: str) -> None:
        """Reads for two seconds, as the page wants it, and answers."""
        assert page.locator("input[type=radio]:checked").count() == 0
        until("two seconds of reading", lambda: page.evaluate("performance.now()") > 2300)
        page.locator(f"input[name=choice][value={choice}]").check()
        page.locator("#decide button[type=submit]").click()
        page.locator(f".card.{'accepted' if choice == 'accept' else 'declined'}").wait_for()

    def tickets(self) -> list[int]:
        return [len(desk.ticket_ids()) for desk in self.demo.desks]


def test_accepted_by_mail(desk_top: DeskTop) -> None:
    desk_top.ask_for_a_human()
    assert desk_top.tickets() == [0, 0, 0]
    desk_top.mail("Ada", "Should a person take over? Maya Lindqvist")
    page = desk_top.follow()
    page.get_by_text("Where is my order?").first.wait_for()
    desk_top.decide(page, "accept")
    assert "You decided: a person takes over" in page.locator("main").inner_text()
    desk_top.chat.locator("#charge[data-charge=waiting]").wait_for()
    agents = [desk_top.window() for _ in desk_top.demo.desks]
    for desk, agent in zip(desk_top.demo.desks, agents, strict=True):
        agent.goto(desk.agent_url)
        agent.locator(".tickets a", has_text="Maya Lindqvist").first.click()
        agent.locator(".thread", has_text="Where is my order?").wait_for()
    agents[0].get_by_label("Your message").fill("Hello, Dana here.")
    agents[0].get_by_role("button", name="Send", exact=True).click()
    desk_top.chat.get_by_text("Hello, Dana here.").wait_for()
    desk_top.chat.locator("#charge[data-charge=human]").wait_for()
    desk_top.mail("Ben", "Maya Lindqvist")
    desk_top.mails.frame_locator("iframe").get_by_text("Ada").locator("visible=true").first.wait_for()
    desk_top.mail("Maya Lindqvist", "Dana has joined your conversation")


def test_declined_by_mail(desk_top: DeskTop) -> None:
    before = desk_top.tickets()
    desk_top.ask_for_a_human()
    desk_top.mail("Ben", "Uma pessoa deve assumir? Jonas Okafor")
    page = desk_top.follow()
    assert page.locator("html").get_attribute("lang") == "pt"
    desk_top.decide(page, "decline")
    desk_top.mail("Ada", "Decided: the AI goes on (Jonas Okafor)")
    desk_top.ai_answers(3)
    assert desk_top.tickets() == before


def test_nobody_decides(desk_top: DeskTop) -> None:
    before = desk_top.tickets()
    desk_top.ask_for_a_human()
    desk_top.mail("Ada", "Should a person take over? Noor Haddad")
    desk_top.demo.office.let_pass(16)
    desk_top.mail("Ada", "Still open: should a person take over? Noor Haddad")
    desk_top.demo.office.let_pass(16)
    desk_top.mail("Ada", "The question has expired (Noor Haddad)")
    desk_top.mails.go_back()
    page = desk_top.follow()
    page.get_by_role("heading", name="Nobody decided in time").wait_for()
    assert page.locator("input[type=radio]").count() == 0
    desk_top.ai_answers(3)
    assert desk_top.tickets() == before
