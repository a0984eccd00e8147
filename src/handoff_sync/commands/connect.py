"""`connect`: give the service access to a helpdesk, and see that it works."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from handoff_sync.commands.opened import Workspace, opened, workspace_of
from handoff_sync.commands.output import mark
from handoff_sync.errors import ConfigurationError


def register(app: typer.Typer) -> None:
    app.command()(connect)


def connect(
    helpdesk: Annotated[str, typer.Argument(help="Kind of helpdesk; `handoff-sync helpdesks` lists them.")],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="See `handoff-sync helpdesks KIND`.")
    ] = None,
    workspace: Workspace = None,
    name: Annotated[str | None, typer.Option(help="What the connection is called here; else as the helpdesk.")] = None,
    secret_file: Annotated[
        str | None, typer.Option(help="File with one secret per line, as name=value; - reads them from the input.")
    ] = None,
) -> None:
    """Asks for what is missing, checks it, installs the webhook, stores the connection; again: gives it new settings.

    For example: handoff-sync connect zendesk subdomain=acme client_id=handoff_sync. Secrets come from a prompt,
    --secret-file, or variables such as ZENDESK_CLIENT_SECRET; never from arguments, which others on a machine can see.
    """
    model = _settings_of(helpdesk)
    shown = _pairs(settings or (), "settings")
    _must_not_show(model, shown)
    given: dict[str, Any] = {**shown, **_secrets(helpdesk, model, secret_file)}
    with opened() as parts:
        row = workspace_of(parts, workspace)
        called = name or helpdesk
        if parts.admin.connection_by_name(row.id, called) is None:
            _ask(model, given)
        done = _set_up(parts, row.id, helpdesk, called, given)
    show_findings(done.findings)
    if done.connection is None or not all(finding.ok for finding in done.findings if finding.name == "credentials"):
        typer.echo("Nothing was connected.", err=True)
        raise typer.Exit(1)
    typer.echo(f"Connected: {called} ({done.connection.id}) in workspace {row.name}.")


def show_findings(findings: Sequence[Any], *, err: bool = False) -> bool:
    """Prints each finding with what to do; returns whether all are well."""
    for finding in findings:
        typer.echo(f"{mark(finding.ok)} {finding.name}: {finding.detail}", err=err)
        if finding.todo:
            typer.echo(f"    To do: {finding.todo}", err=err)
    return all(finding.ok for finding in findings)


def _set_up(parts: Any, workspace_id: str, kind: str, name: str, given: Mapping[str, Any]) -> Any:
    from handoff_sync.delivery.connecting import set_up

    hooks = f"{parts.settings.public_url}/hooks"
    return set_up(parts.admin, parts.connections, workspace_id, kind, name, given, hooks)


def _settings_of(kind: str) -> Any:
    from handoff_sync.contract.registry import connector_class

    return connector_class(kind).settings_model


def _ask(model: Any, given: dict[str, Any]) -> None:
    """Asks a person for what this way to sign in needs. Where nobody can be asked, names all of it."""
    way = str(given.get("auth") or next(iter(model.asked), ""))
    missing = {name: model.model_fields[name] for name in model.asked.get(way, ()) if not given.get(name)}
    if sys.stdin.isatty():
        for name, field in missing.items():
            known = None if field.is_required() or field.default is None else str(field.default)
            question = f"{name} ({field.description.rstrip('.')})"
            given[name] = typer.prompt(question, default=known, hide_input=name in _sealed(model))
    elif needed := [name for name, field in missing.items() if field.is_required() or field.default is None]:
        raise ConfigurationError([f"{name}: is missing. {missing[name].description}" for name in needed])


def _must_not_show(model: Any, shown: Mapping[str, str]) -> None:
    """A secret among the arguments stands in the shell's history by now."""
    if secrets := sorted(set(shown) & _sealed(model)):
        raise ConfigurationError(
            [f"{name}: is a secret. Give it by prompt, --secret-file or variable, and replace it." for name in secrets]
        )


def _sealed(model: Any) -> frozenset[str]:
    from handoff_sync.delivery.connecting import secret_fields

    return secret_fields(model)


def _secrets(kind: str, model: Any, secret_file: str | None) -> dict[str, str]:
    """From variables, then from the file, which wins."""
    names = {name: os.environ.get(f"{kind}_{name}".upper()) for name in _sealed(model)}
    found = {name: value for name, value in names.items() if value}
    if secret_file is None:
        return found
    try:
        text = sys.stdin.read() if secret_file == "-" else Path(secret_file).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError([f"--secret-file: {secret_file} cannot be read: {error.strerror}."]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"--secret-file: {secret_file} is not a text file."]) from None
    return found | _pairs([line for line in text.splitlines() if line.strip()], "--secret-file")


def _pairs(lines: Sequence[str], place: str) -> dict[str, str]:
    pairs = {}
    for at, line in enumerate(lines, start=1):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise ConfigurationError([f"{place}: entry {at} must look like name=value."])  # its text may be a secret
        pairs[name.strip()] = value.strip()
    return pairs
