"""HTML to plain text and to the HTML that Intercom's notes are known to show. Pure.

Ours goes out as text where Intercom wants text (a contact's words); an agent's HTML comes in and becomes text.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_BLOCKS: Final = frozenset({"p", "div", "h1", "h2", "h3", "h4", "ul", "ol", "pre", "blockquote", "table"})
_LINES: Final = frozenset({"li", "tr"})
_SILENT: Final = frozenset({"script", "style", "head", "title"})
_SPACE: Final = re.compile(r"\s+")
_OURS: Final = re.compile(r'<(/?)strong>|</?bdi>|<p dir="auto">')


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that stands in the text; it is in no list of attachments (quirk IC-14)."""

    url: str
    name: str


def to_text(markup: str) -> str:
    """The text that a reader sees: paragraphs apart by an empty line, links as `label (address)`."""
    return _parsed(markup).text()


def pictures(markup: str) -> tuple[Picture, ...]:
    """Images within the text, in order, those of web addresses alone."""
    return tuple(_parsed(markup).pictures)


def note_html(markup: str) -> str:
    """Our markup in the tags that notes are known to show (quirk IC-6)."""
    return _OURS.sub(_plainer, markup)


def digest(markup: str) -> str:
    """Tells a text again after Intercom has wrapped and spaced it its own way. Holds none of the words."""
    return hashlib.sha256(_SPACE.sub("", to_text(markup)).encode()).hexdigest()[:24]


def paragraph(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _plainer(found: re.Match[str]) -> str:
    if found[0].startswith("<p"):
        return "<p>"
    return f"<{found[1]}b>" if "strong" in found[0] else ""


def _parsed(markup: str) -> _Reader:
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader


@dataclass
class _Link:
    address: str
    label: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pictures: list[Picture] = []
        self._pieces: list[str] = []
        self._links: list[_Link] = []
        self._silent = 0
        self._as_is = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self._add("\n")
        elif tag in _BLOCKS:
            self._add("\n\n")
            self._as_is += tag == "pre"
        elif tag in _LINES:
            self._add("\n- " if tag == "li" else "\n")
        elif tag == "a":
            self._links.append(_Link(values.get("href", "")))
        elif tag == "img" and values.get("src", "").startswith(("https://", "http://")):
            self.pictures.append(Picture(values["src"], values.get("alt", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self._add("\n\n")
            self._as_is = max(0, self._as_is - (tag == "pre"))
        elif tag == "a" and self._links:
            link = self._links.pop()
            label = "".join(link.label).strip()
            if link.address.startswith(("https://", "http://", "mailto:")) and not _says(label, link.address):
                self._add(f" ({link.address})" if label else link.address)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._add(data if self._as_is else re.sub(r"[ \t\r\n]+", " ", data))

    def text(self) -> str:
        lines = "\n".join(_trimmed("".join(self._pieces)))
        return re.sub(r"\n{3,}", "\n\n", lines).strip()

    def _add(self, piece: str) -> None:
        self._pieces.append(piece)
        for link in self._links:
            link.label.append(piece)


def _says(label: str, address: str) -> bool:
    return label.removesuffix("/") in (address.removesuffix("/"), address.removeprefix("mailto:"))


def _trimmed(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield line.strip(" ")
