"""API keys: shown once, revoked for good."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.admin.answers import NEEDS, json_answer
from handoff_sync.api.auth import Scope, caller_of
from handoff_sync.api.deps import deps_of
from handoff_sync.api.fields import Id, Input, Time, Word
from handoff_sync.api.paging import Cursor, Limit, behind, place
from handoff_sync.api.problems import ProblemError
from handoff_sync.api.routes import key_router, keyed, keyed_body
from handoff_sync.api.views import View
from handoff_sync.errors import NotFound

router = key_router("admin")


class KeyView(View):
    """A key without the key itself; `prefix` is how people recognise it."""

    id: str
    name: str
    prefix: str = Field(examples=["hsk_Xy12Ab"])
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewKeyView(BaseModel):
    """`key` cannot be read again."""

    key: str = Field(examples=["hsk_..."])
    item: KeyView


class KeyList(BaseModel):
    items: list[KeyView]
    next: str | None


class KeyIn(Input):
    name: Word = Field(examples=["Chat platform"])
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=10)] = Field(
        default=(Scope.EVENTS, Scope.GATE, Scope.SESSIONS_READ), description="admin includes all others."
    )
    expires_at: Time | None = None


@router.get(
    "/v1/admin/keys",
    operation_id="listKeys",
    summary="Keys, oldest first, revoked ones included",
    response_model=KeyList,
    responses=keyed(),
    openapi_extra=NEEDS,
)
async def list_keys(request: Request, cursor: Cursor = None, limit: Limit = 50) -> Response:
    deps, start = deps_of(request), place(cursor)
    rows = await deps.read(deps.admin.api_keys, caller_of(request).workspace_id)
    rest = [row for row in rows if row.id > start]
    more = behind(rest[limit - 1].id) if len(rest) > limit else None
    return json_answer(KeyList(items=[KeyView.model_validate(row) for row in rest[:limit]], next=more))


@router.post(
    "/v1/admin/keys",
    operation_id="createKey",
    summary="Make a key",
    status_code=201,
    response_model=NewKeyView,
    responses=keyed_body(),
    openapi_extra=NEEDS,
)
async def create_key(request: Request, body: KeyIn) -> Response:
    """The answer shows the key, this once."""
    deps = deps_of(request)
    if body.expires_at is not None and body.expires_at <= deps.clock():
        raise ProblemError(
            422, "already_expired", "expires_at lies in the past. Choose a time to come, or leave it out."
        )
    scopes = [scope.value for scope in body.scopes]
    workspace = caller_of(request).workspace_id
    made = await deps.write(deps.admin.create_api_key, workspace, body.name, scopes, body.expires_at)
    return json_answer(NewKeyView(key=made.key, item=KeyView.model_validate(made.row)), status=201)


@router.delete(
    "/v1/admin/keys/{key_id}",
    operation_id="revokeKey",
    summary="Revoke a key",
    status_code=204,
    responses=keyed(404, 409),
    openapi_extra=NEEDS,
)
async def revoke_key(
    request: Request,
    key_id: Annotated[Id, Path()],
    force: Annotated[bool, Query(description="Also the key that asks for it.")] = False,
) -> Response:
    """It dies within seconds. The key that asks cannot revoke itself, unless with `force`."""
    deps, caller = deps_of(request), caller_of(request)
    if key_id == caller.key_id and not force:
        raise ProblemError(409, "own_key", "This is the key that asks. Use another key, or repeat with ?force=true.")
    if not await deps.write(deps.admin.revoke_api_key, caller.workspace_id, key_id):
        raise NotFound("There is no such key in this workspace, or it was revoked before.")
    return Response(status_code=204)
