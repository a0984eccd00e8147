"""What the simulated helpdesk answers at its addresses, and how it words errors that have to do with none."""

from __future__ import annotations

import json

from handoff_connectors.zendesk.simulator.api import Table
from handoff_connectors.zendesk.simulator.api_exports import EXPORTS
from handoff_connectors.zendesk.simulator.api_removal import REMOVAL
from handoff_connectors.zendesk.simulator.api_tickets import TICKETS
from handoff_connectors.zendesk.simulator.api_users import USERS
from handoff_connectors.zendesk.simulator.api_webhooks import HOOKS
from handoff_sync.simulator.fault_middleware import ErrorAnswer

JSON = "application/json; charset=utf-8"


def all_endpoints() -> Table:
    table = Table()
    for part in (TICKETS, USERS, REMOVAL, EXPORTS, HOOKS):
        table.take_all(part)
    return table


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
