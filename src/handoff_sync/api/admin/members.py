"""Members: the people of the workspace. Where it has some, actions need one of them (see `api.acting`)."""

from __future__ import annotations

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
    refused_fields,
    revision_tag,
    workspace_of,
)
from handoff_sync.api.auth import caller_of
from handoff_sync.api.deps import deps_of
from handoff_sync.api.fields import Email, Input, Word
from handoff_sync.api.paging import Cursor, Limit, behind, place
from handoff_sync.api.routes import key_router, keyed, keyed_body
from handoff_sync.api.views import View
from handoff_sync.core.contradictions import is_address, is_language
from handoff_sync.errors import NotFound
from handoff_sync.store.admin.members import mailbox
from handoff_sync.store.rows import MemberRow, Role, WorkspaceRow

router = key_router("admin")
Address = Annotated[Email, Path(description="How the member is mailed; upper and lower case are the same.")]


class MemberView(View):
    id: str = Field(examples=["mem_1"])
    email: str = Field(examples=["mona@example.com"])
    name: str
    role: Role
    teams: list[str]
    language: str


class MemberList(BaseModel):
    items: list[MemberView]
    next: str | None


class MemberIn(Input):
    """Everything that is known of the member; what is left out takes its default."""

    name: Word = Field(examples=["Mona Member"])
    role: Role = Field(
        default=Role.AGENT, description="An agent handles sessions, and neither decides nor administrates."
    )
    teams: Annotated[tuple[Word, ...], Field(max_length=100)] = Field(
        default=(), description="Names of the workspace's teams; none: all of them."
    )
    language: Annotated[str, Field(max_length=35)] = Field(default="en", examples=["pt-BR"])


@router.get(
    "/v1/admin/members",
    operation_id="listMembers",
    summary="Members, by address",
    response_model=MemberList,
    responses=keyed(),
    openapi_extra=NEEDS,
)
async def list_members(request: Request, cursor: Cursor = None, limit: Limit = 50) -> Response:
    deps, workspace = deps_of(request), caller_of(request).workspace_id
    rows = await deps.read(deps.admin.members, workspace, place(cursor), limit + 1)
    more = behind(rows[limit - 1].email) if len(rows) > limit else None
    items = [MemberView.model_validate(row) for row in rows[:limit]]
    return json_answer(MemberList(items=items, next=more), tag=revision_tag(await workspace_of(request)))


@router.get(
    "/v1/admin/members/{email}",
    operation_id="getMember",
    summary="One member",
    response_model=MemberView,
    responses=keyed(404),
    openapi_extra=NEEDS,
)
async def get_member(request: Request, email: Address) -> Response:
    return _answer(await _known(request, email), await workspace_of(request))


@router.put(
    "/v1/admin/members/{email}",
    operation_id="putMember",
    summary="Add a member, or replace what is known of one",
    response_model=MemberView,
    responses=keyed_body(412),
    openapi_extra=NEEDS,
)
async def put_member(request: Request, email: Address, body: MemberIn, if_match: IfMatch = None) -> Response:
    """From the first member on, who acts in sessions must be a member."""
    deps, workspace = deps_of(request), await workspace_of(request)
    must_match(if_match, workspace)
    if wrong := _wrong(email, body, workspace):
        raise refused_fields(wrong, "invalid_settings")
    row = await deps.write(deps.admin.put_member, workspace.id, email, **dict(body))
    return _answer(row, await workspace_of(request))


@router.delete(
    "/v1/admin/members/{email}",
    operation_id="deleteMember",
    summary="Remove a member",
    status_code=204,
    responses=keyed(404, 412),
    openapi_extra=NEEDS,
)
async def delete_member(request: Request, email: Address, if_match: IfMatch = None) -> Response:
    """What they did keeps their name."""
    deps, workspace = deps_of(request), await workspace_of(request)
    must_match(if_match, workspace)
    if not await deps.write(deps.admin.delete_member, workspace.id, email):
        raise NotFound("There is no such member in this workspace.")
    return Response(status_code=204)


def _wrong(email: str, body: MemberIn, workspace: WorkspaceRow) -> list[tuple[str, str]]:
    known = ", ".join(workspace.teams) or "none yet"
    wrong = [
        (f"teams[{at}]", f"There is no such team. There are: {known}. Add it to the workspace first.")
        for at, team in enumerate(body.teams)
        if team not in workspace.teams
    ]
    if not is_address(mailbox(email)):
        wrong.append(("email", "Must be an address like mona@example.com."))
    if not is_language(body.language):
        wrong.append(("language", "Must be a language code: en, pt, es, or such as pt-BR."))
    return wrong


async def _known(request: Request, email: str) -> MemberRow:
    deps = deps_of(request)
    row = await deps.quick(deps.admin.member, caller_of(request).workspace_id, email)
    if row is None:
        raise NotFound("There is no such member in this workspace.")
    return row


def _answer(row: MemberRow, workspace: WorkspaceRow) -> Response:
    return json_answer(MemberView.model_validate(row), tag=revision_tag(workspace))
