"""Around every answer: security headers, one log line, one measurement, and no word about what broke."""

from __future__ import annotations

import secrets
import time
import traceback
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handoff_sync.api.auth import Caller
from handoff_sync.api.metrics import Metrics
from handoff_sync.api.problems import internal_problem, problem_response

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_QUIET: Final = frozenset({"/livez", "/readyz", "/metrics"})
_HSTS: Final = "max-age=31536000; includeSubDomains"

log = structlog.get_logger("handoff_sync.api")


class Edge:
    """The outermost layer of ours. A page that needs other headers (a console) sets them itself and keeps them."""

    def __init__(self, app: ASGIApp, metrics: Metrics, https: bool) -> None:
        self._app = app
        self._metrics = metrics
        headers = HEADERS | ({"strict-transport-security": _HSTS} if https else {})
        self._headers = tuple((name.encode(), value.encode()) for name, value in headers.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, request_id = time.perf_counter(), 0, secrets.token_hex(8)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(message, request_id)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            note_failure(error, request_id)
            if status:
                raise
            await problem_response(internal_problem())(scope, receive, answer)
        finally:
            self._note(scope, status, time.perf_counter() - started, request_id)

    def _dress(self, message: Message, request_id: str) -> None:
        headers = message.setdefault("headers", [])
        present = {name for name, _ in headers}
        headers += [pair for pair in self._headers if pair[0] not in present]
        headers.append((b"x-request-id", request_id.encode()))

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = _route(scope)
        self._metrics.answered(route, _method(scope), status, seconds)
        write = log.debug if route in _QUIET else log.info
        caller = scope.get("handoff.caller")
        who = {"workspace": caller.workspace_id, "key": caller.key_id} if isinstance(caller, Caller) else {}
        write(
            "request",
            method=_method(scope),
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 1),
            request_id=request_id,
            **who,
        )


def note_failure(error: Exception, request_id: str = "") -> None:
    """Logs what we did not foresee: its kind and place, never its message, which may hold words of a customer."""
    log.error("failed", request_id=request_id, error=type(error).__name__, where=_where(error))


def _route(scope: Scope) -> str:
    """The route's pattern: a path may hold a webhook's token or a customer's number."""
    return getattr(scope.get("route"), "path_format", None) or "(none)"


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "OTHER"


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "handoff_" in frame.filename] or frames
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(ours[-4:]))
