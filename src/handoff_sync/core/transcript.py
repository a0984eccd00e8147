"""The transcript as people read it in a ticket or a mail: every message in order, with its author and time.

`ticket_parts` shows private notes too: it belongs into internal notes, never into a public comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias, assert_never

from handoff_sync.core.effects import StoredMessage, Visibility
from handoff_sync.core.markup import Block, clean, escape, one_line, size, split
from handoff_sync.core.model import Attachment, AuthorClass, Customer, Message, Trigger

__all__ = [
    "TicketHead",
    "as_text",
    "attachment_line",
    "author_of",
    "clock",
    "comment_html",
    "extract",
    "note_parts",
    "split",
    "subject",
    "ticket_parts",
]

Utterance: TypeAlias = Message | StoredMessage

SUBJECT_CHARS: Final = 150
EXTRACT_MESSAGES: Final = 6
_EXTRACT_CHARS: Final = 240
_LINK_BYTES: Final = 600

WHY: Final[Mapping[Trigger, str]] = {
    Trigger.MANUAL: "A team member handed this conversation over.",
    Trigger.SCENARIO: "The AI recognised a situation that needs a person.",
    Trigger.CUSTOMER_REQUEST: "The customer asked for a person.",
    Trigger.FLOW: "A flow of the chat handed this conversation over.",
    Trigger.AI_ERROR: "The AI failed to answer.",
    Trigger.PAUSE: "The AI was paused.",
    Trigger.HUMAN_REPLY: "A person answered the customer.",
    Trigger.TICKET: "The ticket took the conversation back.",
    Trigger.REOPEN: "The customer came back after the session was resolved.",
    Trigger.AI_DOWN: "The AI is not available.",
    Trigger.API: "The chat handed this conversation over.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHead:
    """What stands above the transcript.

    `summary` is the platform's; an empty one is replaced by an extract of the last messages. `link` is the session's
    page, http or https. `notes` are private notes of earlier handoffs or sessions, oldest first.
    """

    customer: Customer
    trigger: Trigger
    scenarios: tuple[str, ...] = ()
    reason: str = ""
    summary: str = ""
    link: str | None = None
    notes: tuple[StoredMessage, ...] = ()


def ticket_parts(messages: Sequence[StoredMessage], head: TicketHead, limit: int) -> tuple[str, ...]:
    """Head and transcript as HTML, in parts of at most `limit` bytes; the first part opens the ticket."""
    blocks = list(_head(messages, head))
    blocks.append(_titled("Conversation", "" if messages else "No messages yet."))
    blocks += (_signed(message, head.customer.name) for message in messages)
    return split(blocks, limit)


def comment_html(
    messages: Sequence[Utterance], limit: int, customer: Customer | None = None, *, signed: bool = False
) -> tuple[str, ...]:
    """Messages to be appended to a ticket, as HTML in parts of at most `limit` bytes.

    A single message stands alone where the helpdesk shows its author. Several carry author and time each, and so does
    a `signed` one: the copy of what somebody wrote elsewhere.
    """
    if len(messages) == 1 and not signed:
        return split([Block(text=_body(_message(messages[0])))], limit)
    name = customer.name if customer else None
    return split([_signed(message, name) for message in messages], limit)


def note_parts(
    text: str, messages: Sequence[Utterance], limit: int, customer: Customer | None = None
) -> tuple[str, ...]:
    """An internal note of ours, with the messages that belong below it, as HTML in parts of at most `limit` bytes."""
    name = customer.name if customer else None
    return split([Block(text=clean(text)), *(_signed(message, name) for message in messages)], limit)


def as_text(messages: Iterable[Utterance], customer: Customer | None = None) -> str:
    """The transcript as plain text, for mails and for helpdesks without HTML."""
    name = customer.name if customer else None
    return "\n\n".join(
        f"{author_of(item, name)}, {clock(_message(item).at)}:\n{_body(_message(item))}" for item in messages
    )


def extract(messages: Sequence[StoredMessage], customer: str | None = None) -> str:
    """The last messages that the customer saw or wrote, shortened: stands in for a summary (plain text)."""
    seen = [item for item in messages if item.visibility is Visibility.PUBLIC and item.kind == "message"]
    lines = (
        f"{author_of(item, customer)}: {one_line(_body(item.message), _EXTRACT_CHARS)}"
        for item in seen[-EXTRACT_MESSAGES:]
    )
    return "\n".join(lines)


def subject(template: str, customer: Customer) -> str:
    """The ticket's subject: one line of at most 150 characters. `{name}` in the template is the customer's name."""
    name = one_line(customer.name or "", SUBJECT_CHARS) or "a visitor"
    # A brace in a name could only be meant as a placeholder of the helpdesk.
    name = name.replace("{", "(").replace("}", ")")
    around = len(one_line(template.replace("{name}", ""), SUBJECT_CHARS))
    name = one_line(name, max(SUBJECT_CHARS - around - 1, 1))
    return one_line(template.replace("{name}", name), SUBJECT_CHARS) or "Customer needs your help"


def _head(messages: Sequence[StoredMessage], head: TicketHead) -> Iterable[Block]:
    yield _titled("Why", _why(head))
    if head.summary.strip():
        yield _titled("Summary", clean(head.summary.strip()))
    elif messages:
        yield _titled("Last messages", extract(messages, head.customer.name))
    if head.link is not None:
        yield _link(head.link)
    if head.notes:
        yield _titled("Earlier private notes", "")
        yield from (_signed(note, head.customer.name) for note in head.notes)


def _why(head: TicketHead) -> str:
    lines = [WHY[head.trigger]]
    if head.scenarios:
        lines.append("Scenario: " + ", ".join(one_line(name, 200) for name in head.scenarios))
    if head.reason.strip():
        lines.append("Reason: " + clean(head.reason.strip()))
    return "\n".join(lines)


def _link(url: str) -> Block:
    if not url.startswith(("https://", "http://")) or size(escape(url)) > _LINK_BYTES:
        raise ValueError("The link back must be an http or https address of at most 600 bytes. Check public_url.")
    return Block(before=f'<p><a href="{escape(clean(url))}">', text="Open the live chat", after="</a></p>")


def _titled(title: str, text: str) -> Block:
    return Block(
        text=text,
        before=f'<p dir="auto"><strong>{title}</strong>' + ("<br>" if text else ""),
        again=f'<p dir="auto"><strong>{title}</strong> (continued)<br>',
    )


def _signed(item: Utterance, customer: str | None) -> Block:
    author, at = escape(author_of(item, customer)), clock(_message(item).at)
    opening = f'<p dir="auto"><strong><bdi>{author}</bdi></strong> · {at}'
    return Block(text=_body(_message(item)), before=f"{opening}<br>", again=f"{opening} (continued)<br>")


def _message(item: Utterance) -> Message:
    return item.message if isinstance(item, StoredMessage) else item


def author_of(item: Utterance, customer: str | None = None) -> str:
    """Who is shown as the author; `customer` is the customer's name where it is known."""
    message = _message(item)
    name = one_line(message.author.name) if message.author else ""
    if isinstance(item, StoredMessage) and item.kind == "note":
        return f"Note ({name})" if name else "Note"
    if isinstance(item, StoredMessage) and item.kind == "draft":
        return "AI draft, not sent"
    match message.author_class:
        case AuthorClass.CUSTOMER:
            return name or one_line(customer or "") or "Customer"
        case AuthorClass.AI:
            return "AI"
        case AuthorClass.HUMAN:
            return name or "Team member"
        case AuthorClass.AUTOMATION:
            return "Automation"
    assert_never(message.author_class)


def _body(message: Message) -> str:
    lines = [clean(message.text)] if message.text else []
    return "\n".join(lines + [attachment_line(attachment) for attachment in message.attachments])


def attachment_line(attachment: Attachment, why_not: str = "", *, attached: bool = False) -> str:
    """How a file stands in a text: with its address, unless it is `attached` there; `why_not` in plain words."""
    kind, name = one_line(attachment.content_type), one_line(attachment.name, 200)
    known = f"{name}, {kind}, {attachment.size} bytes" + (f"; not attached: {why_not}" if why_not else "")
    return f"[Attachment: {known}]" + ("" if attached else f" {one_line(attachment.url, 2000)}")


def clock(at: datetime) -> str:
    """The time of a message as people read it, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
