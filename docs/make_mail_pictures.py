"""Makes docs/mails/*.png: every mail as Chromium shows it, light, dark and on a phone, each in another language.

    uv run --group browser python docs/make_mail_pictures.py [--lang pt] [--only handover] [--out FOLDER]

Needs Chromium on the machine. Everybody in the pictures is invented.
"""

from __future__ import annotations

import argparse
import base64
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from handoff_sync.emails.letters import Letter
from handoff_sync.emails.render import render
from handoff_sync.emails.samples import samples

sys.path.insert(0, str(Path(__file__).parent))
from make_pictures import arguments, chromium

SCALE = 0.75  # readable, and the pictures stay small
SHEET = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 20px; width: max-content; display: flex; gap: 20px; align-items: flex-start;
        font: 600 14px system-ui, sans-serif; background: #c9d2de; color: #14211f; }}
figure {{ margin: 0; }} figcaption {{ padding: 0 2px 8px; }}
img {{ display: block; border-radius: 6px; }}
</style>{figures}"""


@dataclass(frozen=True, kw_only=True)
class View:
    """One column of a sheet."""

    caption: str
    language: str
    width: int
    scheme: Literal["light", "dark"]


VIEWS = (
    View(caption="light", language="en", width=660, scheme="light"),
    View(caption="dark", language="pt", width=660, scheme="dark"),
    View(caption="360 px wide", language="es", width=360, scheme="light"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lang", help="one language for all columns")
    parser.add_argument("--only", choices=list(samples()), help="one mail")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "mails")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments())
        for name, letter in samples().items():
            if given.only in (None, name):
                made = sheet(browser, letter, given.lang, given.out / f"{name}.png")
                print(f"Made {made}")
        browser.close()


def sheet(browser: Browser, letter: Letter, language: str | None, out: Path) -> Path:
    """The letter in every view, side by side, with its subject above."""
    figures = "".join(figure(browser, letter, view, language or view.language) for view in VIEWS)
    page = browser.new_page(device_scale_factor=SCALE)
    page.set_content(SHEET.format(figures=figures))
    page.locator("body").screenshot(path=out)
    page.close()
    return out


def figure(browser: Browser, letter: Letter, view: View, language: str) -> str:
    rendered = render(letter, language)
    viewport = ViewportSize(width=view.width, height=200)
    page = browser.new_page(color_scheme=view.scheme, viewport=viewport, device_scale_factor=SCALE)
    picture = base64.b64encode(shot(page, rendered.html)).decode()
    page.close()
    caption = f"{rendered.language}, {view.caption}"
    image = f'<img width="{view.width}" src="data:image/png;base64,{picture}">'
    return f"<figure><figcaption>{caption}</figcaption>{image}</figure>"


def shot(page: Page, markup: str) -> bytes:
    page.set_content(markup)
    return page.screenshot(full_page=True)


if __name__ == "__main__":
    main()
