"""Reading sessions and what they leave behind."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.auth import Scope, caller_of, needs
from handoff_sync.api.deps import deps_of
from handoff_sync.api.fields import Id, Word
from handoff_sync.api.paging import Cursor, Limit, after, checked_moment, position
from handoff_sync.api.routes import key_router, keyed
from handoff_sync.api.views import (
    MessageView,
    PauseLogView,
    SessionDetail,
    SessionView,
    TimelineView,
    message_view,
    session_detail,
    session_view,
)
from handoff_sync.core.effects import PauseLog
from handoff_sync.core.explain import explain
from handoff_sync.core.model import AuthorClass, Phase, Session, Status
from handoff_sync.core.policy import Policy
from handoff_sync.core.scope import resolve
from handoff_sync.errors import NotFound
from handoff_sync.store.filters import SessionFilter
from handoff_sync.store.reads import Reads

router = key_router("sessions")
SessionId = Annotated[Id, Path()]
_NEEDS = needs(Scope.SESSIONS_READ)


class SessionList(BaseModel):
    items: list[SessionView]
    next: str | None


class Transcript(BaseModel):
    items: list[MessageView]
    next: str | None


class Timeline(BaseModel):
    items: list[TimelineView]
    next: str | None


class PauseLogs(BaseModel):
    items: list[PauseLogView]
    next: str | None


class FactView(BaseModel):
    name: str
    value: str


class ExplanationView(BaseModel):
    """Why the AI speaks or not, which timers run, what would bring it back and what blocks that."""

    sentence: str
    rows: list[FactView]


class Wanted(BaseModel):
    """Filters; all that are given must hold. A misspelt one is an error: without it the list would be too long."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    phase: Phase | None = None
    needs_human: bool | None = None
    unassigned: bool | None = None
    assignee_id: Id | None = None
    responded_by: AuthorClass | None = None
    team: Word | None = None
    channel: Word | None = None
    label: Word | None = None
    conversation_id: Id | None = None
    text: Annotated[Id | None, Field(description="In the customer's data or in the transcript.")] = None
    cursor: Cursor = None
    limit: Limit = 50

    def filter(self) -> SessionFilter:
        others = self.model_dump(exclude={"responded_by", "cursor", "limit"}, exclude_none=True)
        return SessionFilter(last_responder_class=self.responded_by, **others)


@router.get(
    "/v1/sessions",
    operation_id="listSessions",
    summary="Sessions, newest change first",
    response_model=SessionList,
    responses=keyed(),
    openapi_extra=_NEEDS,
)
async def list_sessions(request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
    deps, workspace = deps_of(request), caller_of(request).workspace_id
    cursor = checked_moment(wanted.cursor)
    page = await deps.read(deps.reads.sessions, workspace, wanted.filter(), cursor, wanted.limit)
    return _json(SessionList(items=[session_view(item) for item in page.items], next=page.cursor))


@router.get(
    "/v1/sessions/{session_id}",
    operation_id="getSession",
    summary="One session",
    response_model=SessionDetail,
    responses=keyed(404),
    openapi_extra=_NEEDS,
)
async def get_session(request: Request, session_id: SessionId) -> Response:
    session = await known(request, session_id)
    running = session.running_handoff
    rules = running.policy if running is not None else await _policy_now(request, session)
    return _json(session_detail(session, rules))


@router.get(
    "/v1/sessions/{session_id}/transcript",
    operation_id="getTranscript",
    summary="What was said, and noted",
    response_model=Transcript,
    responses=keyed(404),
    openapi_extra=_NEEDS,
)
async def get_transcript(
    request: Request, session_id: SessionId, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Public messages and private ones (notes, drafts); look at `visibility` before you show one to a customer."""
    session = await known(request, session_id)
    deps, start = deps_of(request), position(cursor)
    rows = await deps.read(deps.reads.messages, session_id, start, limit + 1)
    more = after(rows[limit - 1].seq) if len(rows) > limit else None
    items = [message_view(session, row, deps.public_url) for row in rows[:limit]]
    return _json(Transcript(items=items, next=more))


@router.get(
    "/v1/sessions/{session_id}/timeline",
    operation_id="getTimeline",
    summary="What happened, who did it, by which rule",
    response_model=Timeline,
    responses=keyed(404),
    openapi_extra=_NEEDS,
)
async def get_timeline(request: Request, session_id: SessionId, cursor: Cursor = None, limit: Limit = 100) -> Response:
    await known(request, session_id)
    deps, start = deps_of(request), position(cursor)
    rows = await deps.read(deps.reads.timeline, session_id, start, limit + 1)
    more = after(rows[limit - 1].id) if len(rows) > limit else None
    return _json(Timeline(items=[TimelineView.model_validate(row) for row in rows[:limit]], next=more))


@router.get(
    "/v1/sessions/{session_id}/pause-log",
    operation_id="getPauseLog",
    summary="Pauses and blocked AI messages of a session",
    response_model=PauseLogs,
    responses=keyed(404),
    openapi_extra=_NEEDS,
)
async def get_pause_log(request: Request, session_id: SessionId, cursor: Cursor = None, limit: Limit = 100) -> Response:
    await known(request, session_id)
    deps, start = deps_of(request), position(cursor)
    rows = await deps.read(deps.reads.pause_log, caller_of(request).workspace_id, session_id, start, limit + 1)
    return _pause_logs(rows, limit)


@router.get(
    "/v1/sessions/{session_id}/explain",
    operation_id="explainSession",
    summary="Why is the AI silent, or not?",
    response_model=ExplanationView,
    responses=keyed(404),
    openapi_extra=_NEEDS,
)
async def explain_session(request: Request, session_id: SessionId) -> Response:
    """One sentence for people, and the facts behind it."""
    session = await known(request, session_id)
    told = explain(session, await _policy_now(request, session))
    rows = [FactView(name=name, value=value) for name, value in told.rows]
    return _json(ExplanationView(sentence=told.sentence, rows=rows))


@router.get(
    "/v1/pause-logs",
    operation_id="listPauseLogs",
    summary="Pauses and blocked AI messages, of all sessions or of a conversation",
    response_model=PauseLogs,
    responses=keyed(),
    openapi_extra=_NEEDS,
)
async def list_pause_logs(
    request: Request, conversation_id: Id | None = None, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Oldest first."""
    deps, workspace, start = deps_of(request), caller_of(request).workspace_id, position(cursor)
    if conversation_id is None:
        rows = await deps.read(deps.reads.pause_log, workspace, None, start, limit + 1)
    else:
        rows = await deps.read(_of_conversation, deps.reads, workspace, conversation_id, start, limit + 1)
    return _pause_logs(rows, limit)


def _of_conversation(
    reads: Reads, workspace: str, conversation_id: str, start: int, limit: int
) -> tuple[tuple[int, PauseLog], ...]:
    """A conversation has few sessions, one after another."""
    found: list[tuple[int, PauseLog]] = []
    cursor: str | None = None
    while True:
        page = reads.sessions(workspace, SessionFilter(conversation_id=conversation_id), cursor)
        for session in page.items:
            found += reads.pause_log(workspace, session.id, start, limit)
        if (cursor := page.cursor) is None:
            return tuple(sorted(found, key=lambda row: row[0]))[:limit]


async def known(request: Request, session_id: str) -> Session:
    """The session, if it is one of the caller's workspace."""
    deps = deps_of(request)
    session = await deps.quick(deps.reads.session, caller_of(request).workspace_id, session_id)
    if session is None:
        raise NotFound("There is no such session in this workspace.")
    return session


async def _policy_now(request: Request, session: Session) -> Policy:
    """What would hold for a handoff that started now."""
    deps = deps_of(request)
    workspace = await deps.quick(deps.lookups.workspace, session.workspace)
    if workspace is None:
        raise NotFound("The workspace was removed.")
    return resolve(workspace.policy, workspace.teams.get(session.team or "", {}), session.overrides)


def _pause_logs(rows: tuple[tuple[int, PauseLog], ...], limit: int) -> Response:
    more = after(rows[limit - 1][0]) if len(rows) > limit else None
    return _json(PauseLogs(items=[PauseLogView.model_validate(row) for _, row in rows[:limit]], next=more))


def _json(view: BaseModel) -> Response:
    return Response(view.model_dump_json(), media_type="application/json")
