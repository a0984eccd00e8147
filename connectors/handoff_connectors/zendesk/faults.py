"""One table from what Zendesk answered to the error that says who must act.

Pure. A message names the call, the status and field names, never a body, a token or a customer's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from handoff_sync.contract.waiting import MAX_WAIT_S, retry_after_s
from handoff_sync.errors import (
    HandoffError,
    OutcomeUnknown,
    RateLimited,
    TicketClosed,
    TicketFull,
    TicketGone,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)

_DEFAULT_WAIT_S: Final = 10.0
_CONFLICT_WAIT_S: Final = 3.0  # quirk ZD-9
_PER_TICKET: Final = "zendesk-ratelimit-per-ticket-updates"
_TOO_MANY: Final = re.compile(r"limit|too many|maximum|5,?000")
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_NAMED_FIELD: Final = re.compile(r"(Assignee|Author|Comment|Group|Priority|Requester|Status|Subject|Tags?):")
_FIELD: Final = re.compile(r"[A-Za-z0-9_.]{1,40}")


class KeyReused(VendorRejected):
    """The idempotency key was used with another body within its two hours (400 IdempotentRequestError)."""


class FieldsRefused(VendorRejected):
    """422: these `fields` were refused, as the keys or the texts of the answer name them."""

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

    def lost(self, why: str) -> HandoffError:
        """What it means that no believable answer came to a request that was sent."""
        if self.method == "GET" or self.repeatable:
            return VendorDown(f"Zendesk gave no usable answer ({why}, {self}). It is tried again.")
        return OutcomeUnknown(f"Zendesk gave no usable answer ({why}, {self}). It may have been done.")


def fault(asked: Asked, status: int, headers: Mapping[str, str], body: object) -> HandoffError | None:
    """The error for an answer, or None when it is a success. `headers` has lower-case names; `body` is JSON or None."""
    match status:
        case _ if 200 <= status < 300:
            return None
        case 400 if error_code(body) == "IdempotentRequestError":
            return KeyReused(f"Zendesk knows this idempotency key with another body (400, {asked}).")
        case 401:
            return VendorAuthError(
                f"Zendesk refused our credentials (401, {asked}). Check the OAuth client or token in Admin Center > "
                "Apps and integrations > APIs, store the new secret, then switch the connection on again."
            )
        case 403:
            return VendorAuthError(
                f"Zendesk forbids this call (403, {asked}). The user behind the credentials must be an admin, and "
                "the OAuth client needs the scopes named in the connector's README."
            )
        case 404 | 410 if "/tickets/" in asked.path:
            return TicketGone(f"The ticket is deleted or was never there ({status}, {asked}).")
        case 409:
            return VendorDown(f"Zendesk is busy with the same thing (409, {asked}).", _CONFLICT_WAIT_S)
        case 422:
            return _unprocessable(asked, body)
        case 429:
            return _limited(asked, headers)
        case 408 | 425:
            return asked.lost(f"status {status}")
        case _ if 400 <= status < 500:
            return VendorRejected(f"Zendesk refused the request ({status}{_named(error_code(body))}, {asked}).")
        case 503 if "retry-after" in headers and (asked.method == "GET" or asked.repeatable):
            return VendorDown(f"Zendesk is not available (503, {asked}).", retry_after(headers))
        case _:
            return asked.lost(f"status {status}")


def _unprocessable(asked: Asked, body: object) -> HandoffError:
    texts = tuple(text.lower() for text in _detail_texts(body))
    if any("closed prevents ticket update" in text for text in texts):
        return TicketClosed(f"The ticket is closed and takes no more changes (422, {asked}).")
    if any("comment" in text and _TOO_MANY.search(text) for text in texts):  # quirk ZD-6
        return TicketFull(f"The ticket holds as many comments as Zendesk allows (422, {asked}).")
    fields = _fields(body)
    named = f" Refused: {', '.join(fields)}." if fields else ""
    return FieldsRefused(f"Zendesk refused the values (422{_named(error_code(body))}, {asked}).{named}", fields)


def _limited(asked: Asked, headers: Mapping[str, str]) -> RateLimited:
    limit = rate_limit(headers.get(_PER_TICKET, ""))
    if limit.get("remaining") == 0:
        wait = min(max(retry_after(headers), float(limit.get("resets", 0))), MAX_WAIT_S)
        return RateLimited(f"This ticket has had its updates for now (429, {asked}).", wait, "ticket")
    if asked.path.endswith(("/users/create_or_update", "/users/create_or_update.json")):
        return RateLimited(f"Zendesk limits changes of users (429, {asked}).", retry_after(headers), "ticket")
    return RateLimited(f"Zendesk's rate limit is reached (429, {asked}).", retry_after(headers))


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait, at least one, also where Zendesk does not say."""
    asked = retry_after_s(headers, datetime.now(UTC))
    return _DEFAULT_WAIT_S if asked is None else max(asked, 1.0)


def rate_limit(header: str) -> dict[str, int]:
    """The parts of a header such as `total=30; remaining=29; resets=468`."""
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d{1,9})", header)}


def error_code(body: object) -> str:
    """Zendesk's name of an error; `error` may be a string or an object. Free text is no name."""
    error = body.get("error") if isinstance(body, Mapping) else None
    code = error.get("title") if isinstance(error, Mapping) else error
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _named(code: str) -> str:
    return f" {code}" if code else ""


def _details(body: object) -> Mapping[str, Any]:
    details = body.get("details") if isinstance(body, Mapping) else None
    return details if isinstance(details, Mapping) else {}


def _fields(body: object) -> tuple[str, ...]:
    """Names only. `Assignee: is required…` under `base` names its field at the start of the text."""
    keys = [name for name in _details(body) if isinstance(name, str) and _FIELD.fullmatch(name)]
    named = [found[1].lower() for text in _detail_texts(body) if (found := _NAMED_FIELD.match(text))]
    return tuple(dict.fromkeys((*keys, *named)))[:20]


def _detail_texts(body: object) -> Iterator[str]:
    """Every description in `details` and the top one: closed is told under `status` or `base`, or only there."""
    if isinstance(body, Mapping) and isinstance(body.get("description"), str):
        yield body["description"]
    for entries in _details(body).values():
        for entry in entries if isinstance(entries, list) else [entries]:
            text = entry.get("description") if isinstance(entry, Mapping) else entry
            if isinstance(text, str):
                yield text
