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

from handoff_connectors.gorgias.simulator.api import Api, Table
from handoff_connectors.gorgias.simulator.api_integrations import INTEGRATIONS
from handoff_connectors.gorgias.simulator.api_messages import MESSAGES
from handoff_connectors.gorgias.simulator.api_people import PEOPLE
from handoff_connectors.gorgias.simulator.api_tickets import TICKETS
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.endpoints import Answer, Call, Query
from handoff_sync.simulator.fault_middleware import ErrorAnswer, FaultMiddleware
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.request_log import RequestLog

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
JSON = "application/json"
MESSAGES_OF_ERRORS = {
    401: "Could not authenticate.",
    403: "You don't have permission to access this resource.",
    404: "Resource not found.",
    409: "The resource already exists.",
}


def all_endpoints() -> Table:
    table = Table()
    for part in (TICKETS, MESSAGES, PEOPLE, INTEGRATIONS):
        table.take_all(part)
    return table


def build(
    api: Api, faults: Faults, log: RequestLog, clock: SimulatorClock, domain: str, routes: Sequence[BaseRoute]
) -> ASGIApp:
    """The app; `routes` are the control API and the agent page."""

    async def answer(http: HttpRequest) -> Response:
        call = Call(method=http.method, path=http.url.path, query=Query(http.url.query), headers=http.headers,
                    raw=await http.body())  # fmt: skip
        return to_response(await run_in_threadpool(api.answer, call, _base(http, domain)))

    async def home(http: HttpRequest) -> Response:
        return RedirectResponse("/agent", 303)

    async def ticket(http: HttpRequest) -> Response:
        return RedirectResponse(f"/agent/tickets/{http.path_params['id']}", 303)

    ours = [Route("/", home), Route("/app/ticket/{id:int}", ticket)]
    inner = Starlette(routes=[*ours, *routes, Route("/{rest:path}", answer, methods=METHODS)])
    return FaultMiddleware(inner, faults, log, clock, error_answer)


def to_response(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if answer.body is not None:
        headers["Content-Type"] = answer.content_type
    return Response(answer.encoded(), answer.status, headers)


def _base(http: HttpRequest, domain: str) -> str:
    """What addresses in answers start with: the account's own name when the client used it, else this server."""
    host = http.headers.get("host", "")
    return f"https://{host}" if host == f"{domain}.gorgias.com" else f"http://{host}"


def error_answer(status: int) -> ErrorAnswer:
    """How Gorgias words an error that has nothing to do with the call."""
    if status == 429:
        return ErrorAnswer(JSON, b"")
    if status in (502, 503, 504):
        return ErrorAnswer("text/html; charset=utf-8", b"<html><body><h1>Bad Gateway</h1></body></html>")
    body = {"error": {"msg": MESSAGES_OF_ERRORS.get(status, "Internal server error.")}}
    return ErrorAnswer(JSON, json.dumps(body).encode())
