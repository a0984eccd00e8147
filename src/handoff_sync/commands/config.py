"""`config show`: every setting as this process sees it."""

from __future__ import annotations

from typing import Annotated

import typer

from handoff_sync.commands.output import AsJson, listing, record

app = typer.Typer(help="Settings of this installation.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command("show")
def show(
    describe: Annotated[bool, typer.Option("--describe", help="Also say what each setting means.")] = False,
    as_json: AsJson = False,
) -> None:
    """Every setting with its value; keys and passwords as stars."""
    from handoff_sync.settings import PREFIX, Settings, load_settings

    values = load_settings().shown()
    if not describe:
        record({f"{PREFIX}{name.upper()}": value for name, value in values.items()}, as_json=as_json)
        return
    rows = [
        {"setting": f"{PREFIX}{name.upper()}", "value": value, "meaning": Settings.model_fields[name].description}
        for name, value in values.items()
    ]
    listing(rows, as_json=as_json, empty="")
