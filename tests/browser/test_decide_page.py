"""A person decides on the page that the mail leads to: by mouse or keyboard, without scripts, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from handoff_sync.api.decisions.words import LANGUAGES, Words, words_in
from handoff_sync.core import events as ev
from handoff_sync.core.model import Actor, ActorKind, AuthorClass, Phase, Session
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.store.engine import open_database
from handoff_sync.store.migrate import migrate
from tests.api.asking import ANA, BEN, EVA, Asking, asking
from tests.chromium import Window, window
from tests.engines import free_port

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
ARABIC = "مرحبا، أين طلبي رقم 77؟"
MONA = Actor(kind=ActorKind.MEMBER, id="m_1", name="Mona Member", via="api")
RECIPIENT = {"en": ANA, "pt": BEN, "es": EVA}
LOOKED = 3


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    url = f"sqlite:///{tmp_path_factory.mktemp('decide') / 'handoff.db'}"
    database = open_database(url)
    migrate(database)
    database.dispose()
    port = free_port()
    with asking(url, public_url=f"http://127.0.0.1:{port}") as desk:
        server = LoopbackServer(desk.app, port=port)
        server.start()
        try:
            yield desk
        finally:
            server.stop()


@pytest.fixture(scope="module")
def browser(desk: Asking) -> Iterator[Window]:
    with window(desk.public_url) as opened:
        yield opened


@pytest.fixture
def page(desk: Asking, browser: Window) -> Iterator[Page]:
    """Nobody's browser yet; the test fails when it complains about anything."""
    browser.page.context.clear_cookies()
    browser.page.set_viewport_size({"width": 1200, "height": 900})
    desk.clock.ahead = timedelta()
    yield browser.page
    assert browser.complaints == []


@pytest.fixture
def without_scripts(desk: Asking, browser: Window) -> Iterator[Page]:
    assert browser.page.context.browser is not None
    context: BrowserContext = browser.page.context.browser.new_context(java_script_enabled=False)
    desk.clock.ahead = timedelta()
    yield context.new_page()
    context.close()


@pytest.fixture
def session(desk: Asking, request: pytest.FixtureRequest) -> Session:
    return desk.ask(conversation=request.node.name)


def looked(desk: Asking) -> None:
    """Time passes: nobody decides within two seconds."""
    desk.clock.on(seconds=LOOKED)


def answer(page: Page, words: Words, choice: str) -> None:
    page.get_by_label(words(f"form.{choice}"), exact=False).first.check()
    page.get_by_role("button", name=words("form.submit")).click()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("choice", "phase"), [("accept", Phase.WAITING), ("decline", Phase.AI)])
def test_a_person_decides_by_mouse_in_their_language(
    desk: Asking, page: Page, session: Session, language: str, choice: str, phase: Phase
) -> None:
    words = words_in(language)
    page.goto(desk.public_url + desk.link(session, RECIPIENT[language]))
    assert page.get_by_role("heading", level=1).inner_text() == words("title")
    assert page.locator("input:checked").count() == 0
    looked(desk)
    answer(page, words, choice)
    page.get_by_role("heading", name=words(f"over.you_{'accepted' if choice == 'accept' else 'declined'}")).wait_for()
    assert desk.session(session).phase is phase


def test_a_person_decides_by_keyboard_alone(desk: Asking, page: Page, session: Session) -> None:
    page.goto(desk.public_url + desk.link(session))
    looked(desk)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "choice":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.value") == "accept"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # I take it myself
    page.keyboard.press("Tab")
    if page.evaluate("document.activeElement.name") == "choice":
        page.keyboard.press("Tab")
    page.keyboard.type("Be quick")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("You hold the conversation").wait_for()
    after = desk.session(session)
    assert after.phase is Phase.HUMAN and after.assignee is not None and after.assignee.id == "ana@example.com"
    assert [note.message.text for note in desk.reads.messages(session.id) if note.kind == "note"] == ["Be quick"]


def test_nothing_chosen_sends_nothing(desk: Asking, page: Page, session: Session) -> None:
    page.goto(desk.public_url + desk.link(session))
    looked(desk)
    page.get_by_role("button", name="Decide").click()
    assert page.evaluate("document.querySelector('form').checkValidity()") is False
    assert desk.session(session).phase is Phase.AI_DECIDING


def test_without_scripts_everything_can_be_done(desk: Asking, without_scripts: Page, session: Session) -> None:
    page = without_scripts
    page.goto(desk.public_url + desk.link(session))
    desk.says("Still there?", conversation=session.conversation_id)
    page.get_by_role("link", name="Refresh").click()
    page.get_by_text("Still there?").wait_for()
    looked(desk)
    page.get_by_label("Take over").check()
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("heading", name="You decided: a person takes over").wait_for()
    looked(desk)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="Should a person take over?").wait_for()
    assert desk.session(session).phase is Phase.AI_DECIDING


def test_who_is_in_a_hurry_may_undo_at_once(desk: Asking, page: Page, session: Session) -> None:
    """Two seconds hold for this form too; the page waits them out."""
    page.goto(desk.public_url + desk.link(session))
    looked(desk)
    answer(page, words_in("en"), "decline")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="Should a person take over?").wait_for()
    assert desk.session(session).phase is Phase.AI_DECIDING


def test_the_page_follows_the_conversation_and_the_decision(desk: Asking, page: Page, session: Session) -> None:
    page.goto(desk.public_url + desk.link(session))
    note = page.get_by_label("Note for your team")
    note.fill("half written")
    desk.says("I am still waiting", conversation=session.conversation_id)
    page.get_by_text("I am still waiting").wait_for()
    assert note.input_value() == "half written"
    desk.act(session, ev.DecisionDeclined, MONA)
    page.get_by_role("heading", name="Mona Member decided: the AI goes on").wait_for()
    assert page.get_by_text("I am still waiting").count() == 0


def test_what_customers_write_stays_text_in_its_own_direction(desk: Asking, page: Page, session: Session) -> None:
    desk.says(HOSTILE, conversation=session.conversation_id)
    desk.says(f"{ARABIC}\nzweite Zeile", conversation=session.conversation_id)
    desk.says("One moment", AuthorClass.AI, conversation=session.conversation_id)
    page.goto(desk.public_url + desk.link(session))
    texts = page.locator("#talk .text").all_inner_texts()
    assert HOSTILE in texts and f"{ARABIC}\nzweite Zeile" in texts
    line = page.locator("#talk .text").filter(has_text=ARABIC)
    assert line.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits_on_a_phone_and_can_be_read(
    desk: Asking, page: Page, session: Session, language: str, scheme: str, tmp_path: Path
) -> None:
    desk.says("a" * 300, conversation=session.conversation_id)
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(desk.public_url + desk.link(session, RECIPIENT[language]))
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for control in page.locator("button:visible, .choice:visible, .check:visible").all():
        box = control.bounding_box()
        assert box is not None and box["height"] >= 44
    assert page.evaluate(CONTRAST) >= 4.5
    page.emulate_media(color_scheme="light")


CONTRAST = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return light(colour);
    }
    return 1;
  };
  const texts = document.querySelectorAll("h1, h2, p, dt, dd, b, small, a, button, .text, label");
  const ratios = [...texts].map((element) => {
    const [low, high] = [light(getComputedStyle(element).color), behind(element)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
  return Math.min(...ratios);
}"""
"""The poorest contrast of any text on the page to what lies behind it."""


def test_a_screen_reader_is_told_what_is_what(desk: Asking, browser: Window, page: Page, session: Session) -> None:
    page.goto(desk.public_url + desk.link(session))
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("group", name="What should happen?").get_by_role("radio").count() == 2
    assert page.get_by_role("region", name="Conversation so far").last.is_visible()
    fields = page.locator("input:not([type=hidden]), textarea")
    assert fields.evaluate_all("all => all.filter((one) => one.labels.length === 0).length") == 0
    page.evaluate("document.querySelector('form').submit()")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "Choose one of the two answers first" in alert.inner_text()
    assert all("400" in complaint for complaint in browser.complaints)
    browser.complaints.clear()


def test_the_language_is_changed_by_a_link(desk: Asking, page: Page, session: Session) -> None:
    page.goto(desk.public_url + desk.link(session))
    page.get_by_role("link", name="Português").click()
    page.get_by_role("heading", name=words_in("pt")("title")).wait_for()
    looked(desk)
    answer(page, words_in("pt"), "accept")
    page.get_by_role("heading", name=words_in("pt")("over.you_accepted")).wait_for()
