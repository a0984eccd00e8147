"""`callback`: where a platform hears of what happens."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

import typer

from handoff_sync.commands.opened import Workspace, opened, workspace_of
from handoff_sync.commands.output import AsJson, listing, record

app = typer.Typer(help="Callback endpoints of a platform.", no_args_is_help=True)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="https://...")], workspace: Workspace = None, as_json: AsJson = False
) -> None:
    """Adds an endpoint; the secret that signs its callbacks is shown this once."""
    parts_of_url = urlsplit(url)
    if parts_of_url.scheme not in ("https", "http") or not parts_of_url.hostname:
        raise typer.BadParameter("The address must start with https://")
    with opened() as parts:
        if parts_of_url.scheme == "http" and not parts.settings.private_destinations:
            raise typer.BadParameter("Only https:// reaches the internet; http:// needs HANDOFF_PRIVATE_DESTINATIONS.")
        row = workspace_of(parts, workspace)
        endpoint, secret = parts.admin.create_endpoint(row.id, url)
    record({"endpoint": endpoint.id, "url": url, "secret": secret}, as_json=as_json)
    typer.echo("Keep the secret: it cannot be shown again. It signs as Standard Webhooks say.", err=True)


@app.command("list")
def list_(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Every endpoint, and which ones are failing."""
    with opened() as parts:
        rows = [
            {
                "id": one.id,
                "url": one.url,
                "enabled": one.enabled,
                "failing_since": one.failing_since,
                "why": one.disabled_reason,
            }
            for one in parts.admin.endpoints(workspace_of(parts, workspace).id)
        ]
    listing(
        rows, as_json=as_json, empty="No endpoint: the platform hears nothing. Add one: handoff-sync callback add URL"
    )
