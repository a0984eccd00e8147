"""The wire to Zendesk: checked addresses, no retries, no sleeping, no redirects, no proxies, bounded answers.

`Guard` sits below zenpy, adds what zenpy cannot (idempotency key, stored bytes, deadline, fresh token) and turns every
bad end into one of `handoff_sync.errors` before zenpy can sleep or retry (quirk ZD-10).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, BinaryIO, Final, NoReturn, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from handoff_connectors.zendesk.faults import Asked, fault
from handoff_connectors.zendesk.sockets import pools_to
from handoff_connectors.zendesk.tokens import Tokens
from handoff_sync.contract.address import AddressGuard
from handoff_sync.contract.connector import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from handoff_sync.contract.deadline import ends_at
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.errors import DestinationRefused, HandoffError, UnrecognisedPayload, VendorDown

MAX_ANSWER: Final = 5_000_000

_LEAST_TIME_S: Final = 0.5
_CHUNK: Final = 65_536

_P = ParamSpec("_P")
_R = TypeVar("_R")


class AnswerTooBig(VendorDown):
    """The answer to a read was longer than we take; nothing of it was looked at."""


@dataclass(slots=True)
class Call:
    """What one call carries down to the wire, and what came back."""

    repeatable: bool = False
    key: str | None = None
    body: bytes | None = None
    file: BinaryIO | None = None
    """A body that is sent piece by piece."""
    max_bytes: int = MAX_ANSWER
    anonymous: bool = False
    raw: bool = False
    """An export: only ids are taken from it, so its texts need no cleaning."""
    pay: Callable[[], None] = lambda: None
    """Takes a call from the budget; for one that is made again."""
    answer: Wild | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


_CALL: ContextVar[Call | None] = ContextVar("zendesk_call", default=None)


@contextmanager
def calling(call: Call) -> Iterator[Call]:
    token = _CALL.set(call)
    try:
        yield call
    finally:
        _CALL.reset(token)


class Guard(HTTPAdapter):
    """The wire: adds what zenpy cannot, and turns every bad end into an error before zenpy can sleep or retry."""

    def __init__(self, base_url: str | None, addresses: AddressGuard, trust: str | None = None) -> None:
        """`trust` is a file of authorities instead of the usual ones."""
        self._addresses = addresses
        super().__init__(max_retries=0, pool_maxsize=32)
        self._base = base_url
        self._trust = trust
        self.tokens: Tokens | None = None

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **_: Any) -> None:
        self.poolmanager = pools_to(self._addresses, connections, maxsize)

    def proxy_manager_for(self, proxy: str, **_: Any) -> NoReturn:
        """A proxy would look the name up for us, where nobody checks the answer."""
        raise DestinationRefused("Calls to Zendesk take no proxy.")

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        call = _CALL.get() or Call()
        asked = Asked(request.method or "GET", urlsplit(request.url or "").path, call.repeatable)
        tokens = None if call.anonymous else self.tokens
        header = tokens.header() if tokens is not None else None
        response, body = self._exchange(request, call, asked, header)
        if response.status_code in (401, 403) and tokens is not None and header is not None and tokens.renew(header):
            call.pay()
            response, body = self._exchange(request, call, asked, tokens.header())
        call.headers = {name.lower(): value for name, value in response.headers.items()}
        call.answer = _believe(response.status_code, call.headers, body, asked, cleaned=not call.raw)
        response.request, response.url = request, request.url or ""  # zenpy looks at both
        plain = call.answer.raw()
        response.json = lambda **_: plain  # type: ignore[method-assign]  # zenpy reads it five times
        return response

    def _exchange(
        self, request: requests.PreparedRequest, call: Call, asked: Asked, header: str | None
    ) -> tuple[requests.Response, bytes]:
        """Sends once. Raises VendorDown when nothing was sent, else what a lost answer means for this call."""
        deadline = ends_at()
        left = deadline - time.monotonic()
        if left < _LEAST_TIME_S:
            raise VendorDown(f"No time was left for {asked}; it was not sent.")
        try:
            response = super().send(
                self._wire(request, call, header, deadline),
                stream=True,
                timeout=(min(CONNECT_TIMEOUT_S, left), min(READ_TIMEOUT_S, left)),
                verify=self._trust or True,
            )
            body = _read(response, call.max_bytes, deadline, asked)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _broken(error, asked) from None  # the original names the URL with its query
        response._content, response._content_consumed = body, True  # type: ignore[attr-defined]
        return response, body

    def _wire(
        self, request: requests.PreparedRequest, call: Call, header: str | None, deadline: float
    ) -> requests.PreparedRequest:
        """What is really sent: `request` with our credentials, our stored bytes, and a simulator's address."""
        wire = request.copy()
        if call.file is not None:
            wire.headers["Content-Length"] = str(call.file.seek(0, os.SEEK_END))
            call.file.seek(0)
            wire.body = cast(bytes, _InTime(call.file, deadline))  # urllib3 reads it piece by piece
        if header is not None:
            wire.headers["Authorization"] = header
        if call.body is not None:
            wire.body = call.body
            wire.headers["Content-Length"] = str(len(call.body))
        if call.key is not None:
            wire.headers["Idempotency-Key"] = call.key
        if self._base is not None:
            parts = urlsplit(wire.url or "")
            wire.headers["Host"] = parts.netloc
            wire.url = self._base + parts.path + (f"?{parts.query}" if parts.query else "")
        return wire


class _InTime:
    """A body whose sending ends with the operation: one piece may take as long as urllib3 lets it, many may not."""

    def __init__(self, content: BinaryIO, deadline: float) -> None:
        self._content = content
        self._deadline = deadline

    def read(self, size: int = -1) -> bytes:
        if time.monotonic() > self._deadline:
            raise TimeoutError("the deadline has passed while sending")
        return self._content.read(size)


def _read(response: requests.Response, most: int, deadline: float, asked: Asked) -> bytes:
    """The whole body, or an error; never a prefix of it. Takes what has come, so that a trickle meets the deadline."""
    chunks: list[bytes] = []
    size = 0
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            response.close()
            if asked.method == "GET":
                raise AnswerTooBig(f"Zendesk's answer is longer than {most // 1_000_000} MB ({asked}).")
            raise asked.lost("answer too long")
        if time.monotonic() > deadline:
            response.close()
            raise asked.lost("answer too slow")
    return b"".join(chunks)


def _broken(error: Exception, asked: Asked) -> HandoffError:
    """A broken call: nothing was sent if no connection was made, else the answer is lost."""
    inner = error.args[0] if error.args else None
    refused = isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)
    if refused or isinstance(error, requests.exceptions.ConnectTimeout):
        return VendorDown(f"Zendesk cannot be reached ({type(error).__name__}, {asked}); nothing was sent.")
    return asked.lost(type(error).__name__)


def _believe(status: int, headers: Mapping[str, str], body: bytes, asked: Asked, *, cleaned: bool) -> Wild:
    """The JSON object of a success; anything else becomes an error."""
    answer: object = None
    if status != 204 and "json" in headers.get("content-type", ""):
        try:
            answer = read_json(body).raw() if cleaned else json.loads(body)
        except (UnrecognisedPayload, ValueError, RecursionError):
            answer = None
    error = fault(asked, status, headers, answer)
    if error is not None:
        raise error
    if status == 204 or (asked.method == "DELETE" and not body):
        answer = {}
    if not isinstance(answer, dict):
        raise asked.lost("an answer that is no JSON object")  # quirk ZD-8
    return Wild(answer, "answer")


def session_to(host: str, guard: Guard) -> requests.Session:
    """A session that reaches this host alone: credentials cannot follow a link elsewhere."""
    session = requests.Session()
    session.trust_env = False  # no proxies, no ~/.netrc
    session.max_redirects = 0
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"Accept": "application/json", "User-Agent": "handoff-sync"})
    session.adapters.clear()
    session.mount(f"https://{host}/", guard)
    return session
