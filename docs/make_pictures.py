"""Makes docs/demo.png: the demo's chat page beside the agent page, in the middle of a handoff.

    uv run --group browser python docs/make_pictures.py [--dark] [--out FILE]

Needs Chromium on the machine. Everything in the picture is invented and runs on this machine only.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shutil
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from handoff_sync.demo import DemoOptions, World, world
from handoff_sync.simulator.narrator import Narrator

CHAT = ViewportSize(width=900, height=800)
DESK = ViewportSize(width=1000, height=1360)
SHOWN_HEIGHT = 720
CAPTIONS = ("The customer's chat", "The team's helpdesk (simulated Zendesk)")
SHEET = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 28px; width: max-content; display: flex; gap: 28px; font: 600 19px system-ui; {colours} }}
figure {{ margin: 0; }} figcaption {{ padding: 0 4px 12px; }}
img {{ display: block; height: {height}px; border-radius: 14px; box-shadow: 0 2px 20px rgb(0 0 0 / 22%); }}
</style>{figures}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "demo.png")
    given = parser.parse_args()
    with world(DemoOptions(), Narrator(io.StringIO())) as parts, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments())
        picture(browser, parts, given.out, "dark" if given.dark else "light")
        browser.close()
    print(f"Made {given.out}")


def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("No Chromium on this machine. On Debian: apt install chromium")
    return found


def arguments() -> list[str]:
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return ["--disable-dev-shm-usage", "--disable-gpu", *sandbox]


def picture(browser: Browser, parts: World, out: Path, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(color_scheme=scheme, device_scale_factor=1.5)
    chat, desk = context.new_page(), context.new_page()
    chat.set_viewport_size(CHAT)
    desk.set_viewport_size(DESK)
    ticket = talk(chat, parts)
    desk.goto(f"{parts.desk.agent_url}/tickets/{ticket}")
    desk.wait_for_load_state("networkidle")
    shots = [page.screenshot() for page in (chat, desk)]
    compose(context.new_page(), shots, out, scheme)
    context.close()


def talk(chat: Page, parts: World) -> str:
    """A conversation up to the moment when a human has answered; returns the ticket's number."""
    chat.goto(parts.chat_url)
    say(chat, "Hi! Where is my order 4711?")
    chat.get_by_text("arrives on Thursday").wait_for()
    say(chat, "I will be away on Thursday. Let me talk to a human")
    chat.locator("#charge[data-charge=waiting]").wait_for()
    ticket = parts.platform.wait(parts.desk.ticket_ids, 20)
    assert ticket is not None
    parts.desk.note(ticket[0], "Ask the courier before promising Friday.")
    parts.desk.reply(ticket[0], "Hi Maya, this is Dana. I can move it to Friday morning. Would that suit you?")
    chat.locator("#charge[data-charge=human]").wait_for()
    say(chat, "Friday is perfect, thank you! 🚲")
    parts.platform.wait(lambda: [c for c in parts.desk.ticket(ticket[0]).comments if "perfect" in c.text], 20)
    return ticket[0]


def say(chat: Page, text: str) -> None:
    chat.get_by_label("Your message").fill(text)
    chat.get_by_role("button", name="Send").click()
    chat.locator("#lines").get_by_text(text).wait_for()


def compose(page: Page, shots: list[bytes], out: Path, scheme: str) -> None:
    colours = "background: #10161a; color: #e9f0ee" if scheme == "dark" else "background: #dfe7ea; color: #14211f"
    figures = "".join(
        f'<figure><figcaption>{caption}</figcaption><img src="data:image/png;base64,{base64.b64encode(shot).decode()}">'
        "</figure>"
        for caption, shot in zip(CAPTIONS, shots, strict=True)
    )
    page.set_content(SHEET.format(colours=colours, height=SHOWN_HEIGHT, figures=figures))
    page.locator("body").screenshot(path=out)


if __name__ == "__main__":
    main()
