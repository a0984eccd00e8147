"""A headless Chromium that writes down everything a page should not do. Skipped where there is none, failing in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Window:
    """A page, and its `complaints`: dialogs, words on the console, errors, calls to anywhere but `home`."""

    page: Page
    home: str
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda message: self.complaints.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self._request(request.url))

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, url: str) -> None:
        if not url.startswith(self.home):
            self.complaints.append(f"request: {url}")


@contextmanager
def window(home: str) -> Iterator[Window]:
    """A window that belongs on `home`, the start of the addresses that it may call."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright (dependency group `browser`)")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        _missing("Chromium")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    arguments = ["--disable-dev-shm-usage", "--disable-gpu", *sandbox]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        opened = Window(browser.new_page(viewport={"width": 1200, "height": 900}), home)
        opened.watch()
        yield opened
        browser.close()


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing.")
    pytest.skip(f"needs {what}")
