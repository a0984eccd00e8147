"""Everybody can use the agent page: in light and dark, on a phone, by keyboard alone, with a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.office import BUTTONS, Agent, at_work
from tests.chromium import Window, window

if TYPE_CHECKING:
    from playwright.sync_api import Page

LONG = "x" * 300
FAINT = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = (v) => (v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    const [r, g, b] = color.slice(0, 3).map((v) => linear(v / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const says = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")].filter((e) => says(e) && e.checkVisibility()).map((element) => {
    const pair = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    return [element.textContent.trim().slice(0, 30), (pair[0] + .05) / (pair[1] + .05)];
  }).filter(([, ratio]) => ratio < 4.5);
}"""
"""Visible words whose contrast with what is behind them is less than 4.5 to 1."""

NAMELESS = """() => [...document.querySelectorAll("button, select, textarea, input:not([type=hidden])")]
  .filter((e) => !e.labels?.length && !e.getAttribute("aria-label") && !e.textContent.trim()).map((e) => e.outerHTML)"""
WIDER = "document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Window]:
    with window("http://127.0.0.1") as opened:
        yield opened


@pytest.fixture(params=BUTTONS)
def agent(request: pytest.FixtureRequest, browser: Window, tmp_path: Path) -> Iterator[Agent]:
    with at_work(request.param, browser, tmp_path) as person:
        yield person
    browser.page.emulate_media(color_scheme="light")
    browser.page.set_viewport_size({"width": 1200, "height": 900})


def faults(page: Page) -> list[object]:
    """What is wrong with the page as it is shown now, in both colour schemes and both widths."""
    found: list[object] = list(page.evaluate(NAMELESS))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [(scheme, *faint) for faint in page.evaluate(FAINT)]
    for width in (360, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"wider than {width}"] if page.evaluate(WIDER) else []
    return found


def test_every_page_is_legible_named_and_fits_a_phone(agent: Agent) -> None:
    agent.desk.reply(agent.ticket, f"Here you are. {LONG}", files={f"invoice {LONG[:80]}.pdf": b"%PDF-1.4"})
    agent.desk.note(agent.ticket, LONG)
    other = agent.another_ticket()
    agent.look_at(agent.ticket)
    assert "invoice" in agent.page.get_by_role("list", name="Files").inner_text()
    agent.page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert faults(agent.page) == []
    agent.page.get_by_label("Internal note").check()
    assert faults(agent.page) == []
    agent.page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = false; })")
    agent.merge_into(other)
    assert faults(agent.page) == []
    agent.delete()
    assert faults(agent.page) == []
    for which in ("all", "active", "solved", "deleted"):
        agent.page.goto(f"{agent.desk.agent_url}?show={which}")
        assert faults(agent.page) == []


def test_it_can_be_used_by_keyboard_alone(agent: Agent) -> None:
    """From the list into the ticket, an answer, a status; the focus stays though the page refreshes itself."""
    page = agent.page
    page.goto(agent.desk.agent_url)
    page.locator(f"#t{agent.ticket}").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_label("Your message").focus()
    page.keyboard.type("By keyboard.")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    agent.soon("heard", lambda session: session["phase"] == "human", seconds=5)
    solve = page.locator("#state").get_by_role("button", name=agent.buttons.solve, exact=True)
    solve.focus()
    agent.service.say(2, "talk", "ana")
    page.locator("#thread").get_by_text("<<words 2>>").wait_for(timeout=5000)
    assert page.evaluate("document.activeElement.textContent") == agent.buttons.solve
    with page.expect_navigation():
        page.keyboard.press("Enter")
    agent.soon("resolved", lambda session: session["phase"] == "resolved", seconds=5)
