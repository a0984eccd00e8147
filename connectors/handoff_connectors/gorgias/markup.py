"""Text out of HTML, for Gorgias keeps both forms of a message. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_NEW_LINE: Final = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote"})
_UNSEEN: Final = frozenset({"script", "style", "head", "title"})
_GAPS: Final = re.compile(r"\n{3,}")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br" or (tag in _NEW_LINE and self.parts and not self.parts[-1].endswith("\n")):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _NEW_LINE and tag != "br":
            self.parts.append("\n\n" if tag == "p" else "\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def to_text(markup: str) -> str:
    """What a reader sees of `markup`, paragraphs set apart by an empty line. Links lose their address."""
    reader = _Text()
    reader.feed(markup)
    reader.close()
    return _GAPS.sub("\n\n", "".join(reader.parts)).strip()
