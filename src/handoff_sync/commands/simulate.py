"""`simulate`: a helpdesk to play with, without an account."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Simulated helpdesks with an agent page.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command()
def zendesk(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8010,
) -> None:
    """A simulated Zendesk until Ctrl-C: the API for a connection, and a page to play the agent."""
    from handoff_sync.simulator.desk import simulated

    desk = simulated("zendesk", port=port)
    desk.start()
    typer.echo(f"Agent page: {desk.agent_url}\nConnect it in another terminal:\n")
    options = " ".join(f"--set {name}={value}" for name, value in desk.access.settings.items())
    secrets = " ".join(f"{name}={value}" for name, value in desk.access.secrets.items())  # good for this desk only
    typer.echo(
        f"  printf '%s\\n' {secrets} | handoff-sync connect zendesk {options} --secret-file -\n\nCtrl-C ends it."
    )
    try:
        desk.wait()
    except KeyboardInterrupt:
        typer.echo()
    finally:
        desk.stop()
