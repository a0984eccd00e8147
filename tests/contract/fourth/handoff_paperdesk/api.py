"""The only file that calls Paperdesk. Its status codes become our errors here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from handoff_paperdesk.settings import PaperdeskSettings
from handoff_sync.contract.connector import Credentials, Limiter
from handoff_sync.contract.http import Answer, HttpClient
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.errors import (
    HandoffError,
    OutcomeUnknown,
    RateLimited,
    TicketClosed,
    TicketGone,
    UnrecognisedPayload,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)

WAIT_S: Final = 10.0
"""After a limit that does not say how long."""

T = TypeVar("T")


class PaperdeskApi:
    """One account. Each call is paid for before it is made, and made once."""

    def __init__(self, settings: PaperdeskSettings, credentials: Credentials, limiter: Limiter) -> None:
        self._settings, self._credentials, self._limiter = settings, credentials, limiter
        self._http = HttpClient(settings.addresses)

    def get(self, path: str, **params: str | int) -> Wild:
        """The answer to a question; one that is no JSON is none."""
        answer = self._call("GET", path, params=params)
        try:
            return read_json(answer.body, "answer")
        except UnrecognisedPayload as error:
            raise VendorDown(f"No usable answer to GET {path}: {error}") from None

    def write(self, method: str, path: str, body: Any, read: Callable[[Wild], T]) -> T:
        """What `read` makes of the answer; one that cannot be read leaves open whether it was done."""
        answer = self._call(method, path, json=body)
        try:
            return read(read_json(answer.body, "answer"))
        except UnrecognisedPayload as error:
            raise OutcomeUnknown(f"{method} {path} was sent, but: {error}") from None

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, **sent: Any) -> Answer:
        token = self._settings.needed_secret("token", self._credentials)
        self._limiter.spend("*")
        answer = self._http.request(
            method, f"{self._settings.origin}{path}", headers={"authorization": f"Bearer {token}"}, **sent
        )
        if not answer.ok:
            raise _error(answer, method, path)
        return answer


def _error(answer: Answer, method: str, path: str) -> HandoffError:
    what = f"Paperdesk answered {method} {path} with {answer.status}"
    wait_s = answer.retry_after_s(datetime.now(UTC))
    match answer.status:
        case 401 | 403:
            return VendorAuthError(f"{what}. Check the token and its rights.")
        case 404 | 410 if path.startswith("/v1/tickets/"):
            return TicketGone(f"{what}: there is no such ticket.")
        case 409 if path.startswith("/v1/tickets/"):
            return TicketClosed(f"{what}: the ticket was merged (quirk PD-4).")
        case 429:
            return RateLimited(f"{what}.", WAIT_S if wait_s is None else wait_s)
        case status if 400 <= status < 500 and status not in (408, 425):
            return VendorRejected(f"{what}.")
        case _ if method == "GET":
            return VendorDown(f"{what}.", wait_s)
        case _:
            return OutcomeUnknown(f"{what}.")
