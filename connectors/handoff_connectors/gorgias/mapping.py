"""Gorgias' words and ours, both ways. Pure: drafts become fields, answers become values.

A message is relayed to a customer only as AGENT and `public`; what this page cannot place is UNKNOWN.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from handoff_connectors.gorgias.markup import to_text
from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, TicketComment, TicketDraft
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import Attachment, TicketStatus
from handoff_sync.errors import VendorRejected

STATUS: Final[Mapping[str, TicketStatus]] = {  # a snooze is looked at first (quirk GO-6)
    "open": TicketStatus.OPEN,
    "closed": TicketStatus.SOLVED,  # never final: a closed ticket can always be opened again
}
TO_GORGIAS: Final[Mapping[TicketStatus, str]] = {
    TicketStatus.OPEN: "open",
    TicketStatus.WAITING_CUSTOMER: "open",
    TicketStatus.ON_HOLD: "open",
    TicketStatus.SOLVED: "closed",
    TicketStatus.CLOSED: "closed",
}
PRIORITIES: Final[Mapping[str, str]] = {
    "low": "low", "normal": "normal", "high": "high", "critical": "critical", "urgent": "critical",
}  # fmt: skip
OURS: Final = "hs1:"
"""Every message that we write has an external id that begins so (quirk GO-8)."""

META: Final = "handoff_sync"
NOTE: Final = "internal-note"
DUPLICATE_TAG: Final = "handoff-duplicate"

_BY_HAND: Final = frozenset({"helpdesk", "email", "chat", "gorgias_chat", "sms", "whatsapp"})
"""`via` of what people write: in the helpdesk, or from their own program on a channel."""

_STAFF: Final = frozenset({"admin", "agent", "basic-agent", "internal-agent", "lite-agent", "observer-agent"})
_LONGEST_ID: Final = 255
_LONGEST_TAG: Final = 256


# --- ours -> Gorgias ---------------------------------------------------------------------------------


def create_fields(draft: TicketDraft, customer: int, tags: tuple[str, ...]) -> dict[str, object]:
    """The fields of a new ticket, apart from its messages. The customer is named by id alone (quirk GO-7)."""
    fields: dict[str, object] = {
        "channel": "api",
        "via": "api",
        "from_agent": False,
        "status": "open",
        "subject": draft.subject,
        "external_id": fitting(draft.external_id),
        "customer": {"id": customer},
        "tags": [{"name": to_tag(tag)} for tag in dict.fromkeys((*draft.tags, *tags))],
        "meta": {META: {"key": draft.external_id}},
    }
    if draft.priority is not None:
        fields["priority"] = _priority(draft.priority)
    if draft.group is not None:
        fields["assignee_team"] = {"id": id_of("team", draft.group)}
    if draft.custom_fields:
        fields["custom_fields"] = [
            {"id": id_of("ticket field", name), "value": value} for name, value in sorted(draft.custom_fields.items())
        ]
    return fields


def customer_message(marker: str, markup: str, customer: int, at: datetime) -> dict[str, object]:
    """What the customer says. It has no receiver: that is for channels on which Gorgias talks itself."""
    text = to_text(markup)
    said = _message("api", marker, markup, text, at, sender=customer, from_agent=False, public=True)
    return said | {"stripped_text": text}


def earlier(message: dict[str, object]) -> dict[str, object]:
    """A message that was said before it is stored; one of now gets its time from Gorgias' clock (quirk GO-11)."""
    return message | {"created_datetime": message["sent_datetime"]}


def agent_message(marker: str, markup: str, us: int, at: datetime) -> dict[str, object]:
    """What our side has said already: `sent_datetime` keeps Gorgias from sending it (quirk GO-3)."""
    return _message("api", marker, markup, to_text(markup), at, sender=us, from_agent=True, public=True)


def note_message(marker: str, markup: str, us: int, at: datetime) -> dict[str, object]:
    return _message(NOTE, marker, markup, to_text(markup), at, sender=us, from_agent=True, public=False)


def _message(
    channel: str, marker: str, markup: str, text: str, at: datetime, *, sender: int, from_agent: bool, public: bool
) -> dict[str, object]:
    """All that decides whether it is mailed is always said."""
    return {
        "channel": channel,
        "via": "api",
        "from_agent": from_agent,
        "public": public,
        "sender": {"id": sender},
        "external_id": mark(marker),
        "body_text": text,
        "body_html": markup,
        "sent_datetime": written_time(at),
    }


def mark(marker: str) -> str:
    """The external id of a message of ours."""
    return fitting(f"{OURS}{marker}")


def fitting(external_id: str) -> str:
    """An external id as Gorgias can keep it: long ones are cut and made unique by a digest."""
    if len(external_id) <= _LONGEST_ID:
        return external_id
    digest = hashlib.sha256(external_id.encode()).hexdigest()[:32]
    return f"{external_id[: _LONGEST_ID - len(digest) - 1]}~{digest}"


def to_tag(tag: str) -> str:
    """A comma would make two tags of one where agents type them."""
    return re.sub(r"[\s,]+", " ", tag).strip()[:_LONGEST_TAG]


def written_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def id_of(what: str, value: str) -> int:
    """A number of Gorgias'; VendorRejected for anything else."""
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise VendorRejected(f"A Gorgias {what} is named by its number (see its address in the settings). Change it.")
    return int(value)


def _priority(name: str) -> str:
    if name not in PRIORITIES:
        raise VendorRejected(f"Gorgias' priorities are {', '.join(PRIORITIES)}. Change it in the policy.")
    return PRIORITIES[name]


# --- Gorgias -> ours ---------------------------------------------------------------------------------


def status_of(ticket: Wild, now: datetime) -> tuple[TicketStatus, str]:
    """Our status and the word for people. A ticket that sleeps is also closed, so the snooze decides (quirk GO-6)."""
    snooze = time_at(ticket, "snooze_datetime")
    raw = ticket["status"]
    if snooze is not None and snooze > now:
        return TicketStatus.ON_HOLD, "snoozed"
    return raw.one_of(STATUS), raw.text()


def removed(ticket: Wild) -> str:
    """How the ticket was taken away, or an empty text: trashed, spam."""
    if (trashed := ticket.get("trashed_datetime")) is not None:
        return "trashed" if trashed.text() else ""
    spam = ticket.get("spam")
    return "spam" if spam is not None and spam.boolean() else ""


def tags_of(ticket: Wild) -> tuple[str, ...]:
    tags = ticket.get("tags")
    return tuple(tag["name"].text() for tag in tags) if tags is not None else ()


def to_agent(person: Wild) -> HelpdeskAgent:
    """Somebody of the team, as tickets, messages and users show them."""
    parts = (text_at(person, "firstname"), text_at(person, "lastname"))
    return HelpdeskAgent(
        id=person["id"].identifier(),
        name=text_at(person, "name") or " ".join(part for part in parts if part),
        email=text_at(person, "email") or None,
        avatar=_avatar(person),
    )


def _avatar(person: Wild) -> str | None:
    """`meta` may be anything."""
    meta = person.get("meta")
    value = meta.raw().get("profile_picture_url") if meta is not None and isinstance(meta.raw(), dict) else None
    return value if isinstance(value, str) and value.startswith("https://") else None


def role_of(user: Wild) -> str:
    return text_at(user, "role", "name")


def is_staff(user: Wild | None) -> bool:
    return user is not None and role_of(user) in _STAFF


def to_comment(message: Wild, us: int, author: Wild | None, customer: int | None = None) -> TicketComment:
    """`author` is the user behind `sender`, where there is one; `customer` the one whose ticket it is."""
    who = author_of(message, us, author, customer)
    return TicketComment(
        id=message["id"].identifier(),
        author=who,
        agent=to_agent(message["sender"]) if who is CommentAuthor.AGENT else None,
        text=text_of(message),
        public=is_public(message),
        at=sent_at(message),
        marker=marker_of(message),
        attachments=attachments_of(message),
    )


def author_of(message: Wild, us: int, author: Wild | None, customer: int | None = None) -> CommentAuthor:
    """Who wrote it: the first line that holds decides, and AGENT only where nothing speaks against it (README)."""
    sender, via = int_at(message, "sender", "id"), text_at(message, "via")
    if marker_of(message) is not None:
        return CommentAuthor.OURS
    if message.get("deleted_datetime") is not None or sender is None or _flag(message, "public") is None:
        return CommentAuthor.UNKNOWN
    match _flag(message, "from_agent"):
        case False:
            return CommentAuthor.CUSTOMER
        case None:
            return CommentAuthor.UNKNOWN
    if message.get("rule_id") is not None or via == "rule" or text_at(message, "source", "type") == "system-message":
        return CommentAuthor.AUTOMATION
    if sender == us or role_of_known(author) == "bot" or via == "api":
        return CommentAuthor.AUTOMATION  # another program, be it in our name
    if _goes_elsewhere(message, customer):
        return CommentAuthor.UNKNOWN
    by_hand = via in _BY_HAND or (via == NOTE and not is_public(message))
    return CommentAuthor.AGENT if by_hand and is_staff(author) else CommentAuthor.UNKNOWN


def _goes_elsewhere(message: Wild, customer: int | None) -> bool:
    """Whether an agent writes to somebody who is not the ticket's customer (quirk GO-21)."""
    receiver = message.get("receiver")
    return receiver is not None and customer is not None and int_at(receiver, "id") != customer


def role_of_known(user: Wild | None) -> str:
    return role_of(user) if user is not None else ""


def needs_author(message: Wild) -> bool:
    """Whether the user behind a message decides who wrote it."""
    return marker_of(message) is None and _flag(message, "from_agent") is True


def marker_of(message: Wild) -> str | None:
    """Our marker in a message's external id."""
    external = text_at(message, "external_id")
    return external.removeprefix(OURS) if external.startswith(OURS) else None


def is_public(message: Wild) -> bool:
    """Only what says literally so, and is no note by any of the signs that Gorgias gives."""
    notes = (text_at(message, "channel"), text_at(message, "source", "type"))
    return _flag(message, "public") is True and NOTE not in notes


def text_of(message: Wild) -> str:
    """What was written now, without the quoted thread of a mail."""
    for name in ("stripped_text", "body_text"):
        if text := text_at(message, name).strip():
            return text
    return to_text(text_at(message, "body_html"))


def sent_at(message: Wild) -> datetime:
    """When it was written; a fresh message of an agent has no `sent_datetime` yet."""
    return read_time(message["created_datetime"])


def read_time(value: Wild) -> datetime:
    """ISO 8601 in UTC; one without offset means UTC."""
    try:
        at = datetime.fromisoformat(value.text())
    except ValueError:
        return value.time()
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)


def time_at(thing: Wild, name: str) -> datetime | None:
    found = thing.get(name)
    return read_time(found) if found is not None else None


def text_at(thing: Wild | None, *names: str) -> str:
    """The text at the end of the path, or an empty one where the path ends earlier."""
    found = _at(thing, *names)
    return found.text() if found is not None else ""


def int_at(thing: Wild | None, *names: str) -> int | None:
    found = _at(thing, *names)
    return found.integer() if found is not None else None


def _at(thing: Wild | None, *names: str) -> Wild | None:
    for name in names:
        thing = thing.get(name) if thing is not None else None
    return thing


def _flag(thing: Wild, name: str) -> bool | None:
    """Only a JSON true or false counts."""
    found = thing.get(name)
    return found.raw() if found is not None and isinstance(found.raw(), bool) else None


def attachments_of(message: Wild) -> tuple[Attachment, ...]:
    """In the order of the message."""
    return tuple(_attachments(message))


def _attachments(message: Wild) -> Iterator[Attachment]:
    files = message.get("attachments")
    for file in files if files is not None else ():
        if url := text_at(file, "url"):
            yield Attachment(
                name=text_at(file, "name") or "attachment",
                content_type=text_at(file, "content_type") or "application/octet-stream",
                size=int_at(file, "size") or 0,
                url=url,
            )
