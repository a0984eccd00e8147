"""`doctor`: is everything as it must be, and what to do where it is not; `openapi`: the API's description."""

from __future__ import annotations

import json
from typing import Any

import typer

from handoff_sync.commands.connect import show_findings
from handoff_sync.commands.opened import opened
from handoff_sync.commands.output import mark
from handoff_sync.core.transcript import clock
from handoff_sync.errors import HandoffError


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command()(openapi)


def doctor() -> None:
    """Checks database, broker, disk, the mail server, and every connection at its helpdesk. Changes nothing."""
    from handoff_sync.health import readiness

    with opened() as parts:
        well = True
        for check in readiness(parts):
            well &= check.health == "ok"
            typer.echo(f"{mark(check.health == 'ok')} {check.name}: {check.detail or 'ok'}")
        well &= _hints(parts.settings)
        for row in parts.admin.workspaces():
            well &= _workspace(parts, row)
        parked = parts.reads.backlog()[1]
        typer.echo(f"{mark(parked == 0)} parked deliveries: {parked}")
        if parked:
            typer.echo("    To do: handoff-sync deliveries list --status parked")
    raise typer.Exit(0 if well and not parked else 1)


def openapi() -> None:
    """Prints the description of the HTTP API (OpenAPI 3.1)."""
    import tempfile
    from pathlib import Path

    from handoff_sync.bootstrap import build
    from handoff_sync.settings import load_settings
    from handoff_sync.web import make_app

    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            data_dir=Path(folder), database_url=f"sqlite:///{folder}/none.db", broker_url="memory://"
        )
        typer.echo(json.dumps(make_app(build(settings), workers=False).openapi(), indent=2, ensure_ascii=False))


def _hints(settings: Any) -> bool:
    """Settings that work and will still surprise."""
    public = settings.public_url.startswith("https://")
    typer.echo(f"{mark(public)} public address: {settings.public_url}")
    if not public:
        typer.echo("    To do: set HANDOFF_PUBLIC_URL to the https:// address that helpdesks reach you by.")
    return _mail(settings) & _templates(settings) and public


def _mail(settings: Any) -> bool:
    """Whether mails go out, as far as it can be known without sending one."""
    from handoff_sync.commands.send_test_email import show
    from handoff_sync.emails.checks import check_mail
    from handoff_sync.emails.transport import make_transport

    transport = make_transport(settings.smtp_url)
    if transport is not None:
        return show(check_mail(transport, settings.mail_from))
    typer.echo(f"{mark(False)} mail: no mail server, mails are parked")
    typer.echo(
        "    To do: set HANDOFF_SMTP_URL and HANDOFF_MAIL_FROM, then try `handoff-sync send-test-email ADDRESS`."
    )
    return False


def _templates(settings: Any) -> bool:
    """Whether the operator's own mail templates can be used; ours stand in for a broken one."""
    from handoff_sync.emails.complaints import complaints

    if settings.mail_templates is None:
        return True
    found = complaints(settings.mail_templates)
    typer.echo(f"{mark(not found)} mail templates: {settings.mail_templates}")
    for complaint in found:
        typer.echo(f"    To do: {complaint}")
    return not found


def _workspace(parts: Any, row: Any) -> bool:
    from handoff_sync.delivery.connecting import checked

    connections = parts.admin.connections(row.id)
    well = bool(connections) and bool(parts.admin.endpoints(row.id))
    if not connections:
        typer.echo(f"{mark(False)} workspace {row.name}: no helpdesk. To do: handoff-sync connect zendesk")
    if not parts.admin.endpoints(row.id):
        typer.echo(f"{mark(False)} workspace {row.name}: no callback. To do: handoff-sync callback add URL")
    for connection in connections:
        typer.echo(f"Connection {connection.name} ({connection.kind}) of workspace {row.name}")
        if connection.failing_since is not None:
            typer.echo(f"{mark(False)} fails since {clock(connection.failing_since)}")
        if connection.stopped_reason:
            well = False
            typer.echo(f"{mark(False)} stopped: {connection.stopped_reason}")
        try:
            well &= show_findings(checked(parts.admin, parts.connections, connection.id))
        except HandoffError as error:
            well = False
            typer.echo(f"{mark(False)} check: {error}")
    return well
