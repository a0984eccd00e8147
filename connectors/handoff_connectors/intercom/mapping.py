"""Intercom's words and ours, both ways. Pure.

Relay is an allow-list: a part reaches a customer only as AGENT and `public`. What this page cannot place is UNKNOWN.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from handoff_connectors.intercom.text import pictures, to_text
from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, TicketComment
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import Attachment, TicketStatus
from handoff_sync.errors import VendorRejected

STATUS: Final[Mapping[str, TicketStatus]] = {  # of `state`; `open` is true for snoozed ones too (quirk IC-10)
    "open": TicketStatus.OPEN,
    "snoozed": TicketStatus.ON_HOLD,
    "closed": TicketStatus.SOLVED,  # never final: a contact's reply opens it again
}
RELAYED: Final = frozenset({"comment", "close", "open"})
"""Part types whose text goes to the customer, if a human teammate wrote it (quirk IC-7)."""

INTERNAL: Final = frozenset(
    {"note", "note_and_reopen", "assignment", "assign_and_reopen", "assign_and_unsnooze"}  # quirk IC-9
)
"""Part types whose text teammates may see, and nobody else."""

DECIDING: Final = frozenset(
    {"close", "open", "snoozed", "unsnoozed", "assignment", "assign_and_reopen", "assign_and_unsnooze",
     "note_and_reopen", "ticket_state_updated_by_admin"}
)  # fmt: skip
"""Part types by which a person changes state or assignee."""

_BY_HAND: Final = (
    DECIDING | RELAYED | INTERNAL
    | {"conversation_tags_updated", "conversation_attribute_updated_by_admin", "priority_changed",
       "ticket_attribute_updated_by_admin"}
)  # fmt: skip
"""Part types behind which stands the teammate who is their author; Intercom's own routing has others."""

_REOPENINGS: Final = frozenset({"open", "assign_and_reopen", "note_and_reopen"})
MERGED: Final = "merged_secondary_conversation"
MERGE_TARGET: Final = "merged_primary_conversation"
FURNISHED: Final = "handoff-sync"
"""The tag that is set last of all."""
"""One of these is on every ticket that the service has opened to the end."""

_CONTACTS: Final = frozenset({"user", "lead", "contact", "visitor"})
_MACHINES: Final = frozenset({"bot", "team", "operator", "nobody_admin", "campaign"})
_REFERENCE: Final = re.compile(r"\bReference: (HS[A-Z2-7]{10})\b")
_TAG_CHARS: Final = 191
_LONGEST_NUMBER: Final = 20


# --- ours -> Intercom --------------------------------------------------------------------------------


def reference(external_id: str) -> str:
    """Our id of a ticket as one word that stands alone: search finds whole words only (quirk IC-5)."""
    return "HS" + base64.b32encode(hashlib.sha256(external_id.encode()).digest())[:10].decode()


def opening_body(text: str, word: str) -> str:
    return f"{text}\n\nReference: {word}"


def reference_in(text: str) -> str | None:
    """The reference of a conversation's first message, be it HTML or text."""
    found = _REFERENCE.search(text)
    return found[1] if found else None


def in_the_name_of(name: str, markup: str) -> str:
    """What a customer says whom Intercom does not let say it."""
    return f"<p><b>{html.escape(name)}</b></p>{markup}"


def to_tag(tag: str) -> str:
    return " ".join(tag.split())[:_TAG_CHARS]


def assigned_to(kind: str, whom: str, us: str) -> dict[str, object]:
    """`kind` is admin or team; "0" is nobody."""
    return {"message_type": "assignment", "type": kind, "admin_id": us, "assignee_id": whom}


def closed(us: str) -> dict[str, object]:
    return {"message_type": "close", "type": "admin", "admin_id": us}


def opened(us: str) -> dict[str, object]:
    return {"message_type": "open", "admin_id": us}


def snoozed(us: str, until: int) -> dict[str, object]:
    """`until`: Unix seconds."""
    return {"message_type": "snoozed", "admin_id": us, "snoozed_until": until}


def number(what: str, value: str) -> str:
    """An id that is a number; VendorRejected for anything else."""
    if not (value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER):
        raise VendorRejected(f"An Intercom {what} is named by its number. Correct it.")
    return value


# --- Intercom -> ours --------------------------------------------------------------------------------


def state_of(thing: Wild) -> str:
    """Open, snoozed or closed. A ticket says it in other fields, beside the state that people see (quirk IC-24)."""
    if text_at(thing, "type") != "ticket":
        return thing["state"].text()
    if not thing["open"].boolean():
        return "closed"
    return "snoozed" if thing.get("snoozed_until") is not None else "open"


def parts_of(thing: Wild) -> list[Wild]:
    """Of a conversation or ticket: the newest 500 at most, oldest first (quirk IC-8). A reply to a ticket is one."""
    kind = text_at(thing, "type")
    if kind == "ticket_part":
        return [thing]
    name = "ticket_parts" if kind == "ticket" else "conversation_parts"
    parts = at(thing, name, name)
    return sorted(parts, key=part_order) if parts is not None else []


def part_order(part: Wild) -> tuple[float, int]:
    return part["created_at"].time().timestamp(), part_number(part)


def part_number(part: Wild) -> int:
    value = part["id"].identifier()
    return int(value) if value.isascii() and value.isdigit() else 0


def source_body(conversation: Wild) -> str:
    return text_at(conversation, "source", "body")


def id_at(thing: Wild, *names: str) -> str | None:
    """An id as text; null and 0 both mean nobody."""
    found = at(thing, *names)
    value = found.identifier() if found is not None else "0"
    return value if value != "0" else None


def contacts_of(conversation: Wild) -> list[Wild]:
    contacts = at(conversation, "contacts", "contacts")
    return list(contacts) if contacts is not None else []


def tags_of(conversation: Wild) -> dict[str, str]:
    """Ids by name."""
    tags = at(conversation, "tags", "tags")
    return {t["name"].text(): t["id"].identifier() for t in tags} if tags is not None else {}


def is_furnished(conversation: Wild) -> bool:
    """Whether opening it came to its end: tags are what it sets last (quirk IC-5)."""
    return FURNISHED in map(str.lower, tags_of(conversation))


def author_of(part: Wild, us: str) -> CommentAuthor:
    """Who wrote its text; staff only where the part is of a kind whose text we know how to treat."""
    who = person_of(part, us)
    known = text_at(part, "part_type") in RELAYED | INTERNAL
    staff = who in (CommentAuthor.AGENT, CommentAuthor.OURS)
    return CommentAuthor.UNKNOWN if staff and not known else who


def person_of(part: Wild, us: str) -> CommentAuthor:
    """Who made it: the first line that holds decides, and AGENT only where nothing speaks against it (README)."""
    kind = text_at(part, "author", "type")
    if kind in _MACHINES or _flag(part, "author", "from_ai_agent") or _flag(part, "author", "is_ai_answer"):
        return CommentAuthor.AUTOMATION
    if kind in _CONTACTS:
        return CommentAuthor.CUSTOMER
    author = id_at(part, "author", "id")
    if kind != "admin" or author is None:
        return CommentAuthor.UNKNOWN
    return CommentAuthor.OURS if author == us else CommentAuthor.AGENT


def says_something(part: Wild) -> bool:
    """Whether there are words or files in it that may be read: redacted ones have none."""
    if _flag(part, "redacted"):
        return False
    body = text_at(part, "body")
    return bool(to_text(body)) or next(_attachments(part, body), None) is not None


def to_comment(part: Wild, author: CommentAuthor, agent: HelpdeskAgent | None) -> TicketComment:
    body = text_at(part, "body")
    return TicketComment(
        id=part["id"].identifier(),
        author=author,
        agent=agent if author is CommentAuthor.AGENT else None,
        text=to_text(body),
        public=text_at(part, "part_type") in RELAYED,
        at=part["created_at"].time(),
        attachments=attachments_of(part),
    )


def agent_in(part: Wild) -> HelpdeskAgent:
    """The teammate as the part itself names them."""
    author = part["author"]
    return HelpdeskAgent(
        id=author["id"].identifier(), name=text_at(author, "name"), email=text_at(author, "email") or None
    )


def to_agent(admin: Wild) -> HelpdeskAgent:
    avatar = at(admin, "avatar")
    picture = avatar.raw() if avatar is not None else None
    if isinstance(picture, Mapping):
        picture = picture.get("image_url")
    return HelpdeskAgent(
        id=admin["id"].identifier(),
        name=text_at(admin, "name"),
        email=text_at(admin, "email") or None,
        avatar=picture if isinstance(picture, str) and picture else None,
    )


def changed_by_hand(parts: Iterable[Wild], us: str) -> Wild | None:
    """Of parts, oldest first: the one that last changed state or assignee, else the newest; None unless a teammate
    other than us did it by hand."""
    changes = [part for part in parts if text_at(part, "part_type") in _BY_HAND]
    deciding = [part for part in changes if text_at(part, "part_type") in DECIDING]
    newest = (deciding or changes)[-1:]
    by_hand = bool(newest) and person_of(newest[0], us) is CommentAuthor.AGENT and not _answers(newest[0])
    return newest[0] if by_hand else None


def _answers(part: Wild) -> bool:
    """Whether an answer opened a closed conversation, as it does by itself: nobody decided that (quirk IC-27)."""
    return text_at(part, "part_type") == "open" and says_something(part)


def merge_marker(conversation: Wild, us: str) -> Wild | None:
    """The part that says that this conversation was merged away, unless a teammate went on in it afterwards.

    Words of the customer, said by us before we knew, open it again and change nothing about that.
    """
    marker: Wild | None = None
    for part in parts_of(conversation):
        kind = text_at(part, "part_type")
        if kind == MERGED:
            marker = part
        elif kind in _REOPENINGS and person_of(part, us) is CommentAuthor.AGENT:
            marker = None
    return marker


def linked_things(thing: Wild) -> list[str]:
    """Numbers of the conversations and tickets that it is linked with."""
    linked = at(thing, "linked_objects", "data")
    found = linked if linked is not None else ()
    return [other["id"].identifier() for other in found if text_at(other, "type") in ("conversation", "ticket")]


def attachments_of(part: Wild) -> tuple[Attachment, ...]:
    """Files and the pictures within the text, in order."""
    return tuple(_attachments(part, text_at(part, "body")))


def _attachments(part: Wild, body: str) -> Iterator[Attachment]:
    files = part.get("attachments")
    for file in files if files is not None else ():
        if not text_at(file, "url"):
            continue
        size = file.get("filesize")
        yield Attachment(
            name=text_at(file, "name") or "attachment",
            content_type=text_at(file, "content_type") or "application/octet-stream",
            size=size.integer() if size is not None and isinstance(size.raw(), int) else 0,
            url=text_at(file, "url"),
        )
    for picture in pictures(body):
        yield Attachment(name=picture.name or "image", content_type="image/*", size=0, url=picture.url)


def _flag(thing: Wild, *names: str) -> bool:
    found = at(thing, *names)
    return found is not None and found.raw() is not False


def at(thing: Wild | None, *names: str) -> Wild | None:
    """What stands at the end of the path, or None where the path ends earlier."""
    for name in names:
        thing = thing.get(name) if thing is not None else None
    return thing


def text_at(thing: Wild | None, *names: str) -> str:
    found = at(thing, *names)
    return found.text() if found is not None else ""
