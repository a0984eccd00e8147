"""The ASGI app of the simulated helpdesk: its API, the control API and the agent page behind one door."""

from __future__ import annotations

import json
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from handoff_connectors.zendesk.simulator.api import Api, Table
from handoff_connectors.zendesk.simulator.api_exports import EXPORTS
from handoff_connectors.zendesk.simulator.api_removal import REMOVAL
from handoff_connectors.zendesk.simulator.api_tickets import TICKETS
from handoff_connectors.zendesk.simulator.api_users import USERS
from handoff_connectors.zendesk.simulator.api_webhooks import HOOKS
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.endpoints import Answer, Call, Query
from handoff_sync.simulator.fault_middleware import ErrorAnswer, FaultMiddleware
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.request_log import RequestLog

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
JSON = "application/json; charset=utf-8"


def all_endpoints() -> Table:
    table = Table()
    for part in (TICKETS, USERS, REMOVAL, EXPORTS, HOOKS):
        table.take_all(part)
    return table


def build(
    api: Api, faults: Faults, log: RequestLog, clock: SimulatorClock, subdomain: str, routes: Sequence[BaseRoute]
) -> ASGIApp:
    """The app; `routes` are the control API and the agent page."""

    async def answer(http: HttpRequest) -> Response:
        call = Call(method=http.method, path=http.url.path, query=Query(http.url.query), headers=http.headers,
                    raw=await http.body())  # fmt: skip
        base = _base(http, subdomain)
        given = await run_in_threadpool(api.answer, call, base) if api.is_slow(call) else api.answer(call, base)
        return to_response(given)

    async def home(http: HttpRequest) -> Response:
        return RedirectResponse("/agent", 303)

    inner = Starlette(routes=[Route("/", home), *routes, Route("/{rest:path}", answer, methods=METHODS)])
    return FaultMiddleware(inner, faults, log, clock, error_answer)


def to_response(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if answer.body is not None:
        headers["Content-Type"] = answer.content_type
    return Response(answer.encoded(), answer.status, headers)


def _base(http: HttpRequest, subdomain: str) -> str:
    """What URLs in answers start with: the account's own name when the client used it, else this server."""
    host = http.headers.get("host", "")
    return f"https://{host}" if host == f"{subdomain}.zendesk.com" else f"http://{host}"


def error_answer(status: int) -> ErrorAnswer:
    """How Zendesk words an error that has nothing to do with the call."""
    match status:
        case 429:
            text = "Number of allowed API requests per minute exceeded"
            body = json.dumps({"error": "APIRateLimitExceeded", "description": text})
        case 503:
            return ErrorAnswer("text/html; charset=utf-8", b"<html><body>Service Unavailable</body></html>")
        case 409:
            body = json.dumps({"error": "Conflict", "description": "Another request is in progress"})
        case 401:
            body = json.dumps({"error": "Couldn't authenticate you"})
        case 403:
            body = json.dumps({"error": {"title": "Forbidden", "message": "You do not have access to this page."}})
        case 404:
            body = json.dumps({"error": "RecordNotFound", "description": "Not found"})
        case _:
            body = json.dumps({"error": "InternalError", "description": "Internal Server Error"})
    return ErrorAnswer(JSON, body.encode())
