"""Every refusal is `application/problem+json` (RFC 9457) with a stable `code`; none repeats what the caller sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.field_errors import FieldError, field_errors
from handoff_sync.errors import HandoffError, NotFound, NotReady, Refused

T = TypeVar("T")
MEDIA_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """Why a request (or one item of a batch) was refused, and what to do about it."""

    type: str = Field(examples=["urn:handoff-sync:problem:invalid_request"])
    title: str = Field(examples=["Unprocessable Content"], description="The meaning of the status.")
    status: int = Field(examples=[422])
    detail: str = Field(examples=["1 field is not as expected."], description="For people; may change.")
    code: str = Field(examples=["invalid_request"], description="For programs; does not change.")
    errors: list[FieldError] = Field(default_factory=list, description="One entry per field that is wrong.")
    upgrade_url: str | None = Field(default=None, description="With `plan_required`: where the plan can be changed.")


class ProblemError(HTTPException):
    """A refusal on its way to the caller. `detail` says what to do and repeats nothing of the request."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        upgrade_url: str | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.body = Problem(
            type=f"urn:handoff-sync:problem:{code}",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            code=code,
            errors=list(errors),
            upgrade_url=upgrade_url,
        )


def problem_response(problem: ProblemError) -> Response:
    content = problem.body.model_dump_json(exclude_none=True)
    return Response(content, problem.status_code, problem.headers, media_type=MEDIA_TYPE)


def internal_problem() -> ProblemError:
    """For what we did not foresee; says nothing of it."""
    return ProblemError(
        500, "internal_error", "Something failed on our side. Repeat with the same id; a repeat does no harm."
    )


def validation_problem(errors: Iterable[Mapping[str, Any]], prefix: str = "") -> ProblemError:
    """From pydantic's errors to a 422 that names each field."""
    fields = field_errors(errors, prefix)
    count = "1 field is" if len(fields) == 1 else f"{len(fields)} fields are"
    return ProblemError(422, "invalid_request", f"{count} not as expected.", errors=fields)


def checked(shape: TypeAdapter[T], value: object, place: str = "") -> T:
    """The value in the shape that we expect, or a 422 that names every field that is wrong."""
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        raise validation_problem(error.errors(include_url=False, include_input=False), place) from None


def as_problem(error: Exception) -> ProblemError:
    """The refusal that an exception stands for; anything unknown becomes a 500 that tells nothing."""
    match error:
        case ProblemError():
            return error
        case NotFound():
            return ProblemError(404, "not_found", "There is nothing of that name in this workspace.")
        case Refused():
            return ProblemError(409, error.code, str(error))
        case NotReady():
            wait = {"Retry-After": str(max(1, round(error.retry_after_s)))}
            return ProblemError(503, "not_ready", "We cannot take this now; repeat it later.", headers=wait)
        case RequestValidationError():
            return validation_problem(error.errors())
        case HTTPException():
            return _of_framework(error)
        case _:
            return internal_problem()


HANDLED: Final = (HTTPException, RequestValidationError, HandoffError)
"""What `answer_problem` is registered for; everything else passes the edge, which logs it."""


async def answer_problem(_: Request, error: Exception) -> Response:
    if isinstance(error, HandoffError) and not isinstance(error, NotFound | Refused | NotReady):
        raise error
    return problem_response(as_problem(error))


def _of_framework(error: HTTPException) -> ProblemError:
    code, detail = {
        404: ("not_found", "There is nothing at this address; see /openapi.json."),
        405: ("method_not_allowed", "This address knows other methods; the Allow header names them."),
    }.get(error.status_code, ("bad_request", "The request could not be read."))
    status = error.status_code if error.status_code in (400, 404, 405, 413) else 400
    return ProblemError(status, code, detail, headers=error.headers)
