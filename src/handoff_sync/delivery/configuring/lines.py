"""On which line of a TOML text each key stands. The standard library's reader does not tell."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}\n#]*")
_STRING: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'',
    re.DOTALL,
)


class Lines:
    """Of a text that is known to be TOML. Paths are written as `policy.recipients[0].email`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[str, int] = {}
        self._tables: Counter[str] = Counter()
        self._read()

    def of(self, path: str) -> int | None:
        """The line of the path, else of the nearest table around it."""
        while path and path not in self._lines:
            path = re.sub(r"(?:\[\d+\]|\.?[^.\[]+)$", "", path)
        return self._lines.get(path)

    def _read(self) -> None:
        prefix = ""
        while self._skip() < len(self._text):
            if self._text.startswith("[", self._at):
                prefix = self._header()
            else:
                self._pair(prefix)

    def _header(self) -> str:
        repeated = self._text.startswith("[[", self._at)
        start, self._at = self._at, self._at + 1 + repeated
        path = ""
        names = self._key()
        for depth, name in enumerate(names, start=1):
            path = f"{path}.{name}" if path else name
            self._mark(path, start)
            if repeated and depth == len(names):
                self._tables[path] += 1
            if self._tables[path]:
                path = f"{path}[{self._tables[path] - 1}]"
        self._at += 1 + repeated
        self._mark(path, start)
        return path

    def _pair(self, prefix: str) -> None:
        self._skip()
        start, path = self._at, prefix
        for name in self._key():
            path = f"{path}.{name}" if path else name
            self._mark(path, start)
        self._at += 1  # the sign between key and value
        self._value(path)

    def _key(self) -> list[str]:
        """The names of a dotted key; afterwards behind it and the spaces that follow."""
        names = []
        while True:
            self._skip()
            if quoted := _STRING.match(self._text, self._at):
                names.append(quoted[0][1:-1])
                self._at = quoted.end()
            elif bare := _BARE.match(self._text, self._at):
                names.append(bare[0])
                self._at = bare.end()
            self._skip()
            if not self._text.startswith(".", self._at):
                return names
            self._at += 1

    def _value(self, path: str) -> None:
        self._skip()
        if string := _STRING.match(self._text, self._at):
            self._at = string.end()
        elif self._text.startswith("[", self._at):
            self._items("]", path)
        elif self._text.startswith("{", self._at):
            self._items("}", path)
        elif scalar := _SCALAR.match(self._text, self._at):
            self._at = scalar.end()

    def _items(self, end: str, path: str) -> None:
        """What is between the brackets of a list or an inline table."""
        self._at, index = self._at + 1, 0
        while self._skip() < len(self._text) and not self._text.startswith(end, self._at):
            if end == "]":
                self._mark(f"{path}[{index}]", self._at)
                self._value(f"{path}[{index}]")
            else:
                self._pair(path)
            index += 1
            if self._text.startswith(",", self._skip()):
                self._at += 1
        self._at += 1

    def _skip(self) -> int:
        if blank := _BLANK.match(self._text, self._at):
            self._at = blank.end()
        return self._at

    def _mark(self, path: str, at: int) -> None:
        self._lines.setdefault(path, self._text.count("\n", 0, at) + 1)
