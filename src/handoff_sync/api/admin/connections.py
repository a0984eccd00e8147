"""Connections: the workspace's helpdesk accounts. No secret ever leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import Path
from pydantic import BaseModel, Field, JsonValue, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.admin.answers import (
    NEEDS,
    Findings,
    FindingView,
    IfMatch,
    findings_view,
    json_answer,
    must_match,
    outside,
    revision_tag,
    workspace_of,
)
from handoff_sync.api.auth import caller_of
from handoff_sync.api.deps import ApiDeps, deps_of
from handoff_sync.api.field_errors import FieldError
from handoff_sync.api.fields import Flag, Id, Input, Word
from handoff_sync.api.problems import ProblemError
from handoff_sync.api.routes import key_router, keyed, keyed_body
from handoff_sync.errors import NotFound
from handoff_sync.store.rows import ConnectionRow, WorkspaceRow

router = key_router("admin")
ConnectionId = Annotated[Id, Path()]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
_MOST: Final = 50


class ConnectionView(BaseModel):
    """`secrets` names those that are stored, never what they are. `stopped_reason`: why nothing is sent until a person
    acts; new secrets or `enabled` end that."""

    id: str = Field(examples=["con_1"])
    kind: str = Field(examples=["zendesk"])
    name: str = Field(examples=["Acme support"])
    settings: dict[str, JsonValue] = Field(examples=[{"subdomain": "acme"}])
    secrets: list[str] = Field(examples=[["client_secret"]])
    enabled: bool
    paused_until: datetime | None
    stopped_reason: str | None


class ConnectionList(BaseModel):
    items: list[ConnectionView]


class NewConnection(BaseModel):
    item: ConnectionView
    findings: list[FindingView]


class ConnectionIn(Input):
    """Which settings and secrets a helpdesk needs stands in its README; a refusal names them."""

    kind: Word = Field(examples=["zendesk"])
    name: Word = Field(examples=["Acme support"])
    settings: Annotated[dict[Word, JsonValue], Field(max_length=_MOST)] = Field(
        default_factory=dict, examples=[{"subdomain": "acme", "client_id": "handoff_sync"}]
    )
    secrets: Annotated[dict[Word, Secret], Field(max_length=_MOST)] = Field(
        default_factory=dict, examples=[{"client_secret": "..."}]
    )


class ConnectionPatch(Input):
    """What is named changes; null forgets a setting or a secret."""

    settings: Annotated[dict[Word, JsonValue], Field(max_length=_MOST)] = Field(default_factory=dict)
    secrets: Annotated[dict[Word, Secret | None], Field(max_length=_MOST)] = Field(default_factory=dict)
    enabled: Flag | None = None


@router.get(
    "/v1/admin/connections",
    operation_id="listConnections",
    summary="Helpdesk connections",
    response_model=ConnectionList,
    responses=keyed(),
    openapi_extra=NEEDS,
)
async def list_connections(request: Request) -> Response:
    deps = deps_of(request)
    rows = await deps.read(deps.admin.connections, caller_of(request).workspace_id)
    items = [await deps.read(_view, deps, row) for row in rows]
    return json_answer(ConnectionList(items=items), tag=revision_tag(await workspace_of(request)))


@router.get(
    "/v1/admin/connections/{connection_id}",
    operation_id="getConnection",
    summary="One connection",
    response_model=ConnectionView,
    responses=keyed(404),
    openapi_extra=NEEDS,
)
async def get_connection(request: Request, connection_id: ConnectionId) -> Response:
    return await _answer(request, connection_id)


@router.post(
    "/v1/admin/connections",
    operation_id="createConnection",
    summary="Connect a helpdesk",
    status_code=201,
    response_model=NewConnection,
    responses=keyed_body(409, 412, 502),
    openapi_extra=NEEDS,
)
async def create_connection(request: Request, body: ConnectionIn, if_match: IfMatch = None) -> Response:
    """Tries the credentials, installs the webhook, and checks; takes seconds. What does not work leaves nothing."""
    deps, workspace = deps_of(request), await workspace_of(request)
    must_match(if_match, workspace)
    deps.intake()
    connect = deps.administration.connect
    row, found = await outside(request, connect, workspace.id, body.kind, body.name, body.settings, body.secrets)
    if row is None:
        errors = [
            FieldError(field=one.name, code="refused", message=f"{one.detail} {one.todo}".strip()[:500])
            for one in found
            if not one.ok
        ]
        text = "The helpdesk does not let us in, and nothing was stored. Mend what the errors name, then repeat."
        raise ProblemError(422, "credentials_refused", text, errors=errors)
    view = NewConnection(item=await deps.read(_view, deps, row), findings=findings_view(found))
    return json_answer(view, tag=revision_tag(await workspace_of(request)), status=201)


@router.patch(
    "/v1/admin/connections/{connection_id}",
    operation_id="changeConnection",
    summary="Change a connection, or switch it on or off",
    response_model=ConnectionView,
    responses=keyed_body(404, 412),
    openapi_extra=NEEDS,
)
async def change_connection(
    request: Request, connection_id: ConnectionId, body: ConnectionPatch, if_match: IfMatch = None
) -> Response:
    """Calls no helpdesk: `check` does. Switching on, and new secrets for one that is on, end a stop or a pause, and
    what waited goes on at once."""
    deps = deps_of(request)
    row = await _known(request, connection_id, if_match)
    if body.settings or body.secrets:
        deps.intake()
        row = await outside(request, deps.administration.change, row, body.settings, body.secrets)
    if body.enabled is False:
        await deps.write(deps.admin.update_connection, row.id, enabled=False)
    elif body.enabled or (body.secrets and row.enabled):
        await deps.write(deps.admin.start_connection, row.id)
    return await _answer(request, connection_id)


@router.delete(
    "/v1/admin/connections/{connection_id}",
    operation_id="deleteConnection",
    summary="Remove a connection",
    status_code=204,
    responses=keyed(404, 409, 412),
    openapi_extra=NEEDS,
)
async def delete_connection(request: Request, connection_id: ConnectionId, if_match: IfMatch = None) -> Response:
    """Its tickets stay where they are; what waits for it is parked. Take it out of the policy first, if named there."""
    deps = deps_of(request)
    row = await _known(request, connection_id, if_match)
    if named := _named(await workspace_of(request), row.id):
        text = f"The policy names this connection: take it out of {', '.join(named)} first."
        raise ProblemError(409, "connection_in_use", text[:500])
    await deps.write(deps.admin.delete_connection, row.id)
    return Response(status_code=204)


@router.post(
    "/v1/admin/connections/{connection_id}/check",
    operation_id="checkConnection",
    summary="Check a connection",
    response_model=Findings,
    responses=keyed(404, 502),
    openapi_extra=NEEDS,
)
async def check_connection(request: Request, connection_id: ConnectionId) -> Response:
    """Tries credentials, scopes and webhook, and changes nothing."""
    row = await _known(request, connection_id)
    found = await outside(request, deps_of(request).administration.check, row)
    return json_answer(Findings(findings=findings_view(found)))


@router.post(
    "/v1/admin/connections/{connection_id}/webhook",
    operation_id="installWebhook",
    summary="Install or correct the webhook",
    response_model=Findings,
    responses=keyed(404, 502),
    openapi_extra=NEEDS,
)
async def install_webhook(request: Request, connection_id: ConnectionId) -> Response:
    """Where the credentials work, the connection is switched on as well; the findings tell."""
    row = await _known(request, connection_id)
    found = await outside(request, deps_of(request).administration.install_webhook, row)
    return json_answer(Findings(findings=findings_view(found)))


async def _known(request: Request, connection_id: str, if_match: str | None = None) -> ConnectionRow:
    deps = deps_of(request)
    row = await deps.quick(deps.admin.connection, connection_id)
    if row is None or row.workspace_id != caller_of(request).workspace_id:
        raise NotFound("There is no such connection in this workspace.")
    if if_match is not None:
        must_match(if_match, await workspace_of(request))
    return row


async def _answer(request: Request, connection_id: str) -> Response:
    deps = deps_of(request)
    row = await _known(request, connection_id)
    view = await deps.read(_view, deps, row)
    return json_answer(view, tag=revision_tag(await workspace_of(request)))


def _view(deps: ApiDeps, row: ConnectionRow) -> ConnectionView:
    stored = deps.admin.connection_secrets(row.id)
    return ConnectionView(
        id=row.id,
        kind=row.kind,
        name=row.name,
        settings=dict(deps.administration.shown_settings(row)),  # type: ignore[arg-type]
        secrets=sorted(name for name, value in stored.items() if value),
        enabled=row.enabled,
        paused_until=row.paused_until,
        stopped_reason=row.stopped_reason,
    )


def _named(workspace: WorkspaceRow, connection_id: str) -> list[str]:
    """Where the policy opens tickets at this connection."""
    named = ["policy.connections"] if any(r.connection == connection_id for r in workspace.policy.connections) else []
    for team, overrides in workspace.teams.items():
        rules = overrides.get("connections")
        if isinstance(rules, list) and any(isinstance(r, dict) and r.get("connection") == connection_id for r in rules):
            named.append(f"teams.{team}.connections")
    return named
