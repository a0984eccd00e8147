"""`sessions`: who is talking to whom, and why the AI is silent."""

from __future__ import annotations

from typing import Annotated

import typer

from handoff_sync.commands.opened import Workspace, opened, workspace_of
from handoff_sync.commands.output import AsJson, listing, record
from handoff_sync.errors import NotFound

app = typer.Typer(help="Support sessions.", no_args_is_help=True)


@app.command("list")
def list_(
    workspace: Workspace = None,
    status: Annotated[str | None, typer.Option(help="open, resolved or archived.")] = None,
    needs_human: Annotated[bool, typer.Option("--needs-human", help="Only those that wait for or have one.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Sessions, the latest change first."""
    from handoff_sync.store.filters import SessionFilter

    with opened() as parts:
        row = workspace_of(parts, workspace)
        wanted = SessionFilter(status=status, needs_human=True if needs_human else None)
        found = parts.reads.sessions(row.id, wanted, limit=limit).items
    rows = [
        {
            "id": session.id,
            "conversation": session.conversation_id,
            "customer": session.customer.name or session.customer.email or "-",
            "phase": session.phase.value,
            "human": session.assignee.name if session.assignee else None,
            "tickets": [link.remote_id or link.state.value for link in session.links],
        }
        for session in found
    ]
    listing(rows, as_json=as_json, empty="No sessions.")


@app.command()
def show(
    session: Annotated[str, typer.Argument(help="The session's id.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """One session: its state, tickets and history."""
    with opened() as parts:
        row = workspace_of(parts, workspace)
        found = parts.reads.session(row.id, session)
        if found is None:
            raise NotFound(f"No session {session!r} in workspace {row.name}. See `handoff-sync sessions list`.")
        history = parts.reads.timeline(session)
    facts = {
        "id": found.id,
        "conversation": found.conversation_id,
        "phase": found.phase.value,
        "ai_mode": found.ai_mode.value,
        "epoch": found.control_epoch,
        "human": found.assignee.name if found.assignee else None,
        "paused_until": found.paused_until,
        "tickets": [f"{link.connection}:{link.remote_id or '-'} ({link.state})" for link in found.links],
        "labels": list(found.labels),
    }
    lines = [
        {"at": line.at, "rule": line.rule, "by": line.actor_name or line.actor_id, "what": line.text}
        for line in history
    ]
    if as_json:
        record({**facts, "timeline": lines}, as_json=True)
        return
    record(facts, as_json=False)
    typer.echo()
    listing(lines, as_json=False, empty="No history.")
