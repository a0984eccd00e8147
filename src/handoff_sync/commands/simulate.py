"""`simulate`: a helpdesk to play with, without an account."""

from __future__ import annotations

from typing import Annotated

import typer

from handoff_sync.errors import HandoffError


def register(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    helpdesk: Annotated[str, typer.Argument(help="Kind of helpdesk; `handoff-sync helpdesks` lists them.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8010,
) -> None:
    """A simulated helpdesk until Ctrl-C: the API for a connection, and a page to play the agent."""
    from handoff_sync.simulator.desk import simulated

    desk = simulated(helpdesk, port=port)
    try:
        desk.start()
    except OSError as error:
        raise HandoffError(f"Port {port} cannot be used: {error.strerror}. Try --port 0.") from None
    typer.echo(f"Agent page: {desk.agent_url}\nConnect it in another terminal:\n")
    settings = " ".join(f"{name}={value}" for name, value in desk.access.settings.items())
    secrets = " ".join(f"{name}={value}" for name, value in desk.access.secrets.items())  # good for this desk only
    typer.echo(
        f"  printf '%s\\n' {secrets} | handoff-sync connect {helpdesk} {settings} --secret-file -\n\nCtrl-C ends it."
    )
    try:
        desk.wait()
    except KeyboardInterrupt:
        typer.echo()
    finally:
        desk.stop()
