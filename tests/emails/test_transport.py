"""Sending: real sessions with a mail server that behaves and misbehaves."""

from __future__ import annotations

import email
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from handoff_sync.emails.message import Envelope, build_message
from handoff_sync.emails.render import Rendered
from handoff_sync.emails.transport import CaptureTransport, SmtpTransport, Transport, make_transport
from handoff_sync.errors import ConfigurationError, OutcomeUnknown, VendorAuthError, VendorDown, VendorRejected

HOST = "127.0.0.1"


def message(text: str = "Hello\n.hidden dot\n..\n") -> EmailMessage:
    rendered = Rendered(subject="Customer needs your help", text=text, html="<p>Hello</p>", language="en")
    sent = Envelope(key="k", sender="help@example.com", recipient="bo@example.com", recipient_name="Bo")
    return build_message(rendered, sent, datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


class Mailbox:
    """Takes every mail, unless an answer was scripted for a step: rcpt, mail, data, or `hang_up` after the message."""

    def __init__(self, **script: str) -> None:
        self.script = script
        self.mails: list[bytes] = []
        self.recipients: list[str] = []
        self.refused: set[str] = set()

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return self.script.get("mail", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.rcpt_tos.append(address)
        self.recipients.append(address)
        return self.script.get("rcpt", "550 unknown" if address in self.refused else "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope.original_content)
        if "hang_up" in self.script:
            server.transport.abort()
        return self.script.get("data", "250 OK")


@contextmanager
def running(mailbox: Mailbox, **options: Any) -> Iterator[SmtpTransport]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname=HOST, port=port, **options)
    controller.start()
    try:
        yield SmtpTransport(host=HOST, port=port, command_timeout_s=5, answer_timeout_s=5)
    finally:
        controller.stop()


def test_a_mail_arrives_as_it_was_built() -> None:
    mailbox = Mailbox()
    with running(mailbox) as transport:
        transport.send(message())
    assert mailbox.recipients == ["bo@example.com"]
    (raw,) = mailbox.mails
    read = email.message_from_bytes(raw, policy=default)
    assert read["Subject"] == "Customer needs your help" and read["Message-ID"] == message()["Message-ID"]
    body = read.get_body(("plain",))
    assert body is not None and body.get_content().splitlines() == ["Hello", ".hidden dot", ".."]


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize(("answer", "error"), [("451 later", VendorDown), ("550 never", VendorRejected)])
def test_the_servers_answer_decides_whether_to_repeat(step: str, answer: str, error: type[Exception]) -> None:
    with running(Mailbox(**{step: answer})) as transport, pytest.raises(error) as caught:
        transport.send(message())
    assert answer[:3] in str(caught.value) and "bo@example.com" not in str(caught.value)


def test_a_cut_after_the_message_is_uncertain() -> None:
    mailbox = Mailbox(hang_up="yes")
    with running(mailbox) as transport, pytest.raises(OutcomeUnknown):
        transport.send(message())
    assert len(mailbox.mails) == 1


@contextmanager
def scripted(*lines: str) -> Iterator[SmtpTransport]:
    """A server that says these lines, one per command, and then nothing any more."""
    listener = socket.create_server((HOST, 0))

    def talk() -> None:
        peer, _ = listener.accept()
        with suppress(OSError), peer, peer.makefile("rb") as commands:
            for line in lines:
                peer.sendall(line.encode() + b"\r\n")
                command = commands.readline()
                while line.startswith("354") and command not in (b".\r\n", b""):
                    command = commands.readline()
            commands.readline()

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield SmtpTransport(host=HOST, port=listener.getsockname()[1], command_timeout_s=0.5, answer_timeout_s=0.5)
    finally:
        listener.close()
        thread.join(5)


@pytest.mark.parametrize("said", range(5))
def test_silence_before_the_message_may_be_repeated(said: int) -> None:
    steps = ["220 hello", "250 hello", "250 sender", "250 recipient", "354 go on"]
    with scripted(*steps[:said]) as transport, pytest.raises(VendorDown):
        transport.send(message())


def test_silence_after_the_message_is_uncertain() -> None:
    steps = ["220 hello", "250 hello", "250 sender", "250 recipient", "354 go on"]
    with scripted(*steps) as transport, pytest.raises(OutcomeUnknown):
        transport.send(message())


def test_a_busy_server_and_no_server_may_be_repeated() -> None:
    with scripted("421 too busy") as transport, pytest.raises(VendorDown):
        transport.send(message())
    with pytest.raises(VendorDown):
        transport.send(message())
    with pytest.raises(VendorDown):
        replace(transport, host="no-such-host.invalid").send(message())


def test_an_answer_of_success_counts_even_when_the_goodbye_fails() -> None:
    with scripted("220 hello", "250 hello", "250 sender", "250 recipient", "354 go on", "250 taken") as transport:
        transport.send(message())


# --- TLS and login -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server that is localhost and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = tmp_path_factory.mktemp("tls") / "server.pem"
    pem.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))


def only_bo(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
    fits = isinstance(login, LoginPassword) and (login.login, login.password) == (b"bo", b"p@ss")
    return AuthResult(success=fits, handled=False)


def test_starttls_protects_the_login(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server_tls, trusting = tls
    mailbox = Mailbox()
    options = {"tls_context": server_tls, "require_starttls": True, "authenticator": only_bo, "auth_required": True}
    with running(mailbox, **options) as transport:
        made = make_transport(f"smtp://bo:p%40ss@localhost:{transport.port}", trusting)
        assert made is not None
        made.send(message())
        assert len(mailbox.mails) == 1
        wrong = make_transport(f"smtp://bo:wrong@localhost:{transport.port}", trusting)
        assert wrong is not None
        with pytest.raises(VendorAuthError) as caught:
            wrong.send(message())
        assert "wrong" not in str(caught.value) and "wrong" not in repr(wrong)


def test_a_certificate_that_nobody_vouches_for_sends_nothing(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    mailbox = Mailbox()
    with running(mailbox, tls_context=tls[0]) as transport, pytest.raises(VendorDown):
        replace(transport, host="localhost").send(message())
    assert mailbox.mails == []


def test_a_password_is_not_sent_in_the_clear() -> None:
    with running(Mailbox()) as transport:
        away = replace(transport, host=socket.gethostname(), user="bo", password="p@ss")
        with pytest.raises((VendorAuthError, VendorDown)):
            away.send(message())


# --- choosing ------------------------------------------------------------------------------------


def test_addresses_of_transports() -> None:
    assert make_transport(None) is None and make_transport("") is None
    plain, wrapped = make_transport("smtp://mail.example.com"), make_transport("smtps://u:p@mail.example.com")
    assert isinstance(plain, SmtpTransport) and (plain.port, plain.wrapped, plain.user) == (587, False, "")
    assert isinstance(wrapped, SmtpTransport) and (wrapped.port, wrapped.wrapped, wrapped.password) == (465, True, "p")
    assert "'p'" not in repr(wrapped)


@pytest.mark.parametrize("url", ["http://x", "mail.example.com", "smtp://", "smtp://u:secret@x:port", "smtp://[x"])
def test_anything_else_says_what_to_write(url: str) -> None:
    with pytest.raises(ConfigurationError, match="smtp_url") as caught:
        make_transport(url)
    assert "secret" not in str(caught.value)


def test_captured_mails_are_files(tmp_path: Path) -> None:
    made: Transport | None = make_transport(f"capture:{tmp_path / 'mails'}")
    assert isinstance(made, CaptureTransport)
    for text in ("first\n", "second\n"):
        made.send(message(text))
    texts = []
    for path in sorted((tmp_path / "mails").iterdir()):
        assert path.suffix == ".eml"
        body = email.message_from_bytes(path.read_bytes(), policy=default).get_body(("plain",))
        assert body is not None
        texts.append(body.get_content().strip())
    assert texts == ["first", "second"]


def test_a_folder_that_cannot_be_written_may_be_repeated(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = make_transport(f"capture:{tmp_path / 'file'}")
    assert made is not None
    with pytest.raises(VendorDown):
        made.send(message())
