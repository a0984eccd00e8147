"""What Zendesk does to the text of a comment: cleaning, wrapping, cutting off, filling in placeholders."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Final

PLACEHOLDER: Final = re.compile(r"\\?\{\{\s*([^{}]*?)\s*\}\}")
WRAPPED: Final = re.compile(r'^<div class="zd-comment" dir="auto">(.*)</div>$', re.S)
ALLOWED_TAGS: Final = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
DIRECTED: Final = frozenset(["p", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"])
VOID: Final = frozenset({"br", "hr", "img"})
SILENT: Final = frozenset({"script", "style", "iframe", "object", "title"})
PARAGRAPHS: Final = frozenset(["p", "ul", "ol", "blockquote", "pre", "table", "h1", "h2", "h3", "h4", "h5", "h6"])
LINES: Final = frozenset(["div", "li", "tr", "hr"])
SAFE_URL: Final = re.compile(r"^(https?:|mailto:|/|#)", re.I)


def cut(text: str, max_bytes: int) -> str:
    """The first `max_bytes` bytes as UTF-8, without half a character and without a word about it."""
    raw = text.encode()
    return text if len(raw) <= max_bytes else raw[:max_bytes].decode("utf-8", "ignore")


def expand(text: str, value_of: Callable[[str], str | None]) -> str:
    r"""Fill in `{{name}}`; an unknown name becomes nothing. `\{{name}}` stays as `{{name}}`."""

    def fill(match: re.Match[str]) -> str:
        if match[0].startswith("\\"):
            return match[0][1:]
        return value_of(match[1]) or ""

    return PLACEHOLDER.sub(fill, text)


def html_of_body(body: str, markdown: bool) -> str:
    """HTML of a `body`: tags are stripped, runs of blanks and line ends become one; a newline and a blank stay."""
    text = re.sub(r"<[^<>]*>", "", body.replace("\r\n", "\n"))
    kept = text.replace("\n ", "\0")
    kept = re.sub(r"[ \t]+", " ", kept)
    paragraphs = [p for p in re.split(r"\n{2,}", kept) if p.strip()]
    escaped = (html.escape(re.sub(r"\n", " ", p).strip(), quote=False).replace("\0", "<br>") for p in paragraphs)
    return "".join(f'<p dir="auto">{_markdown(p) if markdown else p}</p>' for p in escaped)


def _markdown(escaped: str) -> str:
    text = re.sub(r"\*\*(\S(?:.*?\S)?)\*\*", r"<strong>\1</strong>", escaped)
    text = re.sub(r"(?<![\w*])\*(\S(?:[^*]*?\S)?)\*(?![\w*])", r"<em>\1</em>", text)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


def wrap(inner: str) -> str:
    return f'<div class="zd-comment" dir="auto">{inner}</div>'


def clean(markup: str) -> str:
    """The allowed part of some HTML."""
    cleaner = _Cleaner()
    cleaner.feed(markup)
    cleaner.close()
    return cleaner.result()


def plain(markup: str) -> str:
    """The text of some HTML: one empty line between paragraphs."""
    reader = _PlainReader()
    reader.feed(markup)
    reader.close()
    lines = [line.strip(" \t") for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent += 1
        if tag not in ALLOWED_TAGS or self._silent:
            return
        kept = [(n, v or "") for n, v in attrs if n in ("title", "alt") or (n in ("href", "src") and _safe(v))]
        if tag in DIRECTED:
            kept.append(("dir", "auto"))
        if tag == "a":
            kept.append(("rel", "noopener noreferrer"))
        shown = "".join(f' {name}="{html.escape(value)}"' for name, value in kept)
        self._out.append(f"<{tag}{shown}>")
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


def _safe(url: str | None) -> bool:
    return bool(url and SAFE_URL.match(url))


class _PlainReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag in PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in LINES:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in LINES:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(re.sub(r"[ \t\n]+", " ", data))
