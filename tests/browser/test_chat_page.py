"""The demo's chat page in a real browser: what the customer sees, and that nothing of it can be turned against them."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from handoff_sync.demo import DemoOptions, World, world
from handoff_sync.simulator.narrator import Narrator

if TYPE_CHECKING:
    from playwright.sync_api import Page

playwright_api = pytest.importorskip("playwright.sync_api", reason="needs the dependency group `browser`")
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def demo() -> Iterator[World]:
    with world(DemoOptions(), Narrator(io.StringIO())) as parts:
        yield parts


@pytest.fixture
def page(demo: World) -> Iterator[Page]:
    """The chat page; the test fails when the browser complains about anything."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("needs Chromium on the machine")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    complaints: list[str] = []
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--disable-dev-shm-usage", "--disable-gpu", *sandbox]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))  # without an answer the page hangs: good
        page.on("request", lambda request: complaints.append(request.url) if demo.chat_url not in request.url else None)
        page.goto(demo.chat_url)
        yield page
        browser.close()
    assert complaints == []


def say(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")


def test_a_customer_sees_who_answers(page: Page, demo: World) -> None:
    charge = page.locator("#charge")
    say(page, "Where is my order?")
    page.get_by_text("arrives on Thursday").wait_for()
    assert "AI active" in charge.inner_text()
    before = set(demo.desk.ticket_ids())
    page.get_by_role("button", name="Let me talk to a human").click()
    page.locator("#charge[data-charge=waiting]").wait_for()
    new = demo.platform.wait(lambda: set(demo.desk.ticket_ids()) - before, 10)
    assert new is not None
    (ticket,) = new
    demo.desk.reply(ticket, "Hello, Dana here.")
    page.get_by_text("Hello, Dana here.").wait_for()
    page.locator("#charge[data-charge=human]").wait_for()
    assert charge.inner_text() == f"A human has taken over: {demo.desk.agent_name}"
    demo.desk.solve(ticket)
    page.locator("#charge[data-charge=resolved]").wait_for()


def test_what_people_write_stays_text(page: Page) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)> javascript:alert(3)"
    say(page, hostile)
    assert page.locator("#lines .customer .text").last.inner_text() == hostile
    assert page.locator("#lines script, #lines img").count() == 0


def test_line_breaks_and_writing_direction_are_kept(page: Page) -> None:
    box = page.get_by_label("Your message")
    box.fill("one")
    box.press("Shift+Enter")
    box.type("مرحبا")
    box.press("Enter")
    line = page.locator("#lines .customer .text").last
    line.wait_for()
    assert line.inner_text() == "one\nمرحبا"
    assert line.evaluate("element => getComputedStyle(element).unicodeBidi") == "plaintext"


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    say(page, "a" * 300)
    page.locator("#lines .customer").last.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
