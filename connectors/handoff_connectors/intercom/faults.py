"""One table from what Intercom answered to the error that says who must act.

Pure. A message names the call, the status, and code and request id of Intercom, never a body, a token or words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from handoff_sync.contract.waiting import MAX_WAIT_S, retry_after_s
from handoff_sync.errors import (
    HandoffError,
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)

_DEFAULT_WAIT_S: Final = 10.0
_NEW_CONTACT_WAIT_S: Final = 3.0
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_REQUEST: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONTACT_ID: Final = re.compile(r"\bid=([0-9a-f]{24})\b")
_CANONICAL: Final = re.compile(r"<[^<>]*/contacts/([0-9a-f]{24})>[^,]*canonical")
_PERSON: Final = re.compile(r"\b(user|contact|lead)\b", re.IGNORECASE)
_OTHER_THINGS: Final = frozenset({"admin_not_found", "assignee_not_found", "team_not_found", "tag_not_found"})


class ContactConflict(VendorRejected):
    """409: a contact with this external id or address exists (quirk IC-2). `contact` is its id where it was told."""

    def __init__(self, message: str, contact: str | None, archived: bool) -> None:
        super().__init__(message)
        self.contact = contact
        self.archived = archived


class ContactMerged(VendorRejected):
    """410: the contact lives on as `canonical` (quirk IC-3)."""

    def __init__(self, message: str, canonical: str | None) -> None:
        super().__init__(message)
        self.canonical = canonical


class ContactGone(VendorRejected):
    """404 on a contact: archived for good, deleted, or merged in the older way."""


class ContactNotReady(VendorDown):
    """404 on a write in a contact's name: a new contact takes a moment (quirk IC-4). Nothing was made."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The call that was made; `name` is method and path without anybody's id of ours in it.

    `repeatable` writes do no harm when they happen twice.
    """

    name: str
    repeatable: bool

    def __str__(self) -> str:
        return self.name

    def lost(self, why: str) -> HandoffError:
        """What it means that no believable answer came to a request that was sent."""
        if self.repeatable:
            return VendorDown(f"Intercom gave no usable answer ({why}, {self}). It is tried again.")
        return OutcomeUnknown(f"Intercom gave no usable answer ({why}, {self}). It may have been done.")


def fault(asked: Asked, status: int, headers: Mapping[str, str], body: object, now: float) -> HandoffError | None:
    """The error for an answer, or None when it is a success.

    Args:
        headers: Names in lower case.
        body: The JSON, or None where it was none.
        now: Unix seconds.
    """
    what = f"{status}{_named(body)}, {asked}"
    match status:
        case _ if 200 <= status < 300:
            return None
        case 401:
            return VendorAuthError(
                f"Intercom refused our token ({what}). Check the region, create or authorise the token anew in the "
                "Developer Hub, store it, then switch the connection on again."
            )
        case 403:
            return VendorAuthError(
                f"Intercom forbids this call ({what}). The app needs the permissions named in the connector's README, "
                "and the workspace an active subscription."
            )
        case 404:
            return _not_found(asked, body, what)
        case 409 if asked.name == "POST /contacts":
            found = _CONTACT_ID.search(message_of(body))
            archived = "archived" in message_of(body).lower()
            return ContactConflict(f"The contact exists ({what}).", found[1] if found else None, archived)
        case 410 if "/contacts" in asked.name:
            canonical = _CANONICAL.search(headers.get("link", ""))
            return ContactMerged(f"The contact was merged ({what}).", canonical[1] if canonical else None)
        case 410:
            return TicketGone(f"The conversation is gone ({what}).")
        case 429:
            return _limited(body, headers, now, what)
        case 408 | 409 | 425:
            return asked.lost(f"status {status}")
        case _ if 400 <= status < 500:
            return VendorRejected(f"Intercom refused the request ({what}).")
        case 503 if asked.repeatable:
            return VendorDown(f"Intercom is not available ({what}).", _asked_wait(headers, now))
        case _:
            return asked.lost(f"status {status}")


def _not_found(asked: Asked, body: object, what: str) -> HandoffError:
    """One status for four things; the code, then the path, then the word of the message tells which."""
    if code_of(body) in _OTHER_THINGS:
        return VendorRejected(f"Intercom knows no such teammate, team or tag ({what}). Correct the policy.")
    if asked.name == "POST /conversations" or (asked.name.endswith("/reply") and _PERSON.search(message_of(body))):
        return ContactNotReady(f"Intercom does not know the contact yet ({what}).", _NEW_CONTACT_WAIT_S)
    if "/contacts" in asked.name:
        return ContactGone(f"The contact is gone ({what}).")
    if "/conversations/{id}" in asked.name or "/tickets/{id}" in asked.name:
        return TicketGone(f"The conversation is deleted or was never there ({what}).")
    return VendorRejected(f"Intercom knows no such thing ({what}).")


def _limited(body: object, headers: Mapping[str, str], now: float, what: str) -> RateLimited:
    """`too_many_requests` limits one resource, the other code all calls of the workspace."""
    scope = "ticket" if code_of(body) == "too_many_requests" else "connection"
    return RateLimited(f"Intercom's rate limit is reached ({what}).", wait_s(headers, now), scope)


def wait_s(headers: Mapping[str, str], now: float) -> float:
    """Seconds until calls are taken again, between 1 s and an hour: Retry-After, else the end of the window."""
    asked = _asked_wait(headers, now)
    if asked is None:
        reset = _number(headers.get("x-ratelimit-reset", ""))
        asked = reset - now if reset is not None else _DEFAULT_WAIT_S
    return min(max(asked, 1.0), MAX_WAIT_S)


def _asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    return retry_after_s(headers, datetime.fromtimestamp(now, UTC))


def _number(value: str) -> float | None:
    try:
        number = float(value.strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def code_of(body: object) -> str:
    """Intercom's name of the first error; free text is no name."""
    code = _first(body).get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def message_of(body: object) -> str:
    """Intercom's words, to be looked at and never shown: they may repeat ours."""
    message = _first(body).get("message")
    return message if isinstance(message, str) else ""


def _first(body: object) -> Mapping[str, object]:
    errors = body.get("errors") if isinstance(body, Mapping) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, Mapping) else {}


def _named(body: object) -> str:
    code = code_of(body)
    request = body.get("request_id") if isinstance(body, Mapping) else None
    known = isinstance(request, str) and _REQUEST.fullmatch(request)
    return (f" {code}" if code else "") + (f", request {request}" if known else "")
