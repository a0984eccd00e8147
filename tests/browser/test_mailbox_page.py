"""The demo's mailbox in a real browser: mails arrive by themselves, and a hostile one can do nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from handoff_sync.emails.transport import CaptureTransport
from handoff_sync.simulator.mailbox.mail import Mailbox
from handoff_sync.simulator.mailbox.web import mailbox_app
from handoff_sync.simulator.server import LoopbackServer
from tests.chromium import Window, window

HOSTILE = """<html><head><meta http-equiv="refresh" content="0;url=http://evil.example/"><base target="_top">
<link rel="stylesheet" href="http://evil.example/a.css"></head><body onload="alert(1)"><script>alert(2)</script>
<p>Words</p><img src="http://evil.example/pixel.png"><iframe src="http://evil.example/"></iframe>
<form action="http://evil.example/" id="f"><button>Send</button></form>
<a href="javascript:alert(3)">Click</a></body></html>"""


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    return tmp_path / "mails"


@pytest.fixture
def browser(mails: Path) -> Iterator[Window]:
    server = LoopbackServer(mailbox_app(Mailbox(mails)))
    server.start()
    try:
        with window(server.base_url) as opened:
            opened.page.set_default_timeout(20_000)
            opened.page.goto(server.base_url)
            yield opened
    finally:
        server.stop()


def send(folder: Path, subject: str, html: str = "<p>Hello</p>", to: str = "Ada <ada@example.com>") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Halyard <help@example.com>", to, subject
    mail.set_content("Look here: http://127.0.0.1/decide/x <b>")
    mail.add_alternative(html, subtype="html")
    CaptureTransport(folder).send(mail)


def test_mails_appear_by_themselves_newest_first(browser: Window, mails: Path) -> None:
    page = browser.page
    page.get_by_text("No mail yet.").wait_for()
    send(mails, "First")
    send(mails, "Second", to="Ben <ben@example.com>")
    page.get_by_text("Second").first.wait_for()
    assert [row.inner_text().split("\n")[0] for row in page.locator("#list a").all()] == ["To Ben", "To Ada"]
    page.get_by_text("First").click()
    page.locator("h1", has_text="First").wait_for()
    send(mails, "Third")
    page.locator("#list a", has_text="Third").wait_for()  # and the open mail stays open
    assert page.locator("h1").inner_text() == "First"
    assert page.frame_locator("iframe").get_by_text("Hello").inner_text() == "Hello"
    assert browser.complaints == []


def test_the_other_views_are_text(browser: Window, mails: Path) -> None:
    send(mails, "<script>alert(1)</script>")
    page = browser.page
    page.locator("#list a").click()
    assert page.locator("h1").inner_text() == "<script>alert(1)</script>"
    page.get_by_role("link", name="Plain text").click()
    page.locator(".plain").wait_for()
    assert page.locator(".plain").inner_text().strip() == "Look here: http://127.0.0.1/decide/x <b>"
    assert page.locator(".plain a").get_attribute("target") == "_blank"
    page.get_by_role("link", name="Headers").click()
    page.locator(".headers", has_text="ada@example.com").wait_for()
    assert browser.complaints == []


def test_a_hostile_mail_loads_runs_and_sends_nothing(browser: Window, mails: Path) -> None:
    send(mails, "Hostile", HOSTILE)
    page = browser.page
    page.locator("#list a").click()
    frame = page.frame_locator("#reading iframe")
    frame.get_by_text("Words").wait_for()
    frame.get_by_role("button", name="Send").click()
    frame.get_by_text("Words").wait_for()
    assert not [one for one in browser.complaints if one.startswith(("dialog", "error"))]
    # What the browser refused is told on the console; a request that it began would be listed with its answer.
    assert page.evaluate("performance.getEntriesByType('resource').every(one => one.name.startsWith(location.origin))")
    assert page.url.startswith(browser.home)
    assert frame.locator("a").evaluate("link => link.baseURI").startswith(browser.home)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(browser: Window, mails: Path, look: str) -> None:
    send(mails, "A" * 200, to=f"{'Long' * 30} <ada@example.com>")
    page = browser.page
    page.emulate_media(color_scheme="dark" if look == "dark" else "light")
    page.set_viewport_size({"width": 360, "height": 700})
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    page.locator("#list a").wait_for()
    assert page.evaluate(fits)
    page.locator("#list a").click()
    page.locator("h1").wait_for()
    assert page.evaluate(fits)
    if folder := os.environ.get("HANDOFF_PICTURES"):
        page.screenshot(path=f"{folder}/mailbox-{look}.png")
    page.get_by_role("link", name="All mails").click()
    page.locator("#list a").wait_for()
    assert browser.complaints == []
