"""Webhooks of helpdesks: verify the raw bytes, remember, mark the tickets to look at, answer. Nothing else."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Path
from pydantic import BaseModel, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.body import read_body
from handoff_sync.api.deps import ApiDeps, deps_of
from handoff_sync.api.edge import note_failure
from handoff_sync.api.problems import ProblemError
from handoff_sync.api.routes import problems
from handoff_sync.contract.connector import WebhookHint, WebhookRequest
from handoff_sync.errors import NotReady, UnrecognisedPayload, WebhookRefused
from handoff_sync.service.hooks import keep_unreadable, take_webhook
from handoff_sync.store.committer import Job
from handoff_sync.store.rows import ConnectionRow

T = TypeVar("T")
HookToken = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_\-]+$"), Path()]

router = APIRouter(tags=["webhooks"])


class HookAnswer(BaseModel):
    """`taken`; `duplicate`: seen before; `ignored`: nothing for us in it; `unreadable`: kept for a person."""

    result: str


_REFUSALS: Final = problems(401, 404, 408, 409, 413, 422)


@router.head("/hooks/{hook_token}", operation_id="headHook", summary="Is this address alive?", responses=problems(404))
async def head_hook(request: Request, hook_token: HookToken) -> Response:
    """Some helpdesks ask before they believe an address."""
    await _connection(deps_of(request), hook_token)
    return Response(status_code=200)


@router.post(
    "/hooks/{hook_token}",
    operation_id="takeHook",
    summary="A helpdesk reports a change",
    response_model=HookAnswer,
    responses=_REFUSALS,
    openapi_extra={
        "requestBody": {"content": {"application/json": {"schema": {"description": "As the helpdesk sends it."}}}}
    },
)
async def take_hook(request: Request, hook_token: HookToken) -> Response:
    """2xx only when it is stored. What cannot be stored now is answered with 409, which helpdesks repeat."""
    deps = deps_of(request)
    connection = await _connection(deps, hook_token)
    raw = await read_body(request, deps.limits)
    try:
        result = await _take(deps, connection, WebhookRequest(_headers(request), raw, deps.clock()))
    except WebhookRefused as error:
        deps.metrics.webhooks.labels(connection.kind, "refused").inc()
        raise ProblemError(401, "webhook_refused", error.reason) from None
    deps.metrics.webhooks.labels(connection.kind, result).inc()
    return Response(HookAnswer(result=result).model_dump_json(), media_type="application/json")


async def _connection(deps: ApiDeps, token: str) -> ConnectionRow:
    found = await deps.quick(deps.lookups.connection_by_hook_token, token)
    if found is None or not found.enabled:
        raise ProblemError(404, "not_found", "There is no such webhook address.")
    return found


async def _take(deps: ApiDeps, connection: ConnectionRow, request: WebhookRequest) -> str:
    try:
        hint = await _verified(deps, connection, request)
    except UnrecognisedPayload as error:
        await _store(deps, keep_unreadable(connection.id, connection.workspace_id, request.body, str(error)))
        return "unreadable"
    fresh = await _store(deps, take_webhook(connection.id, connection.workspace_id, hint))
    if not fresh:
        return "duplicate"
    return "ignored" if hint.ignored else "taken"


async def _verified(deps: ApiDeps, connection: ConnectionRow, request: WebhookRequest) -> WebhookHint:
    try:
        return await asyncio.to_thread(deps.verifier.verify, connection, request)
    except (WebhookRefused, UnrecognisedPayload):
        raise
    except Exception as error:
        raise _again(error) from error


async def _store(deps: ApiDeps, job: Job[T]) -> T:
    """A webhook that was not stored must come again, and Zendesk repeats after 409, 429 and 503 only."""
    try:
        deps.intake()
        return await deps.commit(job)
    except Exception as error:
        raise _again(error) from error


def _again(error: Exception) -> ProblemError:
    if not isinstance(error, NotReady):
        note_failure(error)
    return ProblemError(409, "not_stored", "This could not be stored now; send it again.")


def _headers(request: Request) -> dict[str, str]:
    """Names in lower case; a repeated one is joined, so that nobody can choose which of two is verified."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
