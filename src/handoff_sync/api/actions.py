"""What people do: one route per action, by session and by conversation, with `Idempotency-Key`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Header, Path
from pydantic import StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api import action_fields as fields
from handoff_sync.api.acting import people_for
from handoff_sync.api.auth import Caller, Scope, caller_of, needs
from handoff_sync.api.deps import ApiDeps, deps_of
from handoff_sync.api.fields import Id, Origin
from handoff_sync.api.routes import key_router, keyed_body
from handoff_sync.api.verdicts import EventResult, action_refusal, result_of
from handoff_sync.core.events import Event
from handoff_sync.errors import NotFound
from handoff_sync.service.apply import Applied, on_conversation, on_session
from handoff_sync.store.committer import Job
from handoff_sync.store.ids import new_id

ACTIONS: Final[dict[str, type[fields.Action]]] = {
    "handover": fields.Handover,
    "pause": fields.Pause,
    "extend": fields.Extend,
    "resume": fields.Resume,
    "stop": fields.Stop,
    "reset": fields.Reset,
    "claim": fields.Claim,
    "assign": fields.Assign,
    "unassign": fields.Unassign,
    "note": fields.Note,
    "label": fields.Label,
    "message": fields.Reply,
    "copilot": fields.Copilot,
    "resolve": fields.Resolve,
    "archive": fields.Archive,
    "accept": fields.Accept,
    "decline": fields.Decline,
    "undo": fields.Undo,
}
BEFOREHAND: Final = frozenset({"handover", "pause", "note", "label", "message"})
"""What can be done by conversation before anything was said there (rule T1)."""

IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")] | None,
    Header(alias="Idempotency-Key", description="The same key again does nothing more and gets the same answer."),
]

router = key_router("actions")


async def _on_session(request: Request, name: str, session_id: str, body: fields.Action, key: str | None) -> Response:
    deps, caller = deps_of(request), caller_of(request)
    event = await _event(deps, caller, name, session_id, body, key)
    return await _answer(deps, caller, event, on_session(caller.workspace_id, session_id, event))


async def _on_conversation(
    request: Request, name: str, conversation_id: str, body: fields.Action, key: str | None
) -> Response:
    deps, caller = deps_of(request), caller_of(request)
    if name not in BEFOREHAND and await deps.quick(deps.reads.gate, caller.workspace_id, conversation_id) is None:
        raise NotFound("This conversation has no session.")
    event = await _event(deps, caller, name, conversation_id, body, key)
    return await _answer(deps, caller, event, on_conversation(caller.workspace_id, conversation_id, event))


async def _event(deps: ApiDeps, caller: Caller, name: str, target: str, body: fields.Action, key: str | None) -> Event:
    # The key counts for one action on one target: the same key elsewhere must not get a foreign answer.
    event_id = f"{name}:{target}:{key}" if key else new_id("act")
    actor = body.actor.actor() if body.actor is not None else caller.actor
    people = await people_for(deps, caller, (actor,))
    return people.checked(body.event(Origin(id=event_id, at=deps.clock(), actor=actor)))


async def _answer(deps: ApiDeps, caller: Caller, event: Event, job: Job[Applied]) -> Response:
    deps.intake()
    applied = await deps.commit(job)
    deps.metrics.event(event.type, applied.verdict)
    if problem := await action_refusal(applied, caller, deps):
        raise problem
    return Response(result_of(event.id, applied, None).model_dump_json(), media_type="application/json")


def _by_session(name: str) -> Callable[..., Coroutine[Any, Any, Response]]:
    async def act(
        request: Request,
        session_id: Annotated[Id, Path()],
        body: fields.Action,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        return await _on_session(request, name, session_id, body, idempotency_key)

    return act


def _by_conversation(name: str) -> Callable[..., Coroutine[Any, Any, Response]]:
    async def act(
        request: Request,
        conversation_id: Annotated[Id, Path()],
        body: fields.Action,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        return await _on_conversation(request, name, conversation_id, body, idempotency_key)

    return act


def _offer(path: str, kind: str, name: str, act: Callable[..., Coroutine[Any, Any, Response]]) -> None:
    model = ACTIONS[name]
    act.__annotations__["body"] = model  # what FastAPI validates and documents
    if _says_enough_empty(model):
        act.__defaults__ = (model(), None)
    router.add_api_route(
        f"{path}/actions/{name}",
        act,
        methods=["POST"],
        operation_id=f"{name}{kind}",
        summary=f"{name.capitalize()}, by {kind.lower()}",
        description=model.__doc__ or "",
        response_model=EventResult,
        responses=keyed_body(404, 409),
        openapi_extra=needs(Scope.SESSIONS_WRITE),
    )


def _says_enough_empty(model: type[fields.Action]) -> bool:
    """Whether the body may be left out."""
    try:
        model()
    except ValidationError:
        return False
    return True


for _name in ACTIONS:
    _offer("/v1/sessions/{session_id}", "Session", _name, _by_session(_name))
    _offer("/v1/conversations/{conversation_id:path}", "Conversation", _name, _by_conversation(_name))
