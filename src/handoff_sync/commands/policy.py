"""`policy`: what the settings of a workspace will do, in plain sentences; `scenarios`: when its AI should escalate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handoff_sync.commands.opened import Workspace, opened, workspace_of
from handoff_sync.commands.output import AsJson, listing, record

if TYPE_CHECKING:
    from handoff_sync.core.policy import Policy

app = typer.Typer(help="What a workspace's settings will do.", no_args_is_help=True)
scenarios = typer.Typer(help="When the AI should escalate.", no_args_is_help=True)
Teams = Mapping[str, Mapping[str, object]]


@app.command()
def explain(
    file: Annotated[
        Path | None, typer.Argument(help="A workspace's file, as if the workspace were new; else what is stored.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Tells step by step what will happen under the policy, and what differs in each team."""
    policy, teams, names = _of_file(file) if file is not None else _stored(workspace)
    told = _told(policy, teams, names)
    if as_json:
        record(told, as_json=True)
        return
    _tell(told["workspace"])
    for name, lines in told["teams"].items():
        typer.secho(f"\nIn team {name}, instead:", bold=True)
        _tell(lines)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A workspace's file.")],
    as_json: AsJson = False,
) -> None:
    """Looks for mistakes and contradictions in a file, without an installation and without its secrets."""
    from handoff_sync.delivery.configuring.files import judged, read_file

    plan = judged(read_file(file))
    if as_json:
        record({"ok": True, "warnings": plan.warnings}, as_json=True)
        return
    for warning in plan.warnings:
        typer.secho(f"Warning: {warning}", fg="yellow")
    typer.echo(f"{file.name}: no mistakes.")


@scenarios.command("list")
def list_(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """The scenarios of a workspace, as the platform reads them."""
    with opened() as parts:
        policy = workspace_of(parts, workspace).policy
    rows = [{**asdict(one), "mode": (one.mode or policy.handover_mode).value} for one in policy.scenarios]
    listing(rows, as_json=as_json, empty="No scenarios. Look at `handoff-sync scenarios templates`.")


@scenarios.command()
def templates(
    as_json: AsJson = False,
    toml: Annotated[bool, typer.Option("--toml", help="As they stand in a workspace's file.")] = False,
) -> None:
    """Scenarios to start from."""
    from handoff_sync.core.presets import SCENARIO_TEMPLATES
    from handoff_sync.delivery.configuring.writing import scenario_entries

    if toml:
        typer.echo(scenario_entries(SCENARIO_TEMPLATES), nl=False)
        return
    rows = [{"title": one.title, "instruction": one.instruction} for one in SCENARIO_TEMPLATES]
    listing(rows, as_json=as_json, empty="")


def _stored(workspace: str | None) -> tuple[Policy, Teams, dict[str, str]]:
    with opened() as parts:
        row = workspace_of(parts, workspace)
        names = {one.id: one.name for one in parts.admin.connections(row.id) if one.enabled}
    return row.policy, row.teams, names


def _of_file(file: Path) -> tuple[Policy, Teams, dict[str, str]]:
    """As if the file were applied where nothing is."""
    from handoff_sync.delivery.configuring.files import judged, read_file

    plan = judged(read_file(file))
    assert plan.policy is not None  # there is no workspace yet, so it gets one
    names = {name: name for name, one in (plan.document.connections or {}).items() if one.enabled is not False}
    return plan.policy, plan.teams or {}, names


def _told(policy: Policy, teams: Teams, names: Mapping[str, str]) -> dict[str, Any]:
    """The sentences of the workspace, and those of each team that it does not share."""
    from handoff_sync.core.policy_words import sentences
    from handoff_sync.core.scope import overlaid

    common = sentences(policy, names)
    own = {name: sentences(overlaid(policy, changes)[0], names) for name, changes in teams.items()}
    differing = {name: [line for line in lines if line not in common] for name, lines in own.items()}
    return {"workspace": list(common), "teams": {name: lines for name, lines in differing.items() if lines}}


def _tell(lines: list[str]) -> None:
    for number, line in enumerate(lines, start=1):
        typer.echo(f"{number:>3}. {line}")
