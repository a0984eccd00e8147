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


class DemoMode(StrEnum):
    """Who decides about a handoff in the demo."""

    AUTOMATIC = "automatic"
    SEMI_AUTOMATIC = "semi_automatic"


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play recorded dialogues, check every step, and end.")] = False,
    dialogues: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="JSON Lines file with the dialogues for --once."),
    ] = None,
    mode: Annotated[
        DemoMode, typer.Option(help="semi_automatic: the admins are asked by mail, and the AI goes on meanwhile.")
    ] = DemoMode.AUTOMATIC,
    on_solved: Annotated[OnSolved, typer.Option(help="What a solved ticket does to the session.")] = OnSolved.RESOLVE,
    helpdesks: Annotated[
        str, typer.Option(help="Simulated helpdesks, separated by commas; the first one's ticket is the primary one.")
    ] = "zendesk",
    broker: Annotated[str | None, typer.Option(help="For example redis://127.0.0.1:6379/0.")] = None,
    database: Annotated[str | None, typer.Option(help="For example postgresql://... (an empty database).")] = None,
) -> None:
    """Starts service, simulated helpdesks, a chat page with a scripted AI and a mailbox, in a temporary folder."""
    from handoff_sync.core.policy import Mode, Outcome
    from handoff_sync.demo import DemoOptions, play_live, play_once
    from handoff_sync.simulator.narrator import Narrator

    if dialogues is not None and not once:
        raise typer.BadParameter("--dialogues needs --once")
    if once and dialogues is None:
        raise typer.BadParameter("--once needs --dialogues FILE, for example examples/dialogues.jsonl")
    options = DemoOptions(
        helpdesks=chosen(helpdesks),
        broker_url=broker,
        database_url=database,
        on_solved=Outcome(on_solved),
        mode=Mode(mode),
    )
    narrator = Narrator()
    raise typer.Exit(play_once(options, dialogues, narrator) if dialogues else play_live(options, narrator))


def chosen(text: str) -> tuple[str, ...]:
    """The helpdesks named in `text`, in its order; BadParameter names the first mistake and what there is."""
    from handoff_sync.contract.registry import kinds

    names = tuple(name.strip().lower() for name in text.split(","))
    there_are = f"There are: {', '.join(kinds())}."
    if "" in names:
        raise typer.BadParameter(f"--helpdesks needs names, separated by commas. {there_are}")
    if unknown := [name for name in names if name not in kinds()]:
        raise typer.BadParameter(f"--helpdesks: there is no simulated {unknown[0]!r}. {there_are}")
    if twice := [name for name in names if names.count(name) > 1]:
        raise typer.BadParameter(f"--helpdesks names {twice[0]!r} twice; each helpdesk can be there once.")
    return names
