"""From what the core decided to what a caller is told."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

from handoff_sync.api.auth import Caller
from handoff_sync.api.deps import ApiDeps
from handoff_sync.api.problems import Problem, ProblemError
from handoff_sync.api.views import SessionView, session_view
from handoff_sync.core.effects import Verdict
from handoff_sync.service.apply import Applied


class Taken(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class EventResult(BaseModel):
    """What became of one event. `session` is the state after it; for a duplicate, the state now."""

    id: str = Field(examples=["evt_1001"])
    status: Taken
    verdict: Verdict | None = Field(default=None, examples=["applied"])
    code: str = Field(default="", description="Why it was ignored or refused, for programs.")
    detail: str = Field(default="", description="The same for people.")
    session: SessionView | None = None
    error: Problem | None = Field(default=None, description="With `rejected`: why, and what would be right.")


def result_of(event_id: str, applied: Applied, problem: ProblemError | None) -> EventResult:
    return EventResult(
        id=event_id,
        status=_status(applied, problem),
        verdict=applied.verdict,
        code=applied.code,
        detail=applied.detail,
        session=session_view(applied.session) if applied.session is not None else None,
        error=problem.body if problem is not None else None,
    )


def _status(applied: Applied, problem: ProblemError | None) -> Taken:
    if problem is not None:
        return Taken.REJECTED
    return Taken.DUPLICATE if applied.duplicate else Taken.ACCEPTED


async def refusal(applied: Applied, caller: Caller, deps: ApiDeps) -> ProblemError | None:
    """The answer to what the state or the plan forbids."""
    if applied.verdict is not Verdict.REFUSED:
        return None
    code, detail = applied.code or "refused", applied.detail or "The state of the session does not allow this."
    if code != "plan_required":
        return ProblemError(409, code, detail)
    workspace = await deps.quick(deps.lookups.workspace, caller.workspace_id)
    return ProblemError(403, code, detail, upgrade_url=workspace.policy.upgrade_url if workspace else None)


async def action_refusal(applied: Applied, caller: Caller, deps: ApiDeps) -> ProblemError | None:
    """As `refusal`; who asks for something must also learn that nothing happened."""
    if applied.verdict is Verdict.IGNORED:
        detail = applied.detail or "This changes nothing in the present state of the session."
        return ProblemError(409, "not_applicable", detail)
    return await refusal(applied, caller, deps)
