"""What the simulated helpdesk answers at its addresses, and how it words errors that have to do with none."""

from __future__ import annotations

import json

from handoff_connectors.gorgias.simulator.api import Table
from handoff_connectors.gorgias.simulator.api_integrations import INTEGRATIONS
from handoff_connectors.gorgias.simulator.api_messages import MESSAGES
from handoff_connectors.gorgias.simulator.api_people import PEOPLE
from handoff_connectors.gorgias.simulator.api_tickets import TICKETS
from handoff_sync.simulator.fault_middleware import ErrorAnswer

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


def error_answer(status: int) -> ErrorAnswer:
    """How Gorgias words an error that has nothing to do with the call."""
    if status == 429:
        return ErrorAnswer(JSON, b"")
    if status in (502, 503, 504):
        return ErrorAnswer("text/html; charset=utf-8", b"<html><body><h1>Bad Gateway</h1></body></html>")
    body = {"error": {"msg": MESSAGES_OF_ERRORS.get(status, "Internal server error.")}}
    return ErrorAnswer(JSON, json.dumps(body).encode())
