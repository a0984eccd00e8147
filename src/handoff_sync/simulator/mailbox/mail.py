"""Captured mails: files of one message each, whose names tell the order in which they were sent."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"(\d{20})-[0-9a-f]{8}")
_LINK: Final = re.compile(r"https?://[^\s<>\"']+")
_DIRECTION: Final = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
"""Invisible marks around names in another writing direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail as its recipient has it. `html` is None where it has none; `headers` are as they were sent."""

    id: str
    at: datetime
    to: str
    to_name: str
    sender: str
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    files: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The text as one line, without what only the layout needs."""
        return visible(self.text)

    @property
    def links(self) -> tuple[str, ...]:
        """Every address in the text, in order."""
        return tuple(dict.fromkeys(_LINK.findall(self.text)))


class Mailbox:
    """All mails of a folder. It need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ids(self) -> tuple[str, ...]:
        """Newest first."""
        if not self._folder.is_dir():
            return ()
        names = (path.stem for path in self._folder.glob("*.eml"))
        return tuple(sorted(filter(_NAME.fullmatch, names), reverse=True))

    def mail(self, mail_id: str) -> Mail | None:
        """The mail, or None where there is none of this id."""
        if not _NAME.fullmatch(mail_id):
            return None
        try:
            return _read(self._folder / f"{mail_id}.eml")
        except FileNotFoundError:
            return None

    def mails(self, limit: int | None = None) -> tuple[Mail, ...]:
        """The newest ones first."""
        return tuple(mail for name in self.ids()[:limit] if (mail := self.mail(name)) is not None)


def visible(text: str) -> str:
    """The words as a reader sees them, on one line."""
    return " ".join(_DIRECTION.sub("", text).split())


@lru_cache(maxsize=2000)
def _read(path: Path) -> Mail:
    """A file never changes once it has its name."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    name, address = _person(message, "To")
    return Mail(
        id=path.stem,
        at=datetime.fromtimestamp(int(path.stem.partition("-")[0]) / 1e9, UTC),
        to=address,
        to_name=name,
        sender=str(message.get("From", "")),
        subject=str(message.get("Subject", "")),
        text=_body(message, "plain") or "",
        html=_body(message, "html"),
        headers=tuple(_headers(message)),
        files=tuple(part.get_filename() or "a file" for part in message.iter_attachments()),
    )


def _person(message: EmailMessage, header: str) -> tuple[str, str]:
    """Name and address of the first person in the header; what cannot be read is the name."""
    found = getattr(message.get(header), "addresses", ())
    return (found[0].display_name, found[0].addr_spec) if found else (str(message.get(header, "")), "")


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):  # a character set that nobody knows
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")


def _headers(message: EmailMessage) -> Iterator[tuple[str, str]]:
    for name, value in message.raw_items():
        yield name, str(value)
