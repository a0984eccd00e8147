"""`helpdesks`: what is installed, what each can do, and what a connection to it needs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from handoff_sync.commands.output import AsJson, listing


def register(app: typer.Typer) -> None:
    app.command()(helpdesks)


def helpdesks(
    helpdesk: Annotated[str | None, typer.Argument(help="One of them, to see its settings and features.")] = None,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The feature table of all, for a README.")] = False,
) -> None:
    """Lists the helpdesks that can be connected, or tells everything about one."""
    from handoff_sync.contract import comparison
    from handoff_sync.contract.registry import connector_class, installed

    if markdown:
        typer.echo(comparison.markdown(installed()), nl=False)
    elif helpdesk is not None:
        _one(connector_class(helpdesk), as_json=as_json)
    else:
        rows = [{"kind": kind, "title": found.title} for kind, found in installed().items()]
        listing(rows, as_json=as_json, empty="None is installed.")


def _one(connector: Any, *, as_json: bool) -> None:
    from handoff_sync.contract.comparison import figures
    from handoff_sync.contract.features import Feature

    settings = _settings(connector.settings_model)
    cannot = connector.capabilities.cannot
    features = [{"feature": f.value, "can": f not in cannot, "why not": cannot.get(f, "")} for f in Feature]
    limits = figures(connector.capabilities, connector.budgets)
    if as_json:
        listing([{"settings": settings, "limits": limits, "features": features}], as_json=True, empty="")
        return
    for title, rows in (
        ("Settings", settings),
        ("Limits", [{"limit": name, "value": value} for name, value in limits.items()]),
        ("Features", features),
    ):
        typer.secho(f"{connector.title}: {title}", bold=True)
        listing(rows, as_json=False, empty="")
        typer.echo()


def _settings(model: Any) -> list[dict[str, Any]]:
    from handoff_sync.delivery.connecting import secret_fields

    sealed = secret_fields(model)
    return [
        {
            "setting": name,
            "default": "(secret)" if name in sealed else "(needed)" if field.is_required() else field.default,
            "meaning": field.description,
        }
        for name, field in model.model_fields.items()
    ]
