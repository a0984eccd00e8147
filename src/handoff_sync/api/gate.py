"""The gate: may the AI speak? One indexed read while it may; an attempt that it may not make is recorded."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.auth import Caller, Scope, caller_of, needs
from handoff_sync.api.deps import ApiDeps, deps_of
from handoff_sync.api.fields import Count, Id, Input, Text
from handoff_sync.api.routes import key_router, keyed_body
from handoff_sync.core.effects import Verdict
from handoff_sync.core.events import AiMessageProposed
from handoff_sync.core.model import Actor, ActorKind, AiMode, AuthorClass, Message, Phase, Session
from handoff_sync.service.apply import Applied, on_conversation
from handoff_sync.store.rows import GateRow

router = key_router("gate")

_AI: Final = Actor(kind=ActorKind.AI, id="ai", name="AI", via="api")
_SPEAKING: Final = (Phase.AI, Phase.AI_DECIDING)
_WITH_HUMAN: Final = (Phase.WAITING, Phase.HUMAN)
_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Answer(StrEnum):
    ALLOW = "allow"
    DRAFT = "draft"
    BLOCK = "block"


class Proposed(Input):
    """What the AI wants to say. Without text the attempt is recorded, but nothing can become a draft."""

    id: Id = Field(examples=["msg_1003"])
    text: Text = ""


class GateBody(Input):
    """With a message it is an attempt to speak and is recorded when it may not; without one it is a question."""

    message: Proposed | None = None
    epoch: Count | None = Field(None, description="The epoch under which the message was generated.")


class GateAnswer(BaseModel):
    """`allow`: send it, `epoch` is the licence. `draft`: humans got it as a draft, do not send. `block`: discard it."""

    decision: Answer
    epoch: int = Field(examples=[3], description="The current one; get the next message generated under it.")
    session_id: str | None = Field(description="Null: there is no session of this conversation yet.")
    phase: Phase
    ai_mode: AiMode
    reason: str = Field(examples=[""], description="Why not: paused, stopped, resolved, stale_epoch, ...")


@router.post(
    "/v1/conversations/{conversation_id:path}/gate",
    operation_id="askGate",
    summary="May the AI speak?",
    response_model=GateAnswer,
    responses=keyed_body(),
    openapi_extra=needs(Scope.GATE),
)
async def ask_gate(
    request: Request, conversation_id: Annotated[Id, Path()], body: GateBody | None = None
) -> Response:
    """Ask right before sending, with the epoch of the answer under which the message was generated.

    An allowed message is not stored by this call: tell it with `ai.message.sent` once it is sent.
    """
    answer = await _decide(deps_of(request), caller_of(request), conversation_id, body or GateBody())
    return Response(answer.model_dump_json(), media_type="application/json")


async def _decide(deps: ApiDeps, caller: Caller, conversation_id: str, body: GateBody) -> GateAnswer:
    row = await deps.quick(deps.reads.gate, caller.workspace_id, conversation_id)
    if row is None:
        return GateAnswer(
            decision=Answer.ALLOW, epoch=0, session_id=None, phase=Phase.AI, ai_mode=AiMode.AUTO, reason=""
        )
    answer = _glance(row, body.epoch)
    if answer.decision is Answer.ALLOW or body.message is None:
        return answer
    if answer.decision is Answer.DRAFT and not body.message.text:
        return answer
    return await _attempt(deps, caller, conversation_id, body.message, body.epoch, row)


def _glance(row: GateRow, epoch: int | None) -> GateAnswer:
    """The answer as the row stands; the same rules as T8, T9 and T10."""
    reason = _reason(row, epoch)
    draft = reason and row.phase in _WITH_HUMAN and row.copilot and reason != "stale_epoch"
    return GateAnswer(
        decision=Answer.DRAFT if draft else Answer.BLOCK if reason else Answer.ALLOW,
        epoch=row.control_epoch,
        session_id=row.session_id,
        phase=Phase(row.phase),
        ai_mode=_ai_mode(row),
        reason=reason,
    )


def _reason(row: GateRow, epoch: int | None) -> str:
    """Why the AI may not speak freely; empty when it may."""
    if row.phase not in _SPEAKING:
        return _ai_mode(row)
    if not row.agent_running:
        return "agent_not_running"
    if not row.channel_running:
        return "channel_not_running"
    return "" if epoch is None or epoch == row.control_epoch else "stale_epoch"


def _ai_mode(row: GateRow) -> AiMode:
    """By the domain's own table."""
    session = Session(
        id=row.session_id,
        workspace="",
        conversation_id="",
        created_at=_ANY_TIME,
        phase=Phase(row.phase),
        copilot=row.copilot,
    )
    return session.ai_mode


async def _attempt(
    deps: ApiDeps, caller: Caller, conversation_id: str, message: Proposed, epoch: int | None, row: GateRow
) -> GateAnswer:
    """Records the attempt and lets the core decide; it may allow what was forbidden a moment ago."""
    now, licence = deps.clock(), row.control_epoch if epoch is None else epoch
    event = AiMessageProposed(
        id=_attempt_id(conversation_id, message.id, licence, row),
        at=now,
        actor=_AI,
        message=Message(id=message.id, author_class=AuthorClass.AI, text=message.text, at=now),
        epoch=licence,
    )
    applied = await deps.commit(on_conversation(caller.workspace_id, conversation_id, event))
    deps.metrics.event(event.type, applied.verdict)
    return _answer(applied, _glance(row, epoch))


def _attempt_id(conversation_id: str, message_id: str, epoch: int, row: GateRow) -> str:
    """The same for a repeated call, another one once the session has moved on."""
    parts = "\n".join((conversation_id, message_id, str(epoch), row.session_id, row.phase, str(row.copilot)))
    return f"gate:{hashlib.sha256(parts.encode()).hexdigest()[:40]}"


def _answer(applied: Applied, glance: GateAnswer) -> GateAnswer:
    """What the core decided; a verdict that is no answer of the gate blocks."""
    decision = Answer(applied.verdict) if applied.verdict in tuple(Answer) else Answer.BLOCK
    session = applied.session
    allowed = decision is Answer.ALLOW
    return GateAnswer(
        decision=decision,
        epoch=applied.epoch if session is None else session.control_epoch,
        session_id=glance.session_id if session is None else session.id,
        phase=glance.phase if session is None else session.phase,
        ai_mode=glance.ai_mode if session is None else session.ai_mode,
        reason="" if allowed else applied.code or glance.reason,
    )
