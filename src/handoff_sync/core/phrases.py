"""Numbers and lists as people say them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

_LONGEST_QUOTE: Final = 120


def minutes(count: int) -> str:
    """ "5 minutes", "1 hour", "90 minutes", "3 days"."""
    return counted(count, "minute") if count < 60 or count % 60 else hours(count // 60)


def hours(count: int) -> str:
    """ "72 hours", and "5 days" for longer times that are whole days."""
    return counted(count, "hour") if count <= 72 or count % 24 else counted(count // 24, "day")


def seconds(count: int) -> str:
    return counted(count, "second") if count < 120 or count % 60 else minutes(count // 60)


def counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def listed(items: Sequence[str], last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return f" {last} ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


def quoted(text: str) -> str:
    """In quotation marks, on one line, and cut where it is long."""
    line = " ".join(text.split())
    return f'"{line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1].rstrip() + "…"}"'


def joined(parts: Iterable[str]) -> str:
    """The parts that say something, separated by commas."""
    return ", ".join(part for part in parts if part)
