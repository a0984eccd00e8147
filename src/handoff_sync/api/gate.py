"""The gate: may the AI speak? One indexed read while it may; an attempt that it may not make is recorded."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.auth import Caller, Scope, caller_of, needs
from handoff_sync.api.deps import ApiDeps, deps_of
from handoff_sync.api.fields import Count, Id, Input, Text
from handoff_sync.api.problems import checked
from handoff_sync.api.routes import HotRoute, key_router, keyed_body
from handoff_sync.core.effects import Verdict
from handoff_sync.core.events import AiMessageProposed
from handoff_sync.core.machine import decide
from handoff_sync.core.model import Actor, ActorKind, AiMode, AuthorClass, Message, Phase, Session
from handoff_sync.core.policy import Policy
from handoff_sync.service.apply import on_conversation
from handoff_sync.store.rows import GateRow

router = key_router("gate", HotRoute)

_AI: Final = Actor(kind=ActorKind.AI, id="ai", name="AI", via="api")
_ANY_POLICY: Final = Policy()
"""No rule of the gate looks at the policy to decide; only what is kept of a blocked text depends on it."""


class Answer(StrEnum):
    ALLOW = "allow"
    DRAFT = "draft"
    BLOCK = "block"


_ANSWERS: Final = {Verdict.ALLOW: Answer.ALLOW, Verdict.DRAFT: Answer.DRAFT, Verdict.BLOCK: Answer.BLOCK}


class Proposed(Input):
    """What the AI wants to say. Without text the attempt is recorded, but nothing can become a draft."""

    id: Id = Field(examples=["msg_1003"])
    text: Text = ""


class GateBody(Input):
    """With a message it is an attempt to speak and is recorded when it may not; without one it is a question."""

    message: Proposed | None = None
    epoch: Count | None = Field(default=None, description="The epoch under which the message was generated.")


class GateAnswer(BaseModel):
    """`allow`: send it, `epoch` is the licence. `draft`: humans got it as a draft, do not send. `block`: discard it."""

    decision: Answer
    epoch: int = Field(examples=[3], description="The current one; get the next message generated under it.")
    session_id: str | None = Field(description="Null: there is no session of this conversation yet.")
    phase: Phase
    ai_mode: AiMode
    reason: str = Field(examples=[""], description="Why not: waiting, human, stopped, resolved, stale_epoch, ...")


_CONVERSATION: Final[TypeAdapter[str]] = TypeAdapter(Id)
_BODY: Final = TypeAdapter(GateBody)
_QUESTION: Final = GateBody()
_DESCRIBED: Final[dict[str, Any]] = {
    "parameters": [
        {"name": "conversation_id", "in": "path", "required": True, "schema": _CONVERSATION.json_schema()},
    ],
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/GateBody"}}}},
}


@router.post(
    "/v1/conversations/{conversation_id:path}/gate",
    operation_id="askGate",
    summary="May the AI speak?",
    response_model=GateAnswer,
    responses=keyed_body(),
    openapi_extra=needs(Scope.GATE) | _DESCRIBED,
)
async def ask_gate(request: Request) -> Response:
    """Ask right before sending, with the epoch of the answer under which the message was generated.

    An allowed message is not stored by this call: tell it with `ai.message.sent` once it is sent.
    """
    conversation_id = checked(_CONVERSATION, request.path_params["conversation_id"], "conversation_id")
    body = checked(_BODY, await request.json()) if await request.body() else _QUESTION
    answer = await _decide(deps_of(request), caller_of(request), conversation_id, body)
    return Response(answer.model_dump_json(), media_type="application/json")


async def _decide(deps: ApiDeps, caller: Caller, conversation_id: str, body: GateBody) -> GateAnswer:
    row = await deps.quick(deps.reads.gate, caller.workspace_id, conversation_id)
    if row is None:
        return GateAnswer(
            decision=Answer.ALLOW, epoch=0, session_id=None, phase=Phase.AI, ai_mode=AiMode.AUTO, reason=""
        )
    event = _proposed(conversation_id, body, row, deps.clock())
    glance = decide(_as_session(row, event.at), event, _ANY_POLICY, event.at)
    nothing_to_keep = body.message is None or (glance.verdict is Verdict.DRAFT and not body.message.text)
    if glance.verdict is Verdict.ALLOW or nothing_to_keep:
        return _answer(glance.session, glance.verdict, glance.code)
    # What the row says was true a moment ago; what is recorded is decided again, under the session's lock.
    applied = await deps.commit(on_conversation(caller.workspace_id, conversation_id, event))
    deps.metrics.event(event.type, applied.verdict)
    return _answer(applied.session or glance.session, applied.verdict, applied.code)


def _proposed(conversation_id: str, body: GateBody, row: GateRow, now: datetime) -> AiMessageProposed:
    """The attempt. Its id is the same for a repeated call, and another one once the session has moved on."""
    said = body.message or Proposed(id="question")
    epoch = row.control_epoch if body.epoch is None else body.epoch
    parts = "\n".join((conversation_id, said.id, str(epoch), row.session_id, row.phase, str(row.copilot)))
    return AiMessageProposed(
        id=f"gate:{hashlib.sha256(parts.encode()).hexdigest()[:40]}",
        at=now,
        actor=_AI,
        message=Message(id=said.id, author_class=AuthorClass.AI, text=said.text, at=now),
        epoch=epoch,
    )


def _as_session(row: GateRow, now: datetime) -> Session:
    """As much of the session as the rules of the gate (T8 to T10) look at."""
    return Session(
        id=row.session_id,
        workspace="",
        conversation_id="",
        created_at=now,
        version=1,
        phase=Phase(row.phase),
        copilot=row.copilot,
        control_epoch=row.control_epoch,
        agent_running=row.agent_running,
        channel_running=row.channel_running,
    )


def _answer(session: Session, verdict: Verdict, code: str) -> GateAnswer:
    decision = _ANSWERS.get(verdict, Answer.BLOCK)
    return GateAnswer(
        decision=decision,
        epoch=session.control_epoch,
        session_id=session.id,
        phase=session.phase,
        ai_mode=session.ai_mode,
        reason="" if decision is Answer.ALLOW else code or session.phase.value,
    )
