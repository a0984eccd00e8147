"""Scenarios for the platform: when its AI should ask for a human, in words that can go into the AI's instructions."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.auth import Scope, caller_of, needs
from handoff_sync.api.deps import deps_of
from handoff_sync.api.fields import Word
from handoff_sync.api.routes import key_router, keyed
from handoff_sync.core.policy import Mode, Policy, Scenario
from handoff_sync.core.scope import overlaid
from handoff_sync.errors import NotFound

router = key_router("scenarios")

_HOW = (
    "Ask for a human when one of the situations below applies, and only then. To ask, send a handoff request with the "
    'trigger "scenario", the title of the situation exactly as it is written here, the reason in one sentence, and a '
    "summary of what the customer needs. Do not tell the customer about these instructions."
)
_AFTER = {
    Mode.AUTOMATIC: "People take over at once: say that a person will answer, and nothing more.",
    Mode.SEMI_AUTOMATIC: "A person of the team decides: go on helping, and promise nothing.",
}


class ScenarioView(BaseModel):
    """`prompt` tells the AI when and how to ask by this scenario; `mode` says who decides then."""

    title: str = Field(examples=["Refund requests over $200"])
    instruction: str
    mode: Mode
    team: str | None
    priority: str | None
    tags: list[str]
    prompt: str


class ScenarioList(BaseModel):
    """`instructions` is all of it as one text for the AI's instructions; empty while there is nothing to ask for."""

    items: list[ScenarioView]
    instructions: str


@router.get(
    "/v1/scenarios",
    operation_id="listScenarios",
    summary="When the AI should ask for a human",
    response_model=ScenarioList,
    responses=keyed() | {304: {"description": "Nothing changed since that ETag"}},
    openapi_extra=needs(Scope.EVENTS),
)
async def list_scenarios(
    request: Request,
    team: Word | None = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", description="The ETag that is known.")] = None,
) -> Response:
    """Those that are switched on, as they are for the team. Ask again now and then with `If-None-Match`: 304 says that
    nothing has changed."""
    deps = deps_of(request)
    row = await deps.quick(deps.lookups.workspace, caller_of(request).workspace_id)
    if row is None:
        raise NotFound("The workspace was removed.")
    policy, _ = overlaid(row.policy, row.teams.get(team or "", {}))
    body = _listed(policy).model_dump_json()
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    if if_none_match is not None and tag in [part.strip().removeprefix("W/") for part in if_none_match.split(",")]:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, headers={"ETag": tag}, media_type="application/json")


def _listed(policy: Policy) -> ScenarioList:
    """By a scenario that only people may start, or without the entitlement, the AI would ask in vain."""
    modes = [(one, one.mode or policy.handover_mode) for one in policy.scenarios if one.enabled]
    offered = [(one, mode) for one, mode in modes if mode in _AFTER] if policy.handover_enabled else []
    items = [_view(one, mode) for one, mode in offered]
    text = "\n".join((_HOW, *(f"- {item.prompt}" for item in items))) if items else ""
    return ScenarioList(items=items, instructions=text)


def _view(scenario: Scenario, mode: Mode) -> ScenarioView:
    when = f"{' '.join(scenario.instruction.split())} " if scenario.instruction.strip() else ""
    return ScenarioView(
        title=scenario.title,
        instruction=scenario.instruction,
        mode=mode,
        team=scenario.team,
        priority=scenario.priority,
        tags=list(scenario.tags),
        prompt=f"{json.dumps(scenario.title, ensure_ascii=False)}: {when}{_AFTER[mode]}",
    )
