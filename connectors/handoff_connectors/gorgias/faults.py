"""One table from what Gorgias answered to the error that says who must act.

Pure. A message names the call, the status and field names, never a body, a token or a customer's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from handoff_sync.contract.http import Answer
from handoff_sync.contract.payload import read_json
from handoff_sync.errors import (
    HandoffError,
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    UnrecognisedPayload,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)

_DEFAULT_WAIT_S: Final = 10.0
_LEAST_WAIT_S: Final = 1.0
_TICKET: Final = re.compile(r"/api/tickets/(\d{1,18})(?:/|$)")
_FIELD: Final = re.compile(r"[A-Za-z0-9_]{1,40}")


class TicketMerged(TicketGone):
    """The ticket lives on in the ticket `into`; every call on it is answered by a redirect (quirk GO-5)."""

    def __init__(self, message: str, into: str) -> None:
        super().__init__(message)
        self.into = into


class Taken(VendorRejected):
    """409: somebody has this address or external id already."""


class FieldsRefused(VendorRejected):
    """400: `fields` are the names that the answer tells, outermost first."""

    def __init__(self, message: str, fields: tuple[str, ...]) -> None:
        super().__init__(message)
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Asked:
    """The call that was made. `repeatable` writes do no harm when they happen twice."""

    method: str
    path: str
    repeatable: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def harmless(self) -> bool:
        """Whether a failure leaves nothing to be looked for."""
        return self.method == "GET" or self.repeatable

    def lost(self, why: str, wait_s: float | None = None) -> HandoffError:
        """What it means that no believable answer came to a request that was sent."""
        if self.harmless:
            return VendorDown(f"Gorgias gave no usable answer ({why}, {self}). It is tried again.", wait_s)
        return OutcomeUnknown(f"Gorgias gave no usable answer ({why}, {self}). It may have been done.")


def fault(asked: Asked, answer: Answer, hosts: frozenset[str], now: datetime) -> HandoffError | None:
    """The error for an answer, or None when it is a success. `hosts` are those that a redirect may name."""
    status, wait_s = answer.status, answer.retry_after_s(now)
    match status:
        case _ if 200 <= status < 300:
            return None
        case 301 | 302 | 307 | 308:
            return _moved(asked, answer, hosts)
        case 401:
            return VendorAuthError(
                f"Gorgias refused our credentials (401, {asked}). Make a new API key in Settings > REST API, "
                "or connect the app once more, store it, then switch the connection on again."
            )
        case 403:
            return VendorAuthError(
                f"Gorgias forbids this call (403, {asked}). The user behind the credentials must be an admin, and an "
                "app needs the scopes named in the connector's README."
            )
        case 404 | 410 if _TICKET.match(asked.path):
            return TicketGone(f"The ticket is deleted or was never there ({status}, {asked}).")
        case 408 | 425:
            return asked.lost(f"status {status}", wait_s)
        case 409:
            return Taken(f"Gorgias has this identifier already (409, {asked}).")
        case 429:
            wait_s = _DEFAULT_WAIT_S if wait_s is None else max(wait_s, _LEAST_WAIT_S)
            return RateLimited(f"Gorgias' rate limit is reached (429, {asked}).", wait_s)
        case _ if 400 <= status < 500:
            fields = _fields(answer.body)
            named = f" Refused: {', '.join(fields)}." if fields else ""
            return FieldsRefused(f"Gorgias refused the request ({status}, {asked}).{named}", fields)
        case _:
            return asked.lost(f"status {status}", wait_s)


def _moved(asked: Asked, answer: Answer, hosts: frozenset[str]) -> HandoffError:
    """Where a merged ticket went. Only the number is taken; nothing is ever called at the address of a redirect."""
    ours, there = _TICKET.match(asked.path), urlsplit(answer.headers.get("location", ""))
    target = _TICKET.match(there.path)
    trusted = not there.netloc or there.netloc.lower() in hosts
    if ours is None or target is None or not trusted or target[1] == ours[1]:
        return asked.lost(f"a redirect that is no merge, {answer.status}")
    return TicketMerged(f"The ticket was merged into another ({answer.status}, {asked}).", target[1])


def _fields(body: bytes) -> tuple[str, ...]:
    """Names only, from `{"error": {"data": {"messages": {"0": {"sender": ["..."]}}}}}`; never the texts."""
    try:
        answer = read_json(body).raw()
    except UnrecognisedPayload:
        return ()
    error = answer.get("error") if isinstance(answer, Mapping) else None
    data = error.get("data") if isinstance(error, Mapping) else None
    return tuple(dict.fromkeys(_names(data, depth=4)))[:20]


def _names(data: object, depth: int) -> Iterator[str]:
    if not isinstance(data, Mapping) or depth == 0:
        return
    for name, inner in data.items():
        if isinstance(name, str) and _FIELD.fullmatch(name) and not name.isdigit():
            yield name
        yield from _names(inner, depth - 1)
