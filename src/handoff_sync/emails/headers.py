"""Headers with untrusted text in them: made safe, written in encoded words of our own, and read again as proof.

The standard library's folding of mixed text loses and moves characters, so that half of all hostile subjects would
arrive changed; its parser of old interpreters turns an encoded line break into a new header.
"""

from __future__ import annotations

import base64
import email
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy, compat32
from typing import Any, Final

from handoff_sync.core.markup import one_line
from handoff_sync.errors import VendorRejected

_WORD_BYTES: Final = 39
"""In base64 this leaves room for the longest of our header names in a line of 76."""


def header_safe(text: str, limit: int = 150) -> str:
    """Untrusted text for a header: one line, without control characters and without anything like an encoded word."""
    safe = one_line(text, limit).replace("\ufffd", "")
    while "=?" in safe:
        safe = safe.replace("=?", "")
    return " ".join(safe.split())


class HeaderPolicy(EmailPolicy):
    """As `email.policy.SMTP`, but Subject and addresses are written by `_written` in this file."""

    def fold(self, name: str, value: Any) -> str:
        match name.lower():
            case "subject":
                return f"{name}: {_written(str(value))}{self.linesep}"
            case "from" | "to":
                return f"{name}: {', '.join(_mailbox(address) for address in value.addresses)}{self.linesep}"
            case _:
                return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii")


POLICY: Final = HeaderPolicy(linesep="\r\n", cte_type="7bit")


def prove(message: EmailMessage) -> None:
    """Reads the bytes again: whatever a name or subject did to the headers shows here, not at the recipient.

    Raises:
        VendorRejected: A header is missing, new or changed.
    """
    sent = email.message_from_bytes(message.as_bytes(), policy=compat32)
    same_names = sorted(name.lower() for name, _ in sent.items()) == sorted(name.lower() for name, _ in message.items())
    same_values = same_names and (
        _decoded(sent["Subject"]) == str(message["Subject"])
        and all(_read_mailbox(sent[name]) == _meant_mailbox(message[name]) for name in ("From", "To"))
    )
    if not same_values:
        raise VendorRejected("The mail's headers did not survive being built. A name or the subject is at fault.")


def _meant_mailbox(value: Any) -> tuple[str, str]:
    (address,) = value.addresses
    return address.display_name, address.addr_spec


def _read_mailbox(raw: str) -> tuple[str, str]:
    name, _, address = raw.rpartition("<")
    name = name.strip()
    if name.startswith('"'):
        return re.sub(r"\\(.)", r"\1", name[1:-1]), address.removesuffix(">")
    return _decoded(name), address.removesuffix(">")


def _decoded(raw: str) -> str:
    return str(make_header(decode_header(raw.replace("\r\n", "").replace("\n", ""))))


def _mailbox(address: Address) -> str:
    name = address.display_name
    if not name:
        return f"<{address.addr_spec}>"
    if name.isascii():
        return f'"{_quoted(name)}" <{address.addr_spec}>'
    return f"{_written(name)} <{address.addr_spec}>"


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _written(text: str) -> str:
    """ASCII as it is (a line may have 998 characters, ours have 150), anything else in encoded words."""
    return text if text.isascii() else "\r\n ".join(_encoded_words(text))


def _encoded_words(text: str) -> Iterator[str]:
    word = b""
    for char in text:
        encoded = char.encode()
        if len(word) + len(encoded) > _WORD_BYTES:
            yield _encoded_word(word)
            word = b""
        word += encoded
    yield _encoded_word(word)


def _encoded_word(word: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(word).decode()}?="
