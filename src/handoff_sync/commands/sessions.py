"""`sessions`: who is talking to whom, and why the AI is silent."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from handoff_sync.commands.opened import Workspace, opened, workspace_of
from handoff_sync.commands.output import AsJson, listing, record
from handoff_sync.errors import NotFound, Refused

if TYPE_CHECKING:
    from handoff_sync.bootstrap import App
    from handoff_sync.core.model import Actor

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


class Choice(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    UNDO = "undo"


@app.command()
def decide(
    session: Annotated[str, typer.Argument(help="The session's id.")],
    choice: Annotated[Choice, typer.Argument(help="Hand it to people, let the AI go on, or take that back.")],
    who: Annotated[str | None, typer.Option("--as", metavar="EMAIL", help="The member who decides.")] = None,
    workspace: Workspace = None,
) -> None:
    """Answers whether people should take over. The first decision counts; its decider can undo it for 30 seconds."""
    from datetime import UTC, datetime

    from handoff_sync.core.effects import Verdict
    from handoff_sync.core.events import DecisionAccepted, DecisionDeclined, DecisionUndone
    from handoff_sync.service.apply import on_session
    from handoff_sync.store.ids import new_id

    event, said = {
        Choice.ACCEPT: (DecisionAccepted, "Accepted: people take over."),
        Choice.DECLINE: (DecisionDeclined, "Declined: the AI goes on."),
        Choice.UNDO: (DecisionUndone, "Undone: the question is open again."),
    }[choice]
    with opened() as parts:
        row = workspace_of(parts, workspace)
        actor = _decider(parts, row.id, who)
        made = event(id=new_id("act"), at=datetime.now(UTC), actor=actor)
        done = parts.committer.run(on_session(row.id, session, made))
    if done.verdict is Verdict.REFUSED:
        raise Refused(done.code, done.detail)
    typer.echo(said)


def _decider(parts: App, workspace_id: str, who: str | None) -> Actor:
    """The member who decides; where a workspace keeps no members, whoever is named, or the operator."""
    from handoff_sync.core.model import Actor, ActorKind
    from handoff_sync.store.rows import Role

    member = parts.admin.member_named(workspace_id, who) if who is not None else None
    if member is None and parts.admin.has_members(workspace_id):
        there = ", ".join(one.email for one in parts.admin.members(workspace_id) if one.role is not Role.AGENT)
        raise Refused("unknown_member", f"Say with --as which member decides: {there}.")
    if member is None:
        name = who or "operator"
        return Actor(kind=ActorKind.MEMBER, id=name, name=name, email=who or "", via="cli")
    if member.role is Role.AGENT:
        raise Refused("role_forbidden", f"{member.email} is an agent; owners and admins decide.")
    name = member.name or member.email
    return Actor(kind=ActorKind.MEMBER, id=member.id, name=name, email=member.email, via="cli")
