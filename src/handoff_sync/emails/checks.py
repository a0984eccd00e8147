"""Does mail go out: the mail server's greeting, and what the DNS says of the sender's domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from handoff_sync.emails.message import sender_of
from handoff_sync.emails.transport import MailServerDown, SmtpTransport, Transport
from handoff_sync.errors import HandoffError, OutcomeUnknown, VendorAuthError, VendorDown

LOOKUP_S: Final = 5.0

Lookup = Callable[[str], Sequence[str] | None]
"""The TXT records of a name; empty where it has none, None where the DNS does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFinding:
    """One line of a check. `ok` None: it could not be checked. `todo`: what a person must do."""

    name: str
    ok: bool | None
    detail: str
    todo: str = ""


def check_mail(transport: Transport, sender: str, lookup: Lookup | None = None) -> tuple[MailFinding, ...]:
    """Logs in and looks up, and sends nothing. Where mails become files there is nothing to check."""
    if not isinstance(transport, SmtpTransport):
        return (MailFinding(name="mail", ok=True, detail="mails are written as files and not sent"),)
    domain = sender_of(sender)[1].rpartition("@")[2].lower()
    return (check_server(transport), *check_domain(domain, lookup or txt_records))


def check_server(transport: SmtpTransport) -> MailFinding:
    """Connection, encryption and login."""
    place = f"{transport.host}:{transport.port}"
    try:
        protected = transport.greet()
    except HandoffError as error:
        return MailFinding(name="mail server", ok=False, detail=str(error), todo=remedy(error))
    login = "logged in" if transport.user else "no login"
    return MailFinding(name="mail server", ok=True, detail=f"{place}, {protected}, {login}")


def remedy(error: HandoffError) -> str:
    """What to do about a mail that did not go out."""
    match error:
        case VendorAuthError():
            return "Correct user and password in HANDOFF_SMTP_URL; write special characters as %40 and the like."
        case MailServerDown():
            return "Check host and port in HANDOFF_SMTP_URL, the certificate, and that a firewall lets us through."
        case OutcomeUnknown():
            return "It may have gone out: look into the mailbox before you try again."
        case VendorDown():
            return "Try again in a few minutes; a new sender is often made to wait."
        case _:
            return "Ask the mail provider whether HANDOFF_MAIL_FROM may send to this address."


def check_domain(domain: str, lookup: Lookup) -> tuple[MailFinding, ...]:
    """SPF and DMARC of the sender's domain: without them providers put mail aside. Never fails without a network."""
    spf = _record(lookup(domain), "v=spf1")
    dmarc = _record(lookup(f"_dmarc.{domain}"), "v=dmarc1")
    above = domain.partition(".")[2]
    if dmarc == "" and "." in above:
        dmarc = _record(lookup(f"_dmarc.{above}"), "v=dmarc1")  # the policy of the whole organisation
    return (
        _found("SPF", domain, spf, "Publish the TXT record that your mail provider names."),
        _found("DMARC", f"_dmarc.{domain}", dmarc, 'Publish a TXT record there, to begin with "v=DMARC1; p=none".'),
    )


def txt_records(name: str) -> Sequence[str] | None:
    """As `Lookup`, asked at the DNS of this machine."""
    try:
        from dns.exception import DNSException
        from dns.resolver import NXDOMAIN, NoAnswer, resolve
    except ImportError:
        return None
    try:
        answer = resolve(name, "TXT", lifetime=LOOKUP_S, search=False)
    except (NXDOMAIN, NoAnswer):
        return ()
    except (DNSException, OSError, ValueError):
        return None
    return tuple(b"".join(record.strings).decode("utf-8", "replace") for record in answer)


def _record(texts: Sequence[str] | None, start: str) -> str | None:
    """The record that begins so; empty where there is none, None where it is not known."""
    if texts is None:
        return None
    return next((text for text in texts if text.strip().lower().startswith(start)), "")


def _found(what: str, place: str, record: str | None, todo: str) -> MailFinding:
    if record is None:
        return MailFinding(name=what, ok=None, detail=f"not checked: the DNS does not answer for {place}")
    if not record:
        return MailFinding(name=what, ok=False, detail=f"{place} has none", todo=todo)
    return MailFinding(name=what, ok=True, detail=f"{place} has one")
