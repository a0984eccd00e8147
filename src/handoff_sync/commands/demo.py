"""`demo`: see the whole thing work, without any account."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class OnSolved(StrEnum):
    """What a solved ticket means in the demo."""

    RESOLVE = "resolve"
    RETURN_TO_AI = "return_to_ai"


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play recorded dialogues, check every step, and end.")] = False,
    dialogues: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="JSON Lines file with the dialogues for --once."),
    ] = None,
    on_solved: Annotated[OnSolved, typer.Option(help="What a solved ticket does to the session.")] = OnSolved.RESOLVE,
    helpdesk: Annotated[str, typer.Option(help="Simulated helpdesk: zendesk, gorgias or intercom.")] = "zendesk",
    broker: Annotated[str | None, typer.Option(help="For example redis://127.0.0.1:6379/0.")] = None,
    database: Annotated[str | None, typer.Option(help="For example postgresql://... (an empty database).")] = None,
) -> None:
    """Starts service, simulated helpdesk and a chat page with a scripted AI on free ports, in a temporary folder."""
    from handoff_sync.core.policy import Outcome
    from handoff_sync.demo import DemoOptions, play_live, play_once
    from handoff_sync.simulator.narrator import Narrator

    if dialogues is not None and not once:
        raise typer.BadParameter("--dialogues needs --once")
    if once and dialogues is None:
        raise typer.BadParameter("--once needs --dialogues FILE, for example examples/dialogues.jsonl")
    options = DemoOptions(helpdesk=helpdesk, broker_url=broker, database_url=database, on_solved=Outcome(on_solved))
    narrator = Narrator()
    raise typer.Exit(play_once(options, dialogues, narrator) if dialogues else play_live(options, narrator))
