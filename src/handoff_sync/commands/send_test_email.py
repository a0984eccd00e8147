"""`send-test-email`: does mail arrive, and if not, at which step it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from handoff_sync.commands.output import mark
from handoff_sync.errors import ConfigurationError, HandoffError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import EmailMessage

    from handoff_sync.emails.checks import MailFinding
    from handoff_sync.emails.transport import Transport
    from handoff_sync.settings import Settings


def register(app: typer.Typer) -> None:
    app.command("send-test-email")(send_test_email)


def send_test_email(
    address: Annotated[str, typer.Argument(help="Who shall get the mail.")],
    lang: Annotated[str, typer.Option("--lang", help="Language, such as pt.")] = "en",
) -> None:
    """Sends a mail now, from the settings alone, and tells each step and what to do where it ends."""
    from handoff_sync.emails.checks import check_mail
    from handoff_sync.emails.transport import make_transport
    from handoff_sync.settings import load_settings

    settings = load_settings()
    transport = make_transport(settings.smtp_url)
    if transport is None:
        raise ConfigurationError(["HANDOFF_SMTP_URL: is missing. Example: smtp://user:password@mail.example.com:587"])
    typer.echo(f"{mark(True)} settings: from {settings.mail_from}")
    message = _message(settings, transport, address, lang)
    findings = check_mail(transport, settings.mail_from)
    show(findings)
    if findings[0].ok is False:
        raise typer.Exit(1)
    _send(transport, message, address)


def show(findings: Iterable[MailFinding]) -> bool:
    """Prints each finding with what to do; whether nothing is wrong."""
    well = True
    for finding in findings:
        well &= finding.ok is not False
        sign = "-" if finding.ok is None else mark(finding.ok)
        typer.echo(f"{sign} {finding.name}: {finding.detail}")
        if finding.todo:
            typer.echo(f"    To do: {finding.todo}")
    return well


def _message(settings: Settings, transport: Transport, address: str, language: str) -> EmailMessage:
    from datetime import UTC, datetime

    from handoff_sync.core.transcript import clock
    from handoff_sync.emails.letters import Test
    from handoff_sync.emails.message import Envelope, build_message
    from handoff_sync.emails.render import render

    now = datetime.now(UTC)
    letter = Test(sent_at=clock(now), server=str(getattr(transport, "host", "")))
    envelope = Envelope(key=f"test:{time.time_ns()}", sender=settings.mail_from, recipient=address)
    return build_message(render(letter, language, settings.mail_templates), envelope, now)


def _send(transport: Transport, message: EmailMessage, address: str) -> None:
    from handoff_sync.emails.checks import remedy

    try:
        transport.send(message)
    except HandoffError as error:
        typer.echo(f"{mark(False)} mail: {error}")
        typer.echo(f"    To do: {remedy(error)}")
        raise typer.Exit(1) from None
    typer.echo(f"{mark(True)} mail: taken for {address}, Message-ID {message['Message-ID']}")
    typer.echo("Look into the mailbox, and into its spam folder.")
