"""Files of messages: names and types made harmless, and where an agent's file is to be had. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from handoff_sync.core.markup import one_line
from handoff_sync.core.model import AuthorClass, Message, Session, TicketLink

NAME_CHARS: Final = 120
UNKNOWN_TYPE: Final = "application/octet-stream"

REFUSED: Final = (
    *(".exe", ".dll", ".com", ".scr", ".msi", ".bat", ".cmd", ".ps1", ".vbs", ".js", ".jse", ".wsf", ".hta", ".lnk"),
    *(".jar", ".apk", ".app", ".dmg", ".sh", ".reg", ".iso", ".html", ".htm", ".xhtml", ".shtml", ".svg"),
    *("text/html", "application/xhtml+xml", "image/svg+xml", "text/javascript", "application/javascript"),
    *("application/x-msdownload", "application/x-executable", "application/java-archive"),
)
"""What is not put on a ticket unless the operator says otherwise: what runs, or becomes a page in a browser."""

_FORBIDDEN: Final = re.compile(r'[<>:"|?*\ufffd]')
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,90}")
_INERT: Final = re.compile(
    r"image/(?:png|jpeg|gif|webp|bmp|tiff|heic)|audio/[a-z0-9.+-]+|video/[a-z0-9.+-]+|text/(?:plain|csv)|application/"
    r"(?:pdf|zip|json|msword|rtf|vnd\.ms-(?:excel|powerpoint)|vnd\.o(?:penxmlformats-officedocument|asis)[a-z0-9.+-]*)"
)


def safe_name(name: str) -> str:
    """One plain file name: no folders, nothing that turns the writing direction or breaks a header, the ending kept."""
    last = re.split(r"[/\\]", one_line(name, 100_000))[-1]
    plain = " ".join(_FORBIDDEN.sub(" ", last).split()).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if not dot or not 0 < len(ending) <= 10:
        stem, dot, ending = plain, "", ""
    room = NAME_CHARS - len(dot) - len(ending)
    return (stem[:room].rstrip(" .") + dot + ending).strip(" .") or "attachment"


def plain_type(content_type: str) -> str:
    """The media type without parameters; what is none is of an unknown one."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else UNKNOWN_TYPE


def inert_type(content_type: str) -> str:
    """As `plain_type`, and unknown unless a browser merely shows it."""
    kind = plain_type(content_type)
    return kind if _INERT.fullmatch(kind) else UNKNOWN_TYPE


def is_refused(name: str, content_types: Iterable[str], refused: Iterable[str]) -> bool:
    """Whether the name's ending or one of the types is among `refused` (".exe", "text/html")."""
    listed = {entry.strip().lower() for entry in refused}
    _, dot, ending = safe_name(name).lower().rpartition(".")
    return dot + ending in listed or not listed.isdisjoint(plain_type(kind) for kind in content_types)


# --- where the files of a message are ------------------------------------------------------------------


def ticket_of(session: Session, message: Message) -> tuple[TicketLink, str] | None:
    """The link and the comment that a message of a helpdesk's agent was read from; None for what the chat told us."""
    if message.author_class is not AuthorClass.HUMAN:
        return None
    found = [link for link in session.links if message.id.startswith(f"{link.id}:")]
    if not found:
        return None
    link = max(found, key=lambda link: len(link.id))
    return link, message.id[len(link.id) + 1 :]


def addressed(session: Session, message: Message, public_url: str) -> Message:
    """The message as the platform gets it: files of an agent have addresses of ours, which need a key.

    Names and types are what they will be given out with: an agent's page must not become one of the platform's.
    """
    if not message.attachments or ticket_of(session, message) is None:
        return message
    start = f"{public_url}/v1/sessions/{quote(session.id, safe='')}/messages/{quote(message.id, safe='')}/attachments/"
    files = (
        replace(file, name=safe_name(file.name), content_type=inert_type(file.content_type), url=f"{start}{number}")
        for number, file in enumerate(message.attachments)
    )
    return replace(message, attachments=tuple(files))
