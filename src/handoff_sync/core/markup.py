"""Customer text on its way into a helpdesk: made harmless, escaped, and cut into parts that a comment can hold."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MIN_PART_BYTES: Final = 1024
"""A smaller limit would not even hold the longest author line."""

NAME_CHARS: Final = 80
_LOOK_BACK: Final = 200
_LONGEST_CLUSTER: Final = 32

_BREAKS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATES: Final = re.compile(r"[\ud800-\udfff]")
_BIDI_CONTROLS: Final = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """The same text with LF as the only line break, and U+FFFD for control characters and lone surrogates."""
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROLS.sub("\ufffd", _BREAKS.sub("\n", text))


def one_line(text: str, limit: int = NAME_CHARS) -> str:
    """For names and titles: no line breaks, no characters that turn the writing direction, at most `limit` long."""
    flat = " ".join(_BIDI_CONTROLS.sub("", clean(text)).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def escape(text: str) -> str:
    """`text` as HTML. Braces become entities, so that no helpdesk takes them for a placeholder of its own."""
    escaped = html.escape(text).replace("{", "&#123;").replace("}", "&#125;")
    return escaped.replace("\n", "<br>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What should stay together. `before` and `after` are HTML, `text` is cleaned plain text.

    A block that is too long for a part goes on in the next one behind `again`, which must say "(continued)".
    """

    text: str
    before: str = '<p dir="auto">'
    again: str = '<p dir="auto">(continued)<br>'
    after: str = "</p>"

    @property
    def html(self) -> str:
        return f"{self.before}{escape(self.text)}{self.after}"


def size(markup: str) -> int:
    """Bytes in UTF-8."""
    return len(markup.encode())


def split(blocks: Iterable[Block], limit_bytes: int) -> tuple[str, ...]:
    """The blocks as HTML in parts of at most `limit_bytes` in UTF-8; nothing is left out.

    Raises:
        ValueError: The limit is below MIN_PART_BYTES, or a block's own markup does not fit.
    """
    if limit_bytes < MIN_PART_BYTES:
        raise ValueError(f"A part of {limit_bytes} bytes is too small; use at least {MIN_PART_BYTES}.")
    parts: list[str] = []
    part: list[str] = []
    used = 0
    for block in blocks:
        for piece in _pieces(block, limit_bytes, limit_bytes - used):
            length = size(piece)
            if part and used + length > limit_bytes:
                parts.append("".join(part))
                part, used = [], 0
            part.append(piece)
            used += length
    return (*parts, "".join(part)) if part else tuple(parts)


def _pieces(block: Block, limit: int, room: int) -> list[str]:
    """The block whole if a part can hold it; else cut, starting in the room that the current part has left."""
    whole = block.html
    if size(whole) <= limit:
        return [whole]
    room = room if room >= limit // 4 and room >= MIN_PART_BYTES else limit
    pieces, start, before = [], 0, block.before
    while start < len(block.text):
        space = room - size(before) - size(block.after)
        end = _cut(block.text, start, space)
        if end == start:
            raise ValueError(f"The markup of a block needs {size(before)} bytes; a part has {room}.")
        pieces.append(f"{before}{escape(block.text[start:end])}{block.after}")
        start, before, room = end, block.again, limit
    return pieces


def _cut(text: str, start: int, space: int) -> int:
    """Where to end a piece that begins at `start` and has `space` bytes: after white space if there is some near."""
    end = start
    while end < len(text):
        space -= size(escape(text[end]))
        if space < 0:
            break
        end += 1
    if end == len(text):
        return end
    for candidate in range(end, max(start, end - _LOOK_BACK), -1):
        if text[candidate - 1].isspace():
            return candidate
    for candidate in range(end, max(start, end - _LONGEST_CLUSTER), -1):
        if not _joined(text[candidate - 1], text[candidate]):
            return candidate
    return end


def _joined(left: str, right: str) -> bool:
    """Whether two characters are drawn as one: accents, skin tones, joined emoji, flags."""
    return (
        left == "\u200d"
        or right == "\u200d"
        or unicodedata.category(right) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= right <= "\U0001f3ff"
        or ("\U0001f1e6" <= left <= "\U0001f1ff" and "\U0001f1e6" <= right <= "\U0001f1ff")
    )
