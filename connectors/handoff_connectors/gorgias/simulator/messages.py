"""Messages and notes: how they come into a ticket, and what Gorgias sends out because of them."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any, Final

from handoff_connectors.gorgias.simulator import people, seed
from handoff_connectors.gorgias.simulator.account import Account, SentMail, new_context
from handoff_connectors.gorgias.simulator.fields import Faults, parse
from handoff_connectors.gorgias.simulator.model import NOTE, Change, Customer, Message, Ticket, User
from handoff_connectors.gorgias.simulator.schemas import CHANNELS

TAGS: Final = re.compile(r"<[^>]*>")
BREAKS: Final = re.compile(r"<br\s*/?>|</p>|</div>", re.IGNORECASE)
NO_SENDER: Final = {"sender": ["Missing data for required field."]}
MAILED: Final = frozenset({"email", "api", "contact_form", "help-center"})


def channel_faults(account: Account, channel: str | None) -> Faults:
    known = (*CHANNELS, *account.settings.app_channels)
    return None if channel is None or channel in known else ["Not a valid channel."]


def person_faults(account: Account, given: dict[str, Any], has_customer: bool) -> dict[str, Any]:
    """What is wrong with channel, sender and receiver of a message whose fields are well formed."""
    check = people.user_faults if given["from_agent"] else people.customer_faults
    found: dict[str, Any] = {"channel": channel_faults(account, given["channel"]),
                             "sender": check(account, given.get("sender"))}  # fmt: skip
    if not given["from_agent"] and not given.get("sender") and not has_customer:
        found |= NO_SENDER
    return {name: wrong for name, wrong in found.items() if wrong}


def add(account: Account, caller: User, ticket: Ticket, given: dict[str, Any]) -> Message:
    """Put a faultless message into a ticket. What an agent says without `sent_datetime` is sent to the customer."""
    now, channel, from_agent = account.clock.now(), given["channel"], given["from_agent"]
    sender: User | Customer
    if from_agent:
        sender = people.user_of(account, given.get("sender"), caller)
    else:
        wanted = given.get("sender") or {}
        named = {"id", "email", "external_id"} & set(wanted)
        sender = people.customer_of(account, wanted if named else {"id": ticket.customer_id})
    created_at = _time(given, "created_datetime") or now
    message = Message(
        id=account.new_message_id(),
        ticket_id=ticket.id,
        channel=channel,
        via=given.get("via") or "api",
        from_agent=from_agent,
        public=given.get("public", channel != NOTE),
        created_at=created_at,
        sender_id=sender.id,
        receiver_id=_receiver(account, given),
        source={},
    )
    write(message, given)
    message.source = given.get("source") or _source(message, sender)
    if not message.sent_at and (message.is_note or not from_agent):
        message.sent_at = created_at
    put(account, ticket, message)
    if message.external_id:
        account.written.append(message.external_id)
    if message.sent_at is None and message.failed_at is None:
        account.agenda.at(now + timedelta(seconds=account.settings.send_delay_s), lambda: send(account, message))
    return message


def write(message: Message, given: dict[str, Any]) -> None:
    """Take over what a body says of a message, apart from who it is from."""
    for name in ("external_id", "message_id", "integration_id", "subject", "actions", "macros", "meta"):
        if name in given:
            setattr(message, name, given[name])
    message.headers = given.get("headers") or message.headers
    message.attachments = given.get("attachments") or message.attachments
    if given.get("body_text") is not None or given.get("body_html") is not None:
        _write_body(message, given)
    for name, field in (("opened", "opened_at"), ("sent", "sent_at"), ("failed", "failed_at"),
                        ("deleted", "deleted_at")):  # fmt: skip
        if f"{name}_datetime" in given:
            setattr(message, field, _time(given, f"{name}_datetime"))
    if "last_sending_error" in given:
        message.sending_error = given["last_sending_error"]


def _write_body(message: Message, given: dict[str, Any]) -> None:
    text, marked = given.get("body_text"), given.get("body_html")
    message.body_text = as_text(marked) if text is None else text
    message.body_html = as_html(message.body_text) if marked is None else marked
    if not message.body_html.lstrip().startswith("<"):
        message.body_html = f"<div>{message.body_html}</div>"
    message.stripped_text = given.get("stripped_text") or message.body_text
    message.stripped_html = given.get("stripped_html") or message.body_html
    message.stripped_signature = given.get("stripped_signature")


def put(account: Account, ticket: Ticket, message: Message) -> None:
    """Sort a message into a ticket and move the ticket's times."""
    message.ticket_id = ticket.id
    ticket.messages.append(message)
    ticket.messages.sort(key=lambda m: (m.created_at, m.id))
    ticket.last_message_at = max(m.created_at for m in ticket.messages)
    if not message.from_agent:
        ticket.last_received_at = max(m.created_at for m in ticket.messages if not m.from_agent)
        ticket.is_unread = True
    account.touch(ticket)


def send(account: Account, message: Message) -> None:
    """Send what waits to be sent: mail it, or note that it failed."""
    ticket = account.tickets[message.ticket_id]
    if message not in ticket.messages or message.sent_at or message.failed_at:
        return
    now, to = account.clock.now(), _address(account, ticket, message)
    if message.channel in MAILED and to:
        account.mails.append(SentMail(ticket.id, message.id, to, message.subject or ticket.subject or "", now))
    elif message.channel != "api":
        message.failed_at, message.sending_error = now, {"error": "The message could not be delivered."}
        account.touch(ticket)
        account.announce(Change(ticket=ticket, events=("ticket-message-failed",), message=message, user_id=None,
                                triggers=frozenset({"ticket-message-failed"}), context=new_context()))  # fmt: skip
        return
    message.sent_at = now
    account.touch(ticket)


def _address(account: Account, ticket: Ticket, message: Message) -> str | None:
    listed = [str(to["address"]) for to in message.source.get("to") or [] if "@" in str(to.get("address") or "")]
    receiver = account.customers.get(message.receiver_id or 0)
    customer = account.customers.get(ticket.customer_id)
    return next(iter(listed), None) or (receiver.email if receiver else None) or (customer.email if customer else None)


def _receiver(account: Account, given: dict[str, Any]) -> int | None:
    wanted = given.get("receiver")
    if not wanted or not given["from_agent"] or people.customer_faults(account, wanted):
        return None
    return people.customer_of(account, wanted).id


def _source(message: Message, sender: User | Customer) -> dict[str, Any]:
    address = sender.email
    if message.from_agent and message.channel == "email":
        return {"type": "email", "from": dict(zip(("name", "address"), seed.MAIL_INTEGRATION, strict=True)), "to": []}
    return {"type": message.channel, "from": {"name": sender.name, "address": address}, "to": []}


def _time(given: dict[str, Any], name: str) -> Any:
    return parse(given[name]) if given.get(name) else None


def as_text(marked: str | None) -> str:
    """The text of an HTML body."""
    return html.unescape(TAGS.sub("", BREAKS.sub("\n", marked or ""))).strip("\n")


def as_html(text: str) -> str:
    """A text as the composer of the agent's screen sends it."""
    return "".join(f"<div>{html.escape(line, quote=False) or '<br>'}</div>" for line in text.split("\n"))
