"""Intercom's error answers, word for word where they are known."""

from __future__ import annotations

import uuid
from typing import Any

from handoff_sync.simulator.endpoints import ApiRefusal


def error_list(code: str, message: str, field: str | None = None) -> dict[str, Any]:
    """The body of every error."""
    error = {"code": code, "message": message}
    if field is not None:
        error["field"] = field
    return {"type": "error.list", "request_id": str(uuid.uuid4()), "errors": [error]}


class ApiError(ApiRefusal):
    """Ends a call with an error answer."""

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, error_list(code, message, field), headers)
        self.message = message

    @property
    def reason(self) -> str:
        return self.message


def not_found() -> ApiError:
    return ApiError(404, "not_found", "Resource Not Found")


def user_not_found() -> ApiError:
    return ApiError(404, "not_found", "User Not Found")


def conversation_not_found() -> ApiError:
    """How the tag endpoints word it."""
    return ApiError(404, "not_found", "Conversation not found")


def admin_not_found() -> ApiError:
    return ApiError(404, "admin_not_found", "Admin not found")


def team_not_found() -> ApiError:
    return ApiError(404, "team_not_found", "Team not found")


def assignee_not_found() -> ApiError:
    return ApiError(404, "assignee_not_found", "Assignee not found")


def tag_not_found() -> ApiError:
    return ApiError(404, "tag_not_found", "Tag not found")


def part_not_found() -> ApiError:
    text = "Conversation part or message not found"
    return ApiError(404, "conversation_part_or_message_not_found", text)


def unauthorized() -> ApiError:
    return ApiError(401, "unauthorized", "Access Token Invalid")


def token_revoked() -> ApiError:
    return ApiError(401, "token_revoked", "The token has been revoked")


def missing_scope() -> ApiError:
    return ApiError(401, "token_unauthorized", "Not authorized to access resource")


def forbidden() -> ApiError:
    return ApiError(403, "forbidden", "Forbidden request")


def plan_restricted() -> ApiError:
    return ApiError(403, "api_plan_restricted", "Active subscription needed.")


def invalid(message: str, status: int = 400) -> ApiError:
    return ApiError(status, "parameter_invalid", message)


def missing(name: str) -> ApiError:
    return ApiError(400, "parameter_not_found", f"{name} is required", name)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "bad_request", message)


def version_invalid(message: str) -> ApiError:
    return ApiError(400, "intercom_version_invalid", message)


def version_lacks_it() -> ApiError:
    return version_invalid("Requested resource is not available in current API version.")


def merged(canonical_id: str) -> ApiError:
    text = "This contact has been merged. See the 'Link' header for the canonical contact."
    return ApiError(410, "contact_merged", text, headers={"Link": f'</contacts/{canonical_id}>; rel="canonical"'})


def conflict(contact_id: str, archived: bool) -> ApiError:
    begin = "An archived" if archived else "A"
    return ApiError(409, "conflict", f"{begin} contact matching those details already exists with id={contact_id}")


def merge_failed(message: str) -> ApiError:
    return ApiError(422, "merge_failed", message)


def rate_limited(limit: int, headers: dict[str, str]) -> ApiError:
    return ApiError(429, "rate_limit_exceeded", f"Exceeded rate limit of {limit} in 10_seconds", headers=headers)


def too_many_requests(headers: dict[str, str]) -> ApiError:
    return ApiError(429, "too_many_requests", "Too many requests for this resource", headers=headers)
