"""Builds the message that goes over the wire, and proves that its headers are the ones we meant."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from handoff_sync.core.markup import clean
from handoff_sync.emails.headers import POLICY, header_safe, prove
from handoff_sync.emails.render import Rendered
from handoff_sync.errors import ConfigurationError, VendorRejected

MAX_ID_CHARS: Final = 60
MAX_REFERENCES: Final = 3
_HASH_CHARS: Final = 32
_FALLBACK_DOMAIN: Final = "handoff-sync.invalid"
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}")
_SENDER: Final = re.compile(r"(?P<name>[^<>\r\n]*)<(?P<bracketed>[^<>\s]+)>|(?P<bare>[^<>\s]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From whom to whom, and where it belongs.

    Attributes:
        key: Unique in the installation and the same on every try (session and effect key): the Message-ID follows
            from it. `thread` are the keys of earlier mails that this one answers, oldest first; the last three count.
        sender: `help@example.com` or `Name <help@example.com>`, from the settings.
        workspace: Part of List-Id, by which people filter.
    """

    key: str
    sender: str
    recipient: str
    recipient_name: str = ""
    workspace: str = ""
    thread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A plain-text attachment; `name` is ours, never a customer's."""

    name: str
    text: str = field(repr=False)


def build_message(
    rendered: Rendered, envelope: Envelope, now: datetime, attachments: Sequence[TextFile] = ()
) -> EmailMessage:
    """The message: plain text and HTML, automatic-mail headers, a Message-ID that repeats with its key.

    Raises:
        ConfigurationError: The sender is no address.
        VendorRejected: The recipient is no address that SMTP carries, or the headers did not survive being built.
    """
    sender_name, sender = sender_of(envelope.sender)
    headers = _headers(rendered, envelope, sender, now)
    message = EmailMessage(policy=POLICY)
    message["From"] = _address(sender_name, sender)
    message["To"] = _address(envelope.recipient_name, _checked(envelope.recipient))
    for name, value in headers.items():
        message[name] = value
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    for file in attachments:
        message.add_attachment(clean(file.text), filename=file.name)
    message["Content-Language"] = rendered.language
    prove(message)
    return message


def message_id(key: str, sender: str) -> str:
    """The Message-ID of the mail with this key: the same on every try, at most 60 characters."""
    domain = sender.rpartition("@")[2].lower()
    room = MAX_ID_CHARS - _HASH_CHARS - 3
    while len(domain) > room and "." in domain:
        domain = domain.partition(".")[2]
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARS]
    return f"<{digest}@{domain if 0 < len(domain) <= room else _FALLBACK_DOMAIN}>"


def sender_of(setting: str) -> tuple[str, str]:
    """Name and address of the sender setting; ConfigurationError when it is no address."""
    found = _SENDER.fullmatch(setting.strip())
    if not found or not _ADDRESS.fullmatch(address := found["bracketed"] or found["bare"]):
        raise ConfigurationError(["mail_from is no mail address. Example: help@example.com"])
    return header_safe((found["name"] or "").strip().strip('"'), 80), address


def _headers(rendered: Rendered, envelope: Envelope, sender: str, now: datetime) -> Mapping[str, str]:
    domain = sender.rpartition("@")[2].lower()
    workspace = re.sub(r"[^a-z0-9-]", "-", envelope.workspace.lower())[:40].strip("-")
    headers = {
        "Subject": header_safe(rendered.subject),
        "Date": format_datetime(now),
        "Message-ID": message_id(envelope.key, sender),
        "List-Id": f"<{workspace}.handoff-sync.{domain}>" if workspace else f"<handoff-sync.{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    if earlier := [message_id(key, sender) for key in envelope.thread[-MAX_REFERENCES:]]:
        headers |= {"References": " ".join(earlier), "In-Reply-To": earlier[-1]}
    return headers


def _checked(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise VendorRejected("The recipient's mail address cannot be used. Correct it in the recipients.")
    return address


def _address(name: str, address: str) -> Address:
    return Address(display_name=header_safe(name, 80), addr_spec=address)
