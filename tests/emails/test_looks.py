"""How the mails look: what mail programs need, and what a browser makes of them, light, dark and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from handoff_sync.emails.letters import Handover, Letter
from handoff_sync.emails.render import render
from tests.chromium import Window, window
from tests.emails.letters import ANN, LANGUAGES, Page, full_of, ids, letters

# What a person reads, with the colours that it has: `[words, colour, background, size]` for every piece of text.
COLOURS = """() => {
  const solid = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() && element.getClientRects().length)
      found.push([walker.currentNode.data.trim(), getComputedStyle(element).color, solid(element)]);
  }
  return found;
}"""
TARGETS = "() => [...document.querySelectorAll('p a, .button a')].map((a) => a.getBoundingClientRect().height)"
HOSTILE = ["W" * 10_000, "מיה לוי " * 40, "👩🏽‍💻👋" * 300, "مرحبا بك يا صديقي " * 60, "a-b/c.d" * 500, ""]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", letters(), ids=ids)
def test_mail_programs_can_show_it(letter: Letter, language: str) -> None:
    markup = render(letter, language).html
    page = Page(markup)
    assert page.all("html") == [{"lang": language, "dir": "ltr"}]
    assert all(table.get("role") == "presentation" for table in page.all("table"))
    assert any(table.get("width") == "600" for table in page.all("table"))
    assert len(page.all("style")) == 1 and markup.count("prefers-color-scheme: dark") == 1
    assert "{{" not in markup and "var(" not in markup
    paragraphs = page.all("p") + page.all("li")
    assert paragraphs and all("font-size" in (paragraph.get("style") or "") for paragraph in page.all("p"))
    assert not {"img", "script", "link", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    assert "url(" not in markup and "@import" not in markup and "src=" not in markup
    assert len(page.all("h1")) == 1 and page.all("title")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_button_is_real_text_and_large_enough(language: str) -> None:
    page = Page(render(Handover(conversation=ANN), language).html)
    (button,) = [link for link in page.all("a") if link["href"] == ANN.session_url]
    style = dict(part.split(":", 1) for part in re.sub(r"\s", "", button["style"] or "").split(";") if part)
    height = int(style["min-height"].removesuffix("px")) + 2 * int(style["padding"].split("px")[0])
    assert height >= 44 and style["display"] == "inline-block"


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Window]:
    with window("about:") as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_can_be_read_and_every_link_be_hit(browser: Window, language: str, scheme: str) -> None:
    browser.page.set_viewport_size({"width": 700, "height": 900})
    browser.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for letter in letters():
        browser.page.set_content(render(letter, language).html)
        seen = browser.page.evaluate(COLOURS)
        assert len(seen) > 3
        assert [item for item in seen if _contrast(item[1], item[2]) < 4.5] == [], letter.template
        assert all(height >= 44 for height in browser.page.evaluate(TARGETS)), letter.template
    assert browser.complaints == []


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_is_wider_than_a_phone(browser: Window, words: str) -> None:
    browser.page.set_viewport_size({"width": 360, "height": 800})
    for letter in letters(full_of(words), words):
        for language in LANGUAGES:
            browser.page.set_content(render(letter, language).html)
            assert browser.page.evaluate("document.documentElement.scrollWidth") <= 360, letter.template


def test_a_message_stands_on_the_side_where_its_script_begins(browser: Window) -> None:
    line = replace(ANN.excerpt[0], text="שלום")
    browser.page.set_content(render(Handover(conversation=replace(ANN, excerpt=(line,)))).html)
    text = browser.page.locator("p", has_text="שלום")
    assert text.evaluate("p => getComputedStyle(p).direction") == "rtl"
    assert browser.page.locator("h1").evaluate("h => getComputedStyle(h).direction") == "ltr"


def _contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it; 4.5 and more is readable."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
