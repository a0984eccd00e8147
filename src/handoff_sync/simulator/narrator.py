"""Tells people what happens, as it happens: a line per step, in colour where that is welcome."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TextIO

_COLOURS: Final = {"green": "32", "red": "31", "yellow": "33", "blue": "36", "dim": "2", "bold": "1"}


LONG_S: Final = 3.0
"""Who waits this long without a word thinks that nothing happens."""


class Narrator:
    """Thread-safe. Counts the steps that did not hold."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lock = threading.Lock()
        self._waiting = ""
        terminal = self._stream.isatty()
        self._colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._live = terminal
        self._unicode = (getattr(self._stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")
        self.failed: list[str] = []

    def heading(self, text: str) -> None:
        self._print(f"\n{self._paint(text, 'bold')}")

    def say(self, text: str, colour: str = "") -> None:
        self._print(self._paint(text, colour) if colour else text)

    def step(self, held: bool, text: str, why: str = "") -> bool:
        """One check: what should be so, and with a failure why it is not."""
        sign = self._paint(self._sign(held), "green" if held else "red")
        self._print(f"  {sign} {text}" + (f"\n      {self._paint(why, 'red')}" if why and not held else ""))
        if not held:
            self.failed.append(text)
        return held

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Shows what is being waited for: on a terminal at once, to be replaced; elsewhere when it takes long."""
        if self._live:
            self._show(text)
            try:
                yield
            finally:
                self._show("")
            return
        reminder = threading.Timer(LONG_S, self.say, (f"  … {text}", "dim"))
        reminder.daemon = True
        reminder.start()
        try:
            yield
        finally:
            reminder.cancel()

    def _sign(self, held: bool) -> str:
        if self._unicode:
            return "✓" if held else "✗"
        return "ok" if held else "FAIL"

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colour else text

    def _show(self, text: str) -> None:
        if not self._live:
            return
        with self._lock:
            self._stream.write("\r\x1b[K" + (self._paint(f"  … {text}", "dim") if text else ""))
            self._stream.flush()
            self._waiting = text

    def _print(self, text: str) -> None:
        if not self._unicode:
            text = text.encode("ascii", "replace").decode()
        with self._lock:
            if self._waiting:
                self._stream.write("\r\x1b[K")
            self._stream.write(text + "\n")
            self._stream.flush()
