"""Callback endpoints: where the platform listens, which secret signs, and whether it arrives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.admin.answers import (
    NEEDS,
    IfMatch,
    json_answer,
    must_match,
    outside,
    revision_tag,
    workspace_of,
)
from handoff_sync.api.auth import caller_of
from handoff_sync.api.deps import deps_of
from handoff_sync.api.fields import Flag, Id, Input, Url
from handoff_sync.api.routes import key_router, keyed, keyed_body
from handoff_sync.api.views import View
from handoff_sync.callbacks import CallbackOutcome
from handoff_sync.errors import NotFound
from handoff_sync.store.rows import EndpointRow

router = key_router("admin")
EndpointId = Annotated[Id, Path()]


class EndpointView(View):
    id: str
    url: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None = Field(description="Since when nothing arrived; null: all is well.")


class EndpointList(BaseModel):
    items: list[EndpointView]


class NewEndpoint(BaseModel):
    """`secret` cannot be read again."""

    secret: str = Field(examples=["whsec_..."])
    item: EndpointView


class NewSecret(BaseModel):
    """Callbacks carry a signature of this secret and of the one before, until the next rotation."""

    secret: str = Field(examples=["whsec_..."])


class EndpointIn(Input):
    url: Url = Field(examples=["https://chat.example.com/callbacks"])


class EndpointPatch(Input):
    enabled: Flag


class Trial(View):
    """`status` is what the endpoint answered; null when no answer came."""

    outcome: CallbackOutcome
    status: int | None
    detail: str


@router.get(
    "/v1/admin/callbacks",
    operation_id="listCallbacks",
    summary="Callback endpoints",
    response_model=EndpointList,
    responses=keyed(),
    openapi_extra=NEEDS,
)
async def list_callbacks(request: Request) -> Response:
    deps = deps_of(request)
    rows = await deps.read(deps.admin.endpoints, caller_of(request).workspace_id)
    items = [EndpointView.model_validate(row) for row in rows]
    return json_answer(EndpointList(items=items), tag=revision_tag(await workspace_of(request)))


@router.post(
    "/v1/admin/callbacks",
    operation_id="createCallback",
    summary="Add a callback endpoint",
    status_code=201,
    response_model=NewEndpoint,
    responses=keyed_body(412),
    openapi_extra=NEEDS,
)
async def create_callback(request: Request, body: EndpointIn, if_match: IfMatch = None) -> Response:
    """The answer shows the secret that signs its callbacks, this once."""
    deps, workspace = deps_of(request), await workspace_of(request)
    must_match(if_match, workspace)
    await outside(request, deps.administration.must_be_callable, body.url)
    row, secret = await deps.write(deps.admin.create_endpoint, workspace.id, body.url)
    answer = NewEndpoint(secret=secret, item=EndpointView.model_validate(row))
    return json_answer(answer, tag=revision_tag(await workspace_of(request)), status=201)


@router.patch(
    "/v1/admin/callbacks/{endpoint_id}",
    operation_id="changeCallback",
    summary="Switch a callback endpoint on or off",
    response_model=EndpointView,
    responses=keyed_body(404, 412),
    openapi_extra=NEEDS,
)
async def change_callback(
    request: Request, endpoint_id: EndpointId, body: EndpointPatch, if_match: IfMatch = None
) -> Response:
    """While it is off no callback is made for it; what happened meanwhile is not made up for."""
    deps = deps_of(request)
    row = await _known(request, endpoint_id, if_match)
    if body.enabled:
        await deps.write(deps.admin.enable_endpoint, row.id)
    else:
        await deps.write(deps.admin.disable_endpoint, row.id, "Switched off by an administrator.")
    return await _answer(request, endpoint_id)


@router.delete(
    "/v1/admin/callbacks/{endpoint_id}",
    operation_id="deleteCallback",
    summary="Remove a callback endpoint",
    status_code=204,
    responses=keyed(404, 412),
    openapi_extra=NEEDS,
)
async def delete_callback(request: Request, endpoint_id: EndpointId, if_match: IfMatch = None) -> Response:
    """What waits for it is parked."""
    deps = deps_of(request)
    row = await _known(request, endpoint_id, if_match)
    await deps.write(deps.admin.delete_endpoint, row.id)
    return Response(status_code=204)


@router.post(
    "/v1/admin/callbacks/{endpoint_id}/rotate",
    operation_id="rotateCallbackSecret",
    summary="Give it a new secret",
    response_model=NewSecret,
    responses=keyed(404, 412),
    openapi_extra=NEEDS,
)
async def rotate_secret(request: Request, endpoint_id: EndpointId, if_match: IfMatch = None) -> Response:
    deps = deps_of(request)
    row = await _known(request, endpoint_id, if_match)
    return json_answer(NewSecret(secret=await deps.write(deps.admin.rotate_endpoint_secret, row.id)))


@router.post(
    "/v1/admin/callbacks/{endpoint_id}/test",
    operation_id="testCallback",
    summary="Send it a test",
    response_model=Trial,
    responses=keyed(404),
    openapi_extra=NEEDS,
)
async def test_callback(request: Request, endpoint_id: EndpointId) -> Response:
    """One signed callback of the type `callback.test`, at once; also to one that is switched off."""
    deps = deps_of(request)
    row = await _known(request, endpoint_id)
    result = await outside(request, deps.administration.try_callback, row)
    return json_answer(Trial.model_validate(result))


async def _known(request: Request, endpoint_id: str, if_match: str | None = None) -> EndpointRow:
    deps = deps_of(request)
    row = await deps.quick(deps.admin.endpoint, endpoint_id)
    if row is None or row.workspace_id != caller_of(request).workspace_id:
        raise NotFound("There is no such callback endpoint in this workspace.")
    if if_match is not None:
        must_match(if_match, await workspace_of(request))
    return row


async def _answer(request: Request, endpoint_id: str) -> Response:
    row = await _known(request, endpoint_id)
    return json_answer(EndpointView.model_validate(row), tag=revision_tag(await workspace_of(request)))
