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

app = typer.Typer(help="Connect a helpdesk, or give a connection new credentials.", no_args_is_help=True)

Settings = Annotated[list[str] | None, typer.Option("--set", help="Any setting of the connection, as name=value.")]
SecretFile = Annotated[
    str | None, typer.Option(help="File with one secret per line, as name=value; - reads them from the input.")
]
SECRETS = {"client_credentials": "client_secret", "refresh_token": "refresh_token", "api_token": "token"}


@app.callback()
def _group() -> None:
    pass


@app.command()
def zendesk(
    workspace: Workspace = None,
    name: Annotated[str, typer.Option(help="What the connection is called here.")] = "zendesk",
    subdomain: Annotated[str | None, typer.Option(help="acme for https://acme.zendesk.com.")] = None,
    auth: Annotated[str, typer.Option(help="client_credentials, refresh_token or api_token.")] = "client_credentials",
    client_id: Annotated[str | None, typer.Option(help="Of the OAuth client.")] = None,
    email: Annotated[str | None, typer.Option(help="User of the API token, with --auth api_token.")] = None,
    set_: Settings = None,
    secret_file: SecretFile = None,
) -> None:
    """Asks for what is missing, checks it, installs the webhook, stores the connection.

    Secrets come from a prompt, --secret-file, or variables such as ZENDESK_CLIENT_SECRET; never from options.
    """
    given: dict[str, Any] = {"auth": auth, **_given("zendesk", set_, secret_file)}
    given |= {
        key: value for key, value in (("subdomain", subdomain), ("client_id", client_id), ("email", email)) if value
    }
    _ask(given, "subdomain", "Subdomain (acme for https://acme.zendesk.com)")
    user = "email" if given["auth"] == "api_token" else "client_id"
    _ask(given, user, "E-mail of the token's user" if user == "email" else "Id of the OAuth client")
    secret = SECRETS.get(str(given["auth"]), "client_secret")
    _ask(given, secret, f"{secret.replace('_', ' ').capitalize()} (not shown)", hide=True)
    _connect("zendesk", workspace, name, given)


@app.command()
def gorgias(
    workspace: Workspace = None,
    name: Annotated[str, typer.Option(help="What the connection is called here.")] = "gorgias",
    set_: Settings = None,
    secret_file: SecretFile = None,
) -> None:
    """Checks a Gorgias account, installs its integration, stores the connection.

    Settings by --set, for example domain=acme and email=you@example.com; the key as GORGIAS_API_KEY or --secret-file.
    """
    _connect("gorgias", workspace, name, _given("gorgias", set_, secret_file))


@app.command()
def intercom(
    workspace: Workspace = None,
    name: Annotated[str, typer.Option(help="What the connection is called here.")] = "intercom",
    set_: Settings = None,
    secret_file: SecretFile = None,
) -> None:
    """Checks an Intercom workspace, stores the connection, and says where its webhook must be set.

    The token as INTERCOM_ACCESS_TOKEN, the app's secret as INTERCOM_CLIENT_SECRET, or both in --secret-file.
    """
    _connect("intercom", workspace, name, _given("intercom", set_, secret_file))


def _given(kind: str, pairs: list[str] | None, secret_file: str | None) -> dict[str, Any]:
    return {**_pairs(pairs or (), "--set"), **_secrets(kind, secret_file)}


def _connect(kind: str, workspace: str | None, name: str, given: Mapping[str, Any]) -> None:
    from handoff_sync.delivery.connecting import set_up

    with opened() as parts:
        row = workspace_of(parts, workspace)
        hooks = f"{parts.settings.public_url}/hooks"
        done = set_up(parts.admin, parts.connections, row.id, kind, name, given, hooks)
    show_findings(done.findings)
    if done.connection is None or not all(finding.ok for finding in done.findings if finding.name == "credentials"):
        typer.echo("Nothing was connected.", err=True)
        raise typer.Exit(1)
    typer.echo(f"Connected: {name} ({done.connection.id}) in workspace {row.name}.")


def show_findings(findings: Sequence[Any]) -> bool:
    """Prints each finding with what to do; returns whether all are well."""
    for finding in findings:
        typer.echo(f"{mark(finding.ok)} {finding.name}: {finding.detail}")
        if finding.todo:
            typer.echo(f"    To do: {finding.todo}")
    return all(finding.ok for finding in findings)


def _ask(given: dict[str, Any], field: str, question: str, *, hide: bool = False) -> None:
    if given.get(field):
        return
    if not sys.stdin.isatty():
        raise ConfigurationError([f"{field}: is missing. Give it (see `handoff-sync connect zendesk --help`)."])
    given[field] = typer.prompt(question, hide_input=hide)


def _secrets(kind: str, secret_file: str | None) -> dict[str, str]:
    """From variables, then from the file, which wins."""
    from handoff_sync.contract.registry import connector_class
    from handoff_sync.delivery.connecting import secret_fields

    names = secret_fields(connector_class(kind).settings_model)
    found = {name: os.environ[f"{kind}_{name}".upper()] for name in names if os.environ.get(f"{kind}_{name}".upper())}
    if secret_file is None:
        return found
    try:
        text = sys.stdin.read() if secret_file == "-" else Path(secret_file).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError([f"--secret-file: {secret_file} cannot be read: {error.strerror}."]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"--secret-file: {secret_file} is not a text file."]) from None
    return found | _pairs([line for line in text.splitlines() if line.strip()], "--secret-file")


def _pairs(lines: Sequence[str], option: str) -> dict[str, str]:
    pairs = {}
    for at, line in enumerate(lines, start=1):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise ConfigurationError([f"{option}: entry {at} must look like name=value."])  # its text may be a secret
        pairs[name.strip()] = value.strip()
    return pairs
