"""`deliveries`: what is on its way to a helpdesk, the platform or a mailbox, and what is parked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from handoff_sync.commands.opened import Workspace, opened, workspace_of
from handoff_sync.commands.output import AsJson, listing, record
from handoff_sync.errors import NotFound, Refused

if TYPE_CHECKING:
    from handoff_sync.store.rows import DeliveryRow

app = typer.Typer(help="Work for helpdesks, platform and mail.", no_args_is_help=True)
Id = Annotated[int, typer.Argument(help="The delivery's number.")]


@app.command("list")
def list_(
    workspace: Workspace = None,
    status: Annotated[str | None, typer.Option(help="pending, done, parked or cancelled.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Deliveries, newest first. `--status parked` shows what needs a person."""
    with opened() as parts:
        found = parts.reads.deliveries(workspace_of(parts, workspace).id, status, limit=limit).items
    listing([_row(one) for one in found], as_json=as_json, empty="No deliveries.")


@app.command()
def show(delivery: Id, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """One delivery, with the reason if it is parked."""
    with opened() as parts:
        row = workspace_of(parts, workspace)
        found = parts.reads.delivery(row.id, delivery)
    if found is None:
        raise NotFound(f"No delivery {delivery} in workspace {row.name}. See `handoff-sync deliveries list`.")
    record(_row(found) | {"lane": found.lane_id, "result": found.result}, as_json=as_json)


@app.command()
def retry(
    delivery: Annotated[int | None, typer.Argument(help="The delivery's number; without one, all parked.")] = None,
    workspace: Workspace = None,
) -> None:
    """Does parked deliveries again, from the first attempt. What was sent already is not sent twice."""
    from handoff_sync.store.committer import Job

    with opened() as parts:
        row = workspace_of(parts, workspace)
        ids = [delivery] if delivery is not None else _parked(parts, row.id)
        done = parts.committer.run(Job(lambda uow: [one for one in ids if uow.unpark(row.id, one)]))
    if delivery is not None and not done:
        raise Refused("not_parked", f"Delivery {delivery} is not parked in workspace {row.name}.")
    typer.echo(f"{len(done)} to be done again." if done else "Nothing is parked.")


def _parked(parts: Any, workspace_id: str) -> list[int]:
    page = parts.reads.deliveries(workspace_id, "parked", limit=1000)
    return [one.id for one in page.items]


def _row(one: DeliveryRow) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "session": one.session_id,
        "to": one.destination,
        "status": one.status,
        "attempts": one.attempts,
        "created_at": one.created_at,
        "why": one.error,
    }
