"""The workspace: its name, its policy and what its teams make of it; presets and templates to start from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Final

from pydantic import BaseModel, Field, JsonValue
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.admin.answers import (
    NEEDS,
    NOT_MODIFIED,
    DryRun,
    IfMatch,
    IfNoneMatch,
    json_answer,
    known_already,
    must_match,
    outdated,
    revision_tag,
    workspace_of,
)
from handoff_sync.api.admin.policy_changes import Wanted, as_it_is, differences, from_preset, judged, merged, place
from handoff_sync.api.deps import deps_of
from handoff_sync.api.fields import Input, Word
from handoff_sync.api.problems import ProblemError
from handoff_sync.api.routes import key_router, keyed, keyed_body
from handoff_sync.core.contradictions import Complaint
from handoff_sync.core.policy_words import sentences
from handoff_sync.core.presets import PRESETS, SCENARIO_TEMPLATES
from handoff_sync.errors import Refused
from handoff_sync.store.codec import policy_values
from handoff_sync.store.rows import WorkspaceRow

router = key_router("admin")
_TRIES: Final = 3
"""Without If-Match a change is laid over whatever is there; somebody else's may come in between."""

Values = dict[str, JsonValue]


class WorkspaceView(BaseModel):
    """`policy` has every setting; `teams` what each team has differently; `explanation` says what will happen."""

    id: str = Field(examples=["ws_1"])
    name: str = Field(examples=["Acme"])
    revision: int = Field(description="Also the ETag; grows with every change of the configuration.")
    policy: Values
    teams: dict[str, Values]
    explanation: list[str] = Field(examples=[["The AI is asked to wait for a decision."]])


class Changed(BaseModel):
    """null: nothing was said there."""

    key: str = Field(examples=["policy.handover_mode"])
    before: JsonValue
    after: JsonValue


class Warned(BaseModel):
    key: str = Field(examples=["policy.claim_timeout_minutes"])
    message: str


class WorkspaceChange(BaseModel):
    """What was changed (with `dry_run`: what would be), the workspace as it is then, and what may surprise."""

    dry_run: bool
    changes: list[Changed]
    warnings: list[Warned]
    workspace: WorkspaceView


class WorkspacePatch(Input):
    """A merge patch: what is not named stays. null takes a setting back to its default, a team's to the workspace's,
    and a team out; a setting that may be none becomes none by it. Lists are replaced as a whole."""

    name: Word | None = None
    policy: dict[Word, JsonValue] = Field(
        default_factory=dict, examples=[{"handover_mode": "automatic", "recipients": [{"email": "ana@example.com"}]}]
    )
    teams: Annotated[dict[Word, dict[Word, JsonValue] | None], Field(max_length=200)] = Field(
        default_factory=dict, examples=[{"sales": {"claim_reminder_minutes": 2}}]
    )


class PresetChoice(Input):
    """People, connections, texts and own scenarios stay; everything else becomes as the preset says."""

    preset: Word = Field(examples=["handover"])


class PresetView(BaseModel):
    name: str
    policy: Values
    explanation: list[str]


class PresetList(BaseModel):
    items: list[PresetView]


class TemplateView(BaseModel):
    """A scenario that a workspace may add to `policy.scenarios`."""

    title: str
    instruction: str


class TemplateList(BaseModel):
    items: list[TemplateView]


@router.get(
    "/v1/admin/workspace",
    operation_id="getWorkspace",
    summary="The workspace with its policy and teams",
    response_model=WorkspaceView,
    responses=keyed() | NOT_MODIFIED,
    openapi_extra=NEEDS,
)
async def get_workspace(request: Request, if_none_match: IfNoneMatch = None) -> Response:
    row = await workspace_of(request)
    tag = revision_tag(row)
    return known_already(if_none_match, tag) or json_answer(await _view(request, row), tag=tag)


@router.patch(
    "/v1/admin/workspace",
    operation_id="changeWorkspace",
    summary="Change name, policy or teams",
    response_model=WorkspaceChange,
    responses=keyed_body(412),
    openapi_extra=NEEDS,
)
async def change_workspace(
    request: Request, body: WorkspacePatch, dry_run: DryRun = False, if_match: IfMatch = None
) -> Response:
    """Everything is judged together, and nothing is stored while settings contradict each other: the refusal names
    each with its key and the remedy. Handoffs that run keep the policy they started with."""

    def wanted(row: WorkspaceRow) -> Wanted:
        return merged(row, body.name, body.policy, body.teams)

    return await _change(request, wanted, dry_run=dry_run, if_match=if_match)


@router.get(
    "/v1/admin/presets",
    operation_id="listPresets",
    summary="Policies to start from",
    response_model=PresetList,
    responses=keyed(),
    openapi_extra=NEEDS,
)
async def list_presets(request: Request) -> Response:
    items = [
        PresetView(name=name, policy=policy_values(policy), explanation=list(sentences(policy)))
        for name, policy in PRESETS.items()
    ]
    return json_answer(PresetList(items=items))


@router.post(
    "/v1/admin/workspace/preset",
    operation_id="applyPreset",
    summary="Start from a preset",
    response_model=WorkspaceChange,
    responses=keyed_body(412),
    openapi_extra=NEEDS,
)
async def apply_preset(
    request: Request, body: PresetChoice, dry_run: DryRun = False, if_match: IfMatch = None
) -> Response:
    """Scenarios of the preset that the workspace does not have are added."""
    if body.preset not in PRESETS:
        text = f"There is no such preset. There are: {', '.join(PRESETS)}."
        raise ProblemError(422, "unknown_preset", text)
    return await _change(request, lambda row: from_preset(row, body.preset), dry_run=dry_run, if_match=if_match)


@router.get(
    "/v1/admin/scenario-templates",
    operation_id="listScenarioTemplates",
    summary="Scenarios to start from",
    response_model=TemplateList,
    responses=keyed(),
    openapi_extra=NEEDS,
)
async def list_templates(request: Request) -> Response:
    items = [TemplateView(title=one.title, instruction=one.instruction) for one in SCENARIO_TEMPLATES]
    return json_answer(TemplateList(items=items))


async def _change(
    request: Request, wanted_of: Callable[[WorkspaceRow], Wanted], *, dry_run: bool, if_match: str | None
) -> Response:
    deps = deps_of(request)
    for _ in range(_TRIES):
        row = await workspace_of(request)
        must_match(if_match, row)
        before, wanted = as_it_is(row), wanted_of(row)
        changes = [
            Changed(key=key, before=old, after=new) for key, old, new in differences(before.values, wanted.values)
        ]
        warned = judged(wanted, await deps.read(deps.administration.surroundings, row)) if changes else ()
        if dry_run or not changes:
            return await _told(request, row, wanted, changes, warned, dry_run)
        store = partial(deps.admin.update_workspace, row.id, revision=row.revision)
        try:
            await deps.write(store, name=wanted.name, policy=wanted.policy, teams=wanted.teams)
        except Refused:
            continue  # somebody else was first: once more, over what is there now
        return await _told(request, await workspace_of(request), wanted, changes, warned, dry_run)
    raise outdated()


async def _told(
    request: Request,
    row: WorkspaceRow,
    wanted: Wanted,
    changes: list[Changed],
    warned: Sequence[Complaint],
    dry_run: bool,
) -> Response:
    shown = WorkspaceRow(id=row.id, name=wanted.name, policy=wanted.policy, teams=wanted.teams, revision=row.revision)
    answer = WorkspaceChange(
        dry_run=dry_run,
        changes=changes,
        warnings=[Warned(key=place(one), message=one.text) for one in warned],
        workspace=await _view(request, shown),
    )
    return json_answer(answer, tag=revision_tag(row))


async def _view(request: Request, row: WorkspaceRow) -> WorkspaceView:
    deps = deps_of(request)
    connections = await deps.read(deps.admin.connections, row.id)
    names = {one.id: one.name for one in connections if one.enabled}
    return WorkspaceView(
        id=row.id,
        name=row.name,
        revision=row.revision,
        policy=policy_values(row.policy),
        teams={name: dict(overrides) for name, overrides in row.teams.items()},  # type: ignore[arg-type]
        explanation=list(sentences(row.policy, names)),
    )
