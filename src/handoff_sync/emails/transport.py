"""Sending one message to one recipient. What it raises tells whether the message may have gone out."""

from __future__ import annotations

import os
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol
from urllib.parse import unquote, urlsplit

from handoff_sync.emails.headers import POLICY
from handoff_sync.errors import ConfigurationError, OutcomeUnknown, VendorAuthError, VendorDown, VendorRejected

COMMAND_TIMEOUT_S: Final = 15.0
ANSWER_TIMEOUT_S: Final = 300.0
"""How long a mail server may think about a whole message; giving up sooner makes duplicates."""
TOTAL_S: Final = 345.0
"""Less than the lease of the mail lane."""

_LOGIN_WANTED: Final = 530
_PORTS: Final = {"smtp": 587, "smtps": 465}
_BROKEN: Final = (OSError, smtplib.SMTPException)
"""What smtplib raises when the other side is gone, talks nonsense or refuses."""


class MailServerDown(VendorDown):
    """The server takes no mail at all now: this says nothing about the one that was to be sent."""


class Transport(Protocol):
    """A way to send mail. Safe to share between threads; blocks up to six minutes."""

    def send(self, message: EmailMessage) -> None:
        """Sends to the one address in To.

        Raises:
            MailServerDown: Nothing was sent; it failed before anything was said about this mail.
            VendorDown: Not sent; try later (4xx, a session that broke off).
            VendorRejected: Not sent, and this message to this recipient never will be (5xx).
            VendorAuthError: The server refused our login, or offers no TLS for it.
            OutcomeUnknown: The message was handed over, but no answer came. It may have gone out.
        """
        ...


def make_transport(url: str | None, tls: ssl.SSLContext | None = None) -> Transport | None:
    """The transport for `smtp://user:password@host:port`, `smtps://...` or `capture:<folder>`; None without mail.

    Args:
        tls: Replaces the usual trusted authorities.

    Raises:
        ConfigurationError: The address is none of these.
    """
    if not url:
        return None
    if url.startswith("capture:"):
        return CaptureTransport(Path(url.removeprefix("capture:")))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _PORTS:
        # The address itself is not shown: it may hold a password.
        raise ConfigurationError(["smtp_url must look like smtp://user:password@mail.example.com:587 or smtps://..."])
    return SmtpTransport(
        host=host,
        port=port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        wrapped=parts.scheme == "smtps",
        tls=tls or ssl.create_default_context(),
    )


class _Ending(smtplib.SMTP):
    """Ends after `total_s`: a server may talk for ever without making us wait too long for any one line."""

    def __init__(self, total_s: float, *place: Any, **options: Any) -> None:
        self._end = threading.Timer(total_s, self._cut)
        self._end.daemon = True
        self._end.start()
        try:
            super().__init__(*place, **options)
        except BaseException:
            self._end.cancel()
            raise

    def close(self) -> None:
        self._end.cancel()
        super().close()

    def _cut(self) -> None:
        if (sock := self.sock) is not None:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not the TLS layer's: another thread reads it


class _Session(_Ending):
    """Begins in the clear."""


class _WrappedSession(_Ending, smtplib.SMTP_SSL):
    """Begins with TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpTransport:
    """One connection per message. `wrapped`: TLS from the start; else STARTTLS wherever the server offers it.

    A password never travels in the clear, except to this very machine.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    wrapped: bool = False
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    command_timeout_s: float = COMMAND_TIMEOUT_S
    answer_timeout_s: float = ANSWER_TIMEOUT_S
    total_s: float = TOTAL_S

    def send(self, message: EmailMessage) -> None:
        content = _dot_stuffed(message.as_bytes(policy=POLICY))
        ends_at = time.monotonic() + self.total_s
        with self._session() as smtp:
            try:
                _expect(smtp.mail(_only_address(message, "From")), 250, "the sender")
                _expect(smtp.rcpt(_only_address(message, "To")), 250, "the recipient")
                _expect(smtp.docmd("DATA"), 354, "the message")
            except _BROKEN as error:
                raise VendorDown(f"The mail server {self.host} broke off ({type(error).__name__}).") from error
            self._hand_over(smtp, content, ends_at)

    def greet(self) -> str:
        """Connects and logs in as for a mail, sends none, and tells how the connection is protected.

        Raises:
            MailServerDown, VendorAuthError: As `send`.
        """
        with self._session() as smtp:
            version = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else None
            with suppress(*_BROKEN):
                smtp.quit()
            return version or "not encrypted"

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """A greeted, encrypted, logged-in session."""
        try:
            smtp = self._connect()
        except ssl.SSLCertVerificationError as error:
            raise MailServerDown(self._not_trusted(error)) from error
        except _BROKEN as error:
            raise MailServerDown(f"No connection to the mail server {self.host} ({_cause(error)}).") from error
        try:
            self._log_in(smtp)
            yield smtp
        finally:
            with suppress(*_BROKEN):
                smtp.close()

    def _connect(self) -> smtplib.SMTP:
        name, timeout = _own_name(), self.command_timeout_s
        if self.wrapped:
            return _WrappedSession(
                self.total_s, self.host, self.port, local_hostname=name, timeout=timeout, context=self.tls
            )
        return _Session(self.total_s, self.host, self.port, local_hostname=name, timeout=timeout)

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        try:
            self._introduce(smtp)
        except ssl.SSLCertVerificationError as error:
            raise MailServerDown(self._not_trusted(error)) from error
        except _BROKEN as error:
            raise MailServerDown(f"The mail server {self.host} took no session ({_cause(error)}).") from error

    def _introduce(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo_or_helo_if_needed()
        if not self.wrapped and smtp.has_extn("starttls"):
            smtp.starttls(context=self.tls)
            smtp.ehlo()
        elif not self.wrapped and self.user and not _is_this_machine(self.host):
            raise VendorAuthError(
                f"The mail server {self.host} offers no STARTTLS, so no password is sent. Use smtps://."
            )
        if self.user:
            try:
                smtp.login(self.user, self.password)
            except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
                if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code < 500:
                    raise
                raise VendorAuthError(f"The mail server {self.host} refused our login. Check smtp_url.") from error

    def _not_trusted(self, error: ssl.SSLCertVerificationError) -> str:
        return f"The certificate of the mail server {self.host} is not trusted ({error.verify_message})."

    def _hand_over(self, smtp: smtplib.SMTP, content: bytes, ends_at: float) -> None:
        """From the first byte on only an answer tells what became of the message."""
        assert smtp.sock is not None
        smtp.sock.settimeout(max(1.0, min(self.answer_timeout_s, ends_at - time.monotonic())))
        try:
            smtp.send(content)
            answer = smtp.getreply()
        except _BROKEN as error:
            raise OutcomeUnknown(f"The mail server {self.host} took the message, but gave no answer.") from error
        if not 200 <= answer[0] < 600:
            raise OutcomeUnknown(f"The mail server {self.host} took the message and answered {answer[0]}.")
        _expect(answer, 250, "the message")
        with suppress(*_BROKEN):
            smtp.sock.settimeout(self.command_timeout_s)
            smtp.quit()


@dataclass(frozen=True, slots=True)
class CaptureTransport:
    """Writes every message as an .eml file, oldest first by name: for demos and trials."""

    folder: Path

    def send(self, message: EmailMessage) -> None:
        name = f"{time.time_ns():020d}-{os.urandom(4).hex()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = self.folder / f".{name}"
            unfinished.write_bytes(message.as_bytes(policy=POLICY))
            unfinished.replace(self.folder / f"{name}.eml")
        except OSError as error:
            raise MailServerDown(
                f"The mail folder {self.folder} cannot be written ({type(error).__name__})."
            ) from error


def _expect(answer: tuple[int, bytes], code: int, what: str) -> None:
    if answer[0] // 10 != code // 10:
        _refused(answer[0], what, None)


def _refused(code: int, what: str, cause: Exception | None) -> NoReturn:
    """The server's own words stay out: they may repeat an address or a subject."""
    if code == _LOGIN_WANTED:
        raise VendorAuthError("The mail server wants a login (530). Put user and password into smtp_url.") from cause
    if 500 <= code < 600:
        raise VendorRejected(f"The mail server refused {what} ({code}).") from cause
    raise VendorDown(f"The mail server did not take {what} now ({code}).") from cause


def _cause(error: Exception) -> str:
    """A code or the kind of error; the server's own words may repeat an address."""
    return str(error.smtp_code) if isinstance(error, smtplib.SMTPResponseException) else type(error).__name__


def _only_address(message: EmailMessage, header: str) -> str:
    (address,) = message[header].addresses
    return str(address.addr_spec)


def _dot_stuffed(content: bytes) -> bytes:
    lines = re.sub(rb"(?m)^\.", b"..", content)
    return lines + (b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n")


def _own_name() -> str:
    """For the greeting; smtplib's own way may wait for the DNS at every mail."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
