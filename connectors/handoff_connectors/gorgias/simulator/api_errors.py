"""Gorgias' error answers. The shape is documented, most of the wording is not."""

from __future__ import annotations

from typing import Any

from handoff_sync.simulator.endpoints import ApiRefusal


class ApiError(ApiRefusal):
    """Ends a call with an error answer."""


def error(status: int, msg: str, data: Any = None, headers: dict[str, str] | None = None) -> ApiError:
    body: dict[str, Any] = {"msg": msg}
    if data is not None:
        body["data"] = data
    return ApiError(status, {"error": body}, headers)


def invalid(msg: str, data: Any) -> ApiError:
    """400: `data` names the fields, each with its faults."""
    return error(400, msg, data)


def bad_json() -> ApiError:
    return error(400, "Failed to decode JSON object.")


def bad_cursor() -> ApiError:
    return invalid("Invalid parameters", {"cursor": ["Invalid cursor."]})


def not_authenticated() -> ApiError:
    return error(401, "Could not authenticate.", headers={"WWW-Authenticate": 'Basic realm="Gorgias"'})


def forbidden(text: str = "You don't have permission to access this resource.") -> ApiError:
    return error(403, text)


def not_found() -> ApiError:
    return error(404, "Resource not found.")


def not_allowed() -> ApiError:
    return error(405, "Method not allowed.")


def exists() -> ApiError:
    return error(409, "The resource already exists.")


def too_large() -> ApiError:
    return error(413, "Payload too large.")


def too_many(retry_after_s: int, headers: dict[str, str]) -> ApiError:
    """The body of a 429 is not documented; there is none here."""
    return ApiError(429, None, {"Retry-after": str(retry_after_s), **headers})


def moved(location: str) -> ApiError:
    """The ticket was merged into another."""
    return ApiError(301, None, {"Location": location})
