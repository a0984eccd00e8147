"""The messages that a new ticket begins with, from the talk before the handoff. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from handoff_connectors.gorgias.mapping import agent_message, customer_message, earlier, note_message
from handoff_connectors.gorgias.settings import TranscriptMode
from handoff_sync.contract.connector import TicketDraft
from handoff_sync.core.markup import escape
from handoff_sync.core.model import AuthorClass, Customer, Message
from handoff_sync.core.transcript import author_of, comment_html

MOST_MESSAGES: Final = 500
MOST_BYTES: Final = 200_000
"""How much of a talk is sent message by message; the rest stands in the note."""

PART_BYTES: Final = 20_000
"""A single message that is longer goes on in the next."""

ROOM_BYTES: Final = 1000
"""What the note needs beside the transcript."""


def first_messages(
    draft: TicketDraft, mode: TranscriptMode, customer: int, us: int, now: datetime
) -> list[dict[str, object]]:
    """What the customer said, so that queues show somebody waiting, and last the note with the whole transcript."""
    said = _thread(draft, customer, us) if mode is TranscriptMode.THREAD else []
    if not any(message["from_agent"] is False for message in said):
        said.append(_last_word(draft, customer, now))
    return [*said, note_message(note_marker(draft), _note(draft), us, now)]


def note_marker(draft: TicketDraft) -> str:
    return f"{draft.external_id}:note"


def _last_word(draft: TicketDraft, customer: int, now: datetime) -> dict[str, object]:
    """The customer's newest message; the subject where none is known."""
    for message in reversed(draft.said):
        if message.author_class is AuthorClass.CUSTOMER:
            markup = comment_html([message], PART_BYTES, draft.requester.customer)[0]
            return earlier(customer_message(f"{draft.external_id}:{message.id}", markup, customer, message.at))
    return customer_message(f"{draft.external_id}:asks", f"<p>{escape(draft.subject)}</p>", customer, now)


def _thread(draft: TicketDraft, customer: int, us: int) -> list[dict[str, object]]:
    """The newest messages that fit, oldest first."""
    kept: list[dict[str, object]] = []
    room = MOST_BYTES
    for message in reversed(draft.said):
        parts = _turn(draft, message, customer, us)
        room -= sum(len(str(part["body_html"]).encode()) for part in parts)
        if room < 0 or len(kept) + len(parts) > MOST_MESSAGES - 2:
            break
        kept += reversed(parts)
    return kept[::-1]


def _turn(draft: TicketDraft, message: Message, customer: int, us: int) -> list[dict[str, object]]:
    """Gorgias shows our user as the author of what the chat said, so the true author stands in the text."""
    known: Customer = draft.requester.customer
    markups = comment_html([message], PART_BYTES, known)
    markers = [f"{draft.external_id}:{message.id}{f':{n}' if n else ''}" for n in range(len(markups))]
    if message.author_class is AuthorClass.CUSTOMER:
        return [
            earlier(customer_message(m, html, customer, message.at)) for m, html in zip(markers, markups, strict=True)
        ]
    name = f"<p><strong>{escape(author_of(message, known.name))}</strong></p>"
    return [earlier(agent_message(m, name + html, us, message.at)) for m, html in zip(markers, markups, strict=True)]


def _note(draft: TicketDraft) -> str:
    """The transcript, and what Gorgias is not told otherwise: the customer's address, the ticket before this one."""
    lines = []
    if draft.requester.customer.email:
        known = "vouched for by the chat" if draft.requester.customer.email_verified else "claimed in the chat"
        lines.append(f"<strong>E-mail</strong> ({known}): {escape(draft.requester.customer.email[:320])}")
    if draft.follow_up_of is not None:
        lines.append(f"<strong>Continues ticket</strong> {escape(draft.follow_up_of[:40])}")
    return "".join(f'<p dir="auto">{line}</p>' for line in lines) + draft.html


def in_the_name_of(name: str, markup: str) -> str:
    """Words of the customer that we write into a note."""
    return f'<p dir="auto"><strong>{escape(name)}</strong></p>{markup}'
