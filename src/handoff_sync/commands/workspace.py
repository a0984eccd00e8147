"""`workspace`: who uses the service, by which policy, with which keys."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from handoff_sync.commands.opened import Workspace, opened, workspace_of
from handoff_sync.commands.output import AsJson, listing, record
from handoff_sync.errors import ConfigurationError

app = typer.Typer(help="Workspaces and their API keys.", no_args_is_help=True)


class ModeName(StrEnum):
    """Who decides about a handoff."""

    AUTOMATIC = "automatic"
    SEMI_AUTOMATIC = "semi_automatic"
    MANUAL_ONLY = "manual_only"


class ScopeName(StrEnum):
    """What a key may do; admin includes the others."""

    EVENTS = "events"
    GATE = "gate"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    ADMIN = "admin"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="For people.")],
    preset: Annotated[
        str, typer.Option(help="pause-and-resume, timed-takeover, assignment, handover or resolve-to-return.")
    ] = "handover",
    mode: Annotated[ModeName | None, typer.Option(help="Who decides about a handoff; else as the preset says.")] = None,
    recipient: Annotated[list[str] | None, typer.Option(help="E-mail of an admin to notify; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Makes a workspace, and a key that may do everything in it. The key is shown this once."""
    from handoff_sync.core.policy import Mode, Recipient
    from handoff_sync.core.presets import PRESETS
    from handoff_sync.core.scope import complaints

    if preset not in PRESETS:
        raise typer.BadParameter(f"There is no preset {preset!r}. There are: {', '.join(PRESETS)}.")
    policy = replace(PRESETS[preset], recipients=tuple(Recipient(email=email) for email in recipient or ()))
    policy = policy if mode is None else replace(policy, handover_mode=Mode(mode))
    if policy.handover_mode is not Mode.MANUAL_ONLY and not policy.recipients:
        raise typer.BadParameter(
            f"Mode {policy.handover_mode} needs somebody to notify: add --recipient you@example.com, "
            "or choose --mode manual_only."
        )
    if wrong := complaints(policy):
        raise ConfigurationError(list(wrong))
    with opened() as parts:
        row = parts.admin.create_workspace(name, policy)
        key = parts.admin.create_api_key(row.id, "first", ("admin",))
    made = {"workspace": row.id, "name": name, "mode": policy.handover_mode.value, "api_key": key.key}
    record(made, as_json=as_json)
    typer.echo("Keep the key: it cannot be shown again.", err=True)


@app.command()
def show(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Every setting of the workspace's policy."""
    from handoff_sync.store.codec import policy_values

    with opened() as parts:
        row = workspace_of(parts, workspace)
    record({"workspace": row.id, "name": row.name, **policy_values(row.policy)}, as_json=as_json)


@app.command("set")
def set_(
    settings: Annotated[list[str], typer.Argument(help="name=value; lists and null as JSON, for example [15, 30].")],
    workspace: Workspace = None,
) -> None:
    """Changes settings of the policy. Handoffs that run keep the policy they started with."""
    from handoff_sync.core.scope import resolve
    from handoff_sync.delivery.configuring.stored import reviewed

    changes = dict(_setting(pair) for pair in settings)
    with opened() as parts:
        row = workspace_of(parts, workspace)
        try:
            policy = resolve(row.policy, changes, {})
        except ValueError as bad:
            raise ConfigurationError(str(bad).splitlines()) from None
        found = reviewed(parts.admin, row, policy)
        if wrong := [str(one) for one in found if not one.warning]:
            raise ConfigurationError(wrong)
        parts.admin.update_workspace(row.id, policy=policy)
    for one in found:
        typer.secho(f"Warning: {one}", fg="yellow", err=True)
    typer.echo(f"Changed: {', '.join(changes)}.")


def _setting(pair: str) -> tuple[str, object]:
    name, equals, value = pair.partition("=")
    if not equals or not name.strip():
        raise typer.BadParameter(f"{pair!r} must look like name=value.")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every workspace."""
    with opened() as parts:
        rows = [
            {
                "id": row.id,
                "name": row.name,
                "mode": row.policy.handover_mode.value,
                "recipients": [one.email for one in row.policy.recipients],
                "connections": [one.name for one in parts.admin.connections(row.id)],
            }
            for row in parts.admin.workspaces()
        ]
    listing(rows, as_json=as_json, empty="No workspace yet. Make one: handoff-sync workspace create NAME")


@app.command()
def key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    workspace: Workspace = None,
    scope: Annotated[list[ScopeName] | None, typer.Option(help="What it may do; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Makes another API key: by default one for the platform (events, gate, sessions:read)."""
    scopes = tuple(one.value for one in scope) if scope else ("events", "gate", "sessions:read")
    with opened() as parts:
        row = workspace_of(parts, workspace)
        made = parts.admin.create_api_key(row.id, name, scopes)
    record({"workspace": row.id, "name": name, "scopes": list(scopes), "api_key": made.key}, as_json=as_json)
    typer.echo("Keep the key: it cannot be shown again.", err=True)
