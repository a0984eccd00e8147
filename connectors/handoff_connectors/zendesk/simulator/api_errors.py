"""Zendesk's error answers, word for word where they are known."""

from __future__ import annotations

from typing import Any

from handoff_sync.simulator.endpoints import ApiRefusal

CLOSED = "Status: closed prevents ticket update"


class ApiError(ApiRefusal):
    """Ends a call with an error answer; `text` instead of JSON."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None, text: bool = False) -> None:
        super().__init__(status, str(body).encode() if text else body, headers)
        if text:
            self.answer.content_type = "text/plain; charset=utf-8"

    @property
    def reason(self) -> str:
        body = self.answer.body
        details = body.get("details") if isinstance(body, dict) else None
        texts = [entry["description"] for entries in (details or {}).values() for entry in entries]
        return "; ".join(texts) or "The helpdesk refused it."


def not_found() -> ApiError:
    return ApiError(404, {"error": "RecordNotFound", "description": "Not found"})


def no_such_endpoint() -> ApiError:
    return ApiError(404, {"error": "InvalidEndpoint", "description": "Not found"})


def not_authenticated() -> ApiError:
    return ApiError(401, {"error": "Couldn't authenticate you"}, {"WWW-Authenticate": 'Basic realm="Web Password"'})


def invalid_token() -> ApiError:
    text = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    header = f'Bearer realm="Zendesk", error="invalid_token", error_description="{text}"'
    return ApiError(401, {"error": "invalid_token", "error_description": text}, {"WWW-Authenticate": header})


def missing_scope(scope: str) -> ApiError:
    text = f"Missing the following required scopes: {scope}"
    return ApiError(403, {"error": "Forbidden", "description": text})


def forbidden() -> ApiError:
    text = "You do not have access to this page. Please contact the account owner of this help desk for further help."
    return ApiError(403, {"error": {"title": "Forbidden", "message": text}})


def invalid_attribute(name: str, must: str) -> ApiError:
    text = f"You passed an invalid value for the {name} attribute. Invalid parameter: {name} must be {must}"
    return ApiError(400, {"error": {"title": "Invalid attribute", "message": text}})


def record_invalid(details: dict[str, list[dict[str, str]]]) -> ApiError:
    body = {"error": "RecordInvalid", "description": "Record validation errors", "details": details}
    return ApiError(422, body)


def invalid_field(name: str, description: str, error: str = "InvalidValue") -> ApiError:
    return record_invalid({name: [{"description": description, "error": error}]})


def closed() -> ApiError:
    return record_invalid({"status": [{"description": CLOSED}]})


def update_conflict() -> ApiError:
    text = "Safe Update prevented the update due to outdated ticket data. "
    text += "Please fetch the latest ticket data and try again."
    return ApiError(409, {"error": "UpdateConflict", "description": text})


def too_many_values() -> ApiError:
    text = "Parameter  cannot specify more than 100 values"
    return ApiError(400, {"error": "TooManyValues", "description": text, "max_count": 100})


def idempotency_mismatch() -> ApiError:
    text = "Request parameters don't match the given idempotency key"
    return ApiError(400, {"error": "IdempotentRequestError", "description": text})


def too_recent(seconds: float) -> ApiError:
    text = f"Too recent start_time. Use a start_time older than {seconds:g} seconds"
    return ApiError(422, {"error": "InvalidValue", "description": text})


def bad_value(description: str) -> ApiError:
    return ApiError(422, {"error": "InvalidValue", "description": description})


def bad_json() -> ApiError:
    return ApiError(400, "Invalid JSON in request body", text=True)


def webhook_invalid(code: str, title: str, detail: str) -> ApiError:
    return ApiError(400, {"errors": [{"code": code, "title": title, "detail": detail}]})


def webhook_not_found() -> ApiError:
    return ApiError(404, {"errors": [{"code": "WebhookNotFound", "title": "Webhook not found"}]})
