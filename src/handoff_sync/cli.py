"""The command `handoff-sync`. Exit codes: 0 done, 1 failed, 2 usage, 3 not ready, 4 configuration."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from handoff_sync.commands import (
    apply,
    callback,
    config,
    connect,
    deliveries,
    demo,
    doctor,
    helpdesks,
    mail,
    policy,
    send_test_email,
    serve,
    sessions,
    simulate,
    workspace,
)
from handoff_sync.errors import ConfigurationError, HandoffError, NotReady

FAILED: Final = 1
NOT_READY: Final = 3
CONFIGURATION: Final = 4

app = typer.Typer(
    help="Hands customers from an AI chat to people in their helpdesk, and keeps both sides in step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
demo.register(app)
serve.register(app)
doctor.register(app)
helpdesks.register(app)
connect.register(app)
apply.register(app)
simulate.register(app)
send_test_email.register(app)
app.add_typer(workspace.app, name="workspace")
app.add_typer(policy.app, name="policy")
app.add_typer(policy.scenarios, name="scenarios")
app.add_typer(callback.app, name="callback")
app.add_typer(sessions.app, name="sessions")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(mail.app, name="mail")
app.add_typer(config.app, name="config")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("handoff-sync"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Settings come from HANDOFF_* variables, a secrets folder or handoff.toml: see `handoff-sync config show`."""


def main() -> None:
    """Entry point: errors of ours become one clear text and an exit code, never a traceback."""
    try:
        app(prog_name="handoff-sync")
    except HandoffError as error:
        sys.exit(explain(error))


def explain(error: HandoffError) -> int:
    """Tells a person what is wrong and what to do; returns the exit code."""
    match error:
        case ConfigurationError(problems=[problem]):
            typer.secho(f"The settings are not right: {problem}", fg="red", err=True)
        case ConfigurationError(problems=problems):
            typer.secho(f"{len(problems)} settings are not right:", fg="red", err=True)
            for problem in problems:
                typer.echo(f"  - {problem}", err=True)
        case _:
            typer.secho(str(error), fg="red", err=True)
    return {ConfigurationError: CONFIGURATION, NotReady: NOT_READY}.get(type(error), FAILED)
