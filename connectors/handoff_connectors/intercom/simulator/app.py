"""The ASGI app of the simulated helpdesk: its API, consent page, control API and agent page behind one door."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from handoff_connectors.intercom.simulator.api import Api, Table
from handoff_connectors.intercom.simulator.api_contacts import CONTACTS
from handoff_connectors.intercom.simulator.api_conversations import CONVERSATIONS
from handoff_connectors.intercom.simulator.api_errors import error_list
from handoff_connectors.intercom.simulator.api_manage import MANAGE
from handoff_connectors.intercom.simulator.api_workspace import WORKSPACE
from handoff_connectors.intercom.simulator.auth import Authenticator
from handoff_connectors.intercom.simulator.settings import SimulatorSettings
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.endpoints import Answer, Call, Query
from handoff_sync.simulator.fault_middleware import ErrorAnswer, FaultMiddleware
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.request_log import RequestLog

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
JSON = "application/json; charset=utf-8"
CODES = {400: ("bad_request", "Bad request"), 401: ("unauthorized", "Access Token Invalid"),
         403: ("forbidden", "Forbidden request"), 404: ("not_found", "Resource Not Found"),
         408: ("request_timeout", "Request timed out"), 409: ("resource_conflict", "Resource conflict"),
         429: ("rate_limit_exceeded", "Exceeded rate limit of 167 in 10_seconds"),
         500: ("server_error", "Server error")}  # fmt: skip


def all_endpoints() -> Table:
    """Fixed paths come before those with an id in the same place."""
    table = Table()
    for part in (WORKSPACE, MANAGE, CONVERSATIONS, CONTACTS):
        table.take_all(part)
    return table


def build(
    api: Api,
    auth: Authenticator,
    settings: SimulatorSettings,
    faults: Faults,
    log: RequestLog,
    clock: SimulatorClock,
    routes: Sequence[BaseRoute],
) -> ASGIApp:
    """The app; `routes` are the control API and the agent page."""

    async def answer(http: HttpRequest) -> Response:
        call = Call(method=http.method, path=http.scope["raw_path"].decode("ascii").partition("?")[0],
                    query=Query(http.url.query), headers=http.headers, raw=await http.body())  # fmt: skip
        return to_response(api.answer(call, f"http://{http.headers.get('host', '')}"))

    async def consent(http: HttpRequest) -> Response:
        """Where an admin would say yes; here everybody has said it already."""
        back = http.query_params.get("redirect_uri") or settings.redirect_url
        if back is None:
            return PlainTextResponse("Set the app's redirect address first (settings: redirect_url).", 400)
        given = urlencode({"code": auth.new_code(), "state": http.query_params.get("state", "")})
        return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{given}", 302)

    async def home(http: HttpRequest) -> Response:
        return RedirectResponse("/agent", 303)

    async def inbox(http: HttpRequest) -> Response:
        """Where Intercom's own app shows a conversation to its agents."""
        return RedirectResponse(f"/agent/tickets/{http.path_params['id']}", 303)

    for_people = [
        Route("/", home),
        Route("/oauth", consent),
        Route("/a/inbox/{app}/inbox/conversation/{id:int}", inbox),
    ]
    inner = Starlette(routes=[*for_people, *routes, Route("/{rest:path}", answer, methods=METHODS)])
    return FaultMiddleware(inner, faults, log, clock, error_answer, ("/_simulator", "/agent", "/a/", "/oauth"))


def to_response(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if answer.body is not None:
        headers["Content-Type"] = answer.content_type
    return Response(answer.encoded(), answer.status, headers)


def error_answer(status: int) -> ErrorAnswer:
    """How Intercom words an error that has nothing to do with the call; gateways answer with a page."""
    if status in (502, 503, 504):
        return ErrorAnswer("text/html; charset=utf-8", b"<html><body>Service Unavailable</body></html>")
    code, message = CODES.get(status, ("client_error" if status < 500 else "server_error", "Error"))
    return ErrorAnswer(JSON, json.dumps(error_list(code, message)).encode())
