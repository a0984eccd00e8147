"""What Intercom does to the text of a message: text becomes HTML, HTML loses what is not allowed, and back to text."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Final

ALLOWED_TAGS: Final = frozenset({"a", "b", "blockquote", "br", "code", "em", "h1", "h2", "h3", "i", "img", "li", "ol",
                                 "p", "pre", "strong", "u", "ul"})  # fmt: skip
VOID: Final = frozenset({"br", "img"})
SILENT: Final = frozenset({"script", "style", "iframe", "object", "title", "head"})
BLOCKS: Final = frozenset({"p", "h1", "h2", "h3", "ul", "ol", "blockquote", "pre"})
SAFE_URL: Final = re.compile(r"^(https?:|mailto:|/)", re.I)


def from_text(text: str) -> str:
    """HTML of a text in which nothing is markup: empty lines part paragraphs."""
    paragraphs = [p.strip() for p in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if p.strip()]
    return "".join(f"<p>{html.escape(p, quote=False).replace(chr(10), '<br>')}</p>" for p in paragraphs)


def clean(markup: str) -> str:
    """The allowed part of some HTML; what is no block becomes a paragraph."""
    cleaner = _Cleaner()
    cleaner.feed(markup)
    cleaner.close()
    result = cleaner.result().strip()
    return result if not result or re.match(r"<(p|h[1-3]|ul|ol|blockquote|pre)\b", result) else f"<p>{result}</p>"


def plain(markup: str | None) -> str:
    """The text of some HTML: links as `label (url)`, pictures as `[Image]`."""
    reader = _PlainReader()
    reader.feed(markup or "")
    reader.close()
    lines = [line.strip() for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        if tag not in ALLOWED_TAGS or self._silent:
            return
        kept = [(n, v) for n, v in attrs if v and (n == "alt" or (n in ("href", "src") and SAFE_URL.match(v)))]
        self._out.append(_opening(tag, kept))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
        if tag not in self._open:
            return
        while self._open:
            last = self._open.pop()
            self._out.append(f"</{last}>")
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._out.append(html.escape(data, quote=False))

    def result(self) -> str:
        return "".join(self._out) + "".join(f"</{tag}>" for tag in reversed(self._open))


def _opening(tag: str, attributes: list[tuple[str, str]]) -> str:
    shown = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes)
    return f"<{tag}{shown}>"


class _PlainReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br" or tag == "li":
            self.parts.append("\n")
        elif tag in BLOCKS:
            self.parts.append("\n\n")
        elif tag == "img":
            self.parts.append("[Image]")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.parts.append("\n\n")
        elif tag == "a" and self._links and (url := self._links.pop()):
            self.parts.append(f" ({url})")

    def handle_data(self, data: str) -> None:
        self.parts.append(re.sub(r"[ \t\n]+", " ", data))
