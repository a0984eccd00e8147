"""The door of a simulated helpdesk: writes each call down and lets the waiting faults happen to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, assert_never

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.faults import Fault, FaultKind, Faults
from handoff_sync.simulator.request_log import KEPT_ANSWER_HEADERS, LoggedRequest, RequestLog

DROP_CONNECTION: Final = "simulator.drop_connection"
"""Scope key: a function without arguments that cuts the connection of this call."""

HUGE_BYTES: Final = 5_000_000
HTML_PAGE: Final = (
    b"<!doctype html><html><head><title>One moment</title></head><body><h1>Please wait</h1></body></html>"
)


@dataclass(slots=True)
class Captured:
    """An answer that was given but not sent yet."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """How this helpdesk words an error."""

    content_type: str
    body: bytes


class FaultMiddleware:
    """Wraps the whole app. `exempt`: path prefixes that are ours and not the helpdesk's."""

    def __init__(
        self,
        app: ASGIApp,
        faults: Faults,
        log: RequestLog,
        clock: SimulatorClock,
        error_answer: Callable[[int], ErrorAnswer],
        exempt: tuple[str, ...] = ("/_simulator", "/agent"),
    ) -> None:
        self._app, self._faults, self._log, self._clock = app, faults, log, clock
        self._error_answer, self._exempt = error_answer, exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._exempt):
            await self._app(scope, receive, send)
            return
        fault = self._faults.take(scope["method"], scope["path"])
        entry = self._write_down(scope, fault)
        started = time.perf_counter()
        if self._faults.latency_s:
            await asyncio.sleep(self._faults.latency_s)
        try:
            await self._answer(fault, scope, receive, _watch(send, entry))
        finally:
            entry.duration_ms = round((time.perf_counter() - started) * 1000, 2)

    def _write_down(self, scope: Scope, fault: Fault | None) -> LoggedRequest:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        entry = self._log.begin(self._clock.now(), scope["method"], scope["path"], query, headers)
        if fault is not None:
            entry.fault, entry.applied = fault.kind.value, bool(fault.applied)
        return entry

    async def _answer(self, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
        if fault is None:
            await self._app(scope, receive, send)
            return
        answer = Captured()
        if fault.applied:
            await self._app(scope, receive, answer.send)
        await self._spoil(fault, answer, scope, receive, send)

    async def _spoil(self, fault: Fault, answer: Captured, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.kind:
            case FaultKind.STATUS:
                error = self._error_answer(fault.status)
                await _send(send, fault.status, error.content_type, error.body, dict(fault.headers))
            case FaultKind.DROP:
                await _drop(scope, receive)
            case FaultKind.HANG:
                await _hold(receive, fault.delay_s)
                await _drop(scope, receive)
            case FaultKind.CUT:
                await _send_half(answer, send)
                await _drop(scope, receive)
            case FaultKind.HTML:
                await _send(send, fault.status, "text/html; charset=utf-8", HTML_PAGE, dict(fault.headers))
            case FaultKind.HUGE:
                await _send(send, fault.status, "application/json", b'{"pad":"' + b"x" * HUGE_BYTES + b'"}', {})
            case FaultKind.BODY:
                await _send(send, fault.status, "application/json", fault.body.encode(), dict(fault.headers))
            case FaultKind.WARPED:
                await _send(send, answer.status, "application/json", _warped(bytes(answer.body)), {})
            case FaultKind.TRICKLE:
                await _trickle(bytes(answer.body) or b" " * 100, fault.delay_s, receive, send)
            case FaultKind.SLOW:
                await asyncio.sleep(fault.delay_s)
                await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
                await send({"type": "http.response.body", "body": bytes(answer.body)})
            case _:
                assert_never(fault.kind)


def _watch(send: Send, entry: LoggedRequest) -> Send:
    """Note in the log what the caller is sent."""

    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry.status = message["status"]
            headers = {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in message.get("headers", [])}
            entry.answer_headers = {n: v for n, v in headers.items() if n in KEPT_ANSWER_HEADERS}
        await send(message)

    return watched


async def _send(send: Send, status: int, content_type: str, body: bytes, headers: dict[str, str]) -> None:
    raw = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    raw += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _send_half(answer: Captured, send: Send) -> None:
    body = bytes(answer.body) or b'{"ticket":{"id":'
    headers = [(n, v) for n, v in answer.headers if n.lower() != b"content-length"]
    headers.append((b"content-length", str(max(len(body), 16)).encode()))
    await send({"type": "http.response.start", "status": answer.status if answer.body else 200, "headers": headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


def _warped(body: bytes) -> bytes:
    """The same fields with values that nobody expects."""
    try:
        return json.dumps(_other_type(json.loads(body))).encode()
    except ValueError:
        return b"[]"


def _other_type(value: object) -> object:
    match value:
        case dict():
            return {name: _other_type(inner) for name, inner in value.items()}
        case list():
            return [_other_type(inner) for inner in value]
        case str():
            return {"text": 7}
        case bool():
            return "perhaps"
        case _:
            return [value]


async def _trickle(body: bytes, gap_s: float, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for byte in body:
        await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        if await _hold(receive, gap_s):
            return


async def _hold(receive: Receive, seconds: float) -> bool:
    """Wait until the caller gives up, at most `seconds`; whether they did."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
        return True
    return False


async def _drop(scope: Scope, receive: Receive) -> None:
    """Cut the connection and wait until the server has noticed, so that it sends no answer of its own."""
    drop = scope.get(DROP_CONNECTION)
    if drop is None:
        raise RuntimeError("This fault needs the simulator's own server, which can cut a connection.")
    drop()
    await _hold(receive, 5)
