"""`config`: every setting as this process sees it, and what it means."""

from __future__ import annotations

import typer

from handoff_sync.commands.output import AsJson, record

app = typer.Typer(help="Settings of this installation.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command("show")
def show(
    as_json: AsJson = False,
) -> None:
    """Every setting with its value; keys and passwords as stars."""
    from handoff_sync.settings import PREFIX, load_settings

    values = load_settings().shown()
    record({f"{PREFIX}{name.upper()}": value for name, value in values.items()}, as_json=as_json)


@app.command("table")
def table() -> None:
    """What every setting means, as a Markdown table (docs/operators.md holds it)."""
    from handoff_sync.settings import PREFIX, Settings

    typer.echo("| setting | default | meaning |\n|---|---|---|")
    for name, field in Settings.model_fields.items():
        plain = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        default = "" if plain in ("", None) else f"`{plain}`"
        example = f" Example: `{field.examples[0]}`" if field.examples else ""
        typer.echo(f"| `{PREFIX}{name.upper()}` | {default} | {field.description}{example} |")
