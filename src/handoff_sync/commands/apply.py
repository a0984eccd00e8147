"""`apply`: makes a workspace what one file says; `export`: writes such a file."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handoff_sync.commands.connect import show_findings
from handoff_sync.commands.opened import Workspace, opened, workspace_of
from handoff_sync.commands.output import AsJson, record

if TYPE_CHECKING:
    from handoff_sync.delivery.configuring.applying import Applied, Made
    from handoff_sync.delivery.configuring.planning import Plan

File = Annotated[Path, typer.Argument(help="A workspace as TOML; see examples/workspace.toml.")]


def register(app: typer.Typer) -> None:
    app.command()(apply)
    app.command()(export)


def apply(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove connections, callbacks, members and teams that a section does not name."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before something is removed.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Store connections without asking their helpdesks.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Makes the workspace what the file says, and it alone; a second time changes nothing.

    What the file does not mention is left alone. Lists that it mentions are the truth.
    """
    from handoff_sync.delivery.configuring.applying import Applier
    from handoff_sync.delivery.configuring.files import planned, read_file

    document = read_file(file)
    with opened() as parts:
        http = bool(parts.settings.private_destinations)
        folder = file.resolve().parent
        plan = planned(document, folder, parts.admin, os.environ, prune=prune, offline=offline, http=http)
        if not as_json:
            _show(plan)
        done = None
        if plan.changes and not dry_run:
            _ask(plan, yes)
            hooks = None if offline else f"{parts.settings.public_url}/hooks"
            done = Applier(parts.admin, parts.connections, hooks, partial(_hand_out, folder)).apply(plan)
    if as_json:
        record(_summary(plan, done), as_json=True)
    elif plan.changes and dry_run:
        typer.echo(f"{_count(plan)} to be made; nothing was changed.")
    if done is not None:
        _tell(done, plan, quiet=as_json)


def export(
    workspace: Workspace = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Where to write it; else it is printed.")] = None,
) -> None:
    """Writes a workspace as a file for `apply`. Secrets become references to variables; keys are not part of it."""
    from handoff_sync.delivery.configuring.stored import stored
    from handoff_sync.delivery.configuring.writing import written

    with opened() as parts:
        row = workspace_of(parts, workspace)
        now = stored(parts.admin, row)
        secrets = {name: frozenset(parts.admin.connection_secrets(one.id)) for name, one in now.connections.items()}
        text = written(row, now, secrets)
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        typer.echo(f"Written: {file}")


# --- showing -----------------------------------------------------------------------------------------------


def _show(plan: Plan) -> None:
    for warning in plan.warnings:
        typer.secho(f"Warning: {warning}", fg="yellow", err=True)
    colours = {"+": "green", "~": "yellow", "-": "red"}
    for change in plan.changes:
        line = str(change)
        typer.secho(f"  {line}", fg=colours[line[0]])
    if not plan.changes:
        typer.echo("Nothing to change.")


def _summary(plan: Plan, done: Applied | None) -> dict[str, Any]:
    row = plan.stored.workspace
    changes = [
        {"action": one.action.value, "key": one.key, "before": one.before, "after": one.after} for one in plan.changes
    ]
    return {
        "workspace": done.workspace if done is not None else row.id if row is not None else None,
        "applied": done is not None and not done.refused,
        "refused": done.refused if done is not None else [],
        "changes": changes,
        "warnings": plan.warnings,
    }


def _ask(plan: Plan, yes: bool) -> None:
    gone = [f"{section}.{name}" for section, names in plan.gone.items() for name in names]
    if gone and not yes:
        typer.confirm(f"Remove {', '.join(gone)}?", abort=True, err=True)


def _tell(done: Applied, plan: Plan, *, quiet: bool) -> None:
    for name, findings in done.findings.items():
        if not quiet or name in done.refused:
            typer.echo(f"Connection {name}:", err=quiet)
            show_findings(findings, err=quiet)
    if done.refused:
        names = ", ".join(done.refused)
        typer.echo(f"The credentials of {names} do not work: only the connections before were changed.", err=True)
        raise typer.Exit(1)
    if not quiet:
        typer.echo(f"Applied: {_count(plan)} in workspace {done.workspace}.")


def _count(plan: Plan) -> str:
    return "1 change" if len(plan.changes) == 1 else f"{len(plan.changes)} changes"


def _hand_out(folder: Path, made: Made) -> None:
    from handoff_sync.delivery.configuring.files import write_secret

    try:
        if made.file is not None:
            write_secret(folder / made.file, made.secret)
            typer.echo(f"{made.what}: written to {made.file}", err=True)
            return
    except OSError as error:
        typer.echo(f"{made.file} cannot be written: {error.strerror}.", err=True)
    typer.echo(f"{made.what}: {made.secret}\nKeep it: it cannot be shown again.", err=True)
