"""What the simulated helpdesk answers at its addresses, and how it words errors that have to do with none."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from handoff_connectors.intercom.simulator.api import Table
from handoff_connectors.intercom.simulator.api_contacts import CONTACTS
from handoff_connectors.intercom.simulator.api_conversations import CONVERSATIONS
from handoff_connectors.intercom.simulator.api_errors import error_list
from handoff_connectors.intercom.simulator.api_manage import MANAGE
from handoff_connectors.intercom.simulator.api_tickets import TICKETS
from handoff_connectors.intercom.simulator.api_workspace import WORKSPACE
from handoff_connectors.intercom.simulator.auth import Authenticator
from handoff_connectors.intercom.simulator.settings import SimulatorSettings
from handoff_sync.simulator.entrance import agent_page
from handoff_sync.simulator.fault_middleware import ErrorAnswer

FOR_PEOPLE = ("/a/", "/oauth")
JSON = "application/json; charset=utf-8"
CODES = {400: ("bad_request", "Bad request"), 401: ("unauthorized", "Access Token Invalid"),
         403: ("forbidden", "Forbidden request"), 404: ("not_found", "Resource Not Found"),
         408: ("request_timeout", "Request timed out"), 409: ("resource_conflict", "Resource conflict"),
         429: ("rate_limit_exceeded", "Exceeded rate limit of 167 in 10_seconds"),
         500: ("server_error", "Server error")}  # fmt: skip


def all_endpoints() -> Table:
    """Fixed paths come before those with an id in the same place."""
    table = Table()
    for part in (WORKSPACE, MANAGE, CONVERSATIONS, TICKETS, CONTACTS):
        table.take_all(part)
    return table


def pages(auth: Authenticator, settings: SimulatorSettings) -> list[BaseRoute]:
    """Where an admin says yes to our app, and where Intercom's own app shows a conversation to its agents."""

    async def consent(http: HttpRequest) -> Response:
        """Here everybody has said yes already."""
        back = http.query_params.get("redirect_uri") or settings.redirect_url
        if back is None:
            return PlainTextResponse("Set the app's redirect address first (settings: redirect_url).", 400)
        given = urlencode({"code": auth.new_code(), "state": http.query_params.get("state", "")})
        return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{given}", 302)

    return [Route("/oauth", consent), Route("/a/inbox/{app}/inbox/conversation/{id:int}", agent_page)]


def error_answer(status: int) -> ErrorAnswer:
    """How Intercom words an error that has nothing to do with the call; gateways answer with a page."""
    if status in (502, 503, 504):
        return ErrorAnswer("text/html; charset=utf-8", b"<html><body>Service Unavailable</body></html>")
    code, message = CODES.get(status, ("client_error" if status < 500 else "server_error", "Error"))
    return ErrorAnswer(JSON, json.dumps(error_list(code, message)).encode())
