"""Every fault of a mail server, at every stage: what it is to us, and that nothing of the mail is in the error.

`MailServerDown`: the server, not this mail; all mails wait. `VendorDown`: this mail, later, with the same id.
`VendorRejected`: this mail never. `VendorAuthError`: a person must act. `OutcomeUnknown`: it may have gone out.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from handoff_sync.emails.transport import MailServerDown, SmtpTransport
from handoff_sync.errors import HandoffError, OutcomeUnknown, VendorAuthError, VendorDown, VendorRejected
from tests.emails.test_transport import HOST, message, scripted
from tests.engines import free_port

WELL = ("220 hello", "250 hello", "250 sender", "250 recipient", "354 go on", "250 taken")
ELSEWHERE = "127.1"
"""Leads to this machine, but is not known to: a password is not sent there in the clear."""
STAGES = ("greeting", "hello", "sender", "recipient", "data", "message")


def failing(stage: str, line: str) -> tuple[str, ...]:
    """What the server says up to and with the stage at which it says something else."""
    at = STAGES.index(stage)
    return (*WELL[:at], line)


def outcome(transport: SmtpTransport) -> type[HandoffError] | None:
    """The kind of error; None for a mail that was sent."""
    try:
        transport.send(message())
    except HandoffError as error:
        assert "bo@example.com" not in str(error) and "Customer needs" not in str(error)
        return type(error)
    return None


@pytest.mark.parametrize(
    ("stage", "line", "expected"),
    [
        ("greeting", "421 too busy", MailServerDown),
        ("greeting", "554 go away", MailServerDown),
        ("hello", "421 closing", MailServerDown),
        ("hello", "502 what?", MailServerDown),
        ("sender", "421 closing", VendorDown),
        ("sender", "451 later", VendorDown),
        ("sender", "550 not you", VendorRejected),
        ("sender", "530 log in first", VendorAuthError),
        ("recipient", "450 greylisted", VendorDown),
        ("recipient", "452 mailbox full", VendorDown),
        ("recipient", "550 unknown bo@example.com", VendorRejected),
        ("recipient", "551 somewhere else", VendorRejected),
        ("recipient", "251 will forward", None),
        ("data", "451 later", VendorDown),
        ("data", "554 no valid recipients", VendorRejected),
        ("message", "451 later", VendorDown),
        ("message", "452 out of storage", VendorDown),
        ("message", "550 spam: Customer needs your help", VendorRejected),
        ("message", "552 too large", VendorRejected),
        ("message", "999 what now", OutcomeUnknown),
    ],
)
def test_an_answer_says_whose_fault_it_is(stage: str, line: str, expected: type[HandoffError] | None) -> None:
    rest = WELL[STAGES.index(stage) + 1 :] if expected is None else ()
    with scripted(*failing(stage, line), *rest) as transport:
        assert outcome(transport) is expected


# --- cuts and nonsense ------------------------------------------------------------------------------------


@contextmanager
def cutting(lines: Sequence[bytes], *, drip: bytes = b"", pause_s: float = 0) -> Iterator[SmtpTransport]:
    """Says each of these after a pause, one per command, then hangs up; or says `drip` again and again, for ever."""
    listener = socket.create_server((HOST, 0))

    def talk() -> None:
        with suppress(OSError):
            peer, _ = listener.accept()
            with peer, peer.makefile("rb") as commands:
                for number, line in enumerate(lines):
                    time.sleep(pause_s)
                    peer.sendall(line)
                    if drip and number == len(lines) - 1:
                        while True:
                            peer.sendall(drip)
                            time.sleep(0.05)
                    command = commands.readline()
                    while line.startswith(b"354") and command not in (b".\r\n", b""):
                        command = commands.readline()

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        port = listener.getsockname()[1]
        yield SmtpTransport(host=HOST, port=port, command_timeout_s=2, answer_timeout_s=2, total_s=1.0)
    finally:
        listener.close()
        thread.join(5)


@pytest.mark.parametrize(
    ("answered", "expected"),
    [(0, MailServerDown), (1, MailServerDown), (2, VendorDown), (3, VendorDown), (4, VendorDown), (5, OutcomeUnknown)],
)
def test_a_cut_at_each_stage(answered: int, expected: type[HandoffError]) -> None:
    """Hanging up instead of the answer number `answered`; only after the message is anything in doubt."""
    with cutting([f"{line}\r\n".encode() for line in WELL[:answered]]) as transport:
        assert outcome(transport) is expected


@pytest.mark.parametrize("garbage", [b"\x00\xff\xfe nonsense\r\n", b"hello\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
@pytest.mark.parametrize(("before", "expected"), [(0, MailServerDown), (3, VendorDown), (5, OutcomeUnknown)])
def test_nonsense_is_no_answer(garbage: bytes, before: int, expected: type[HandoffError]) -> None:
    with cutting([*(f"{line}\r\n".encode() for line in WELL[:before]), garbage]) as transport:
        assert outcome(transport) is expected


@pytest.mark.parametrize(("before", "expected"), [(0, MailServerDown), (3, VendorDown), (5, OutcomeUnknown)])
def test_a_server_that_never_comes_to_an_end_is_cut_off(before: int, expected: type[HandoffError]) -> None:
    """Many lines, each in time: no single wait is too long, so only the whole is limited."""
    with cutting(
        [*(f"{line}\r\n".encode() for line in WELL[:before]), b"250-more\r\n"], drip=b"250-more\r\n"
    ) as transport:
        began = time.monotonic()
        assert outcome(transport) is expected
        assert time.monotonic() - began < 4


def test_an_answer_of_several_lines_is_one() -> None:
    lines = [f"{line}\r\n".encode() for line in WELL]
    lines[1] = b"250-hello\r\n250-SIZE 1000000\r\n250 HELP\r\n"
    lines[5] = b"250-taken\r\n250 for good\r\n"
    with cutting(lines) as transport:
        assert outcome(replace(transport, total_s=20)) is None


def test_a_line_without_end_is_nonsense() -> None:
    with cutting([b"2" * 20_000 + b"\r\n"]) as transport:
        assert outcome(transport) is MailServerDown


def test_nobody_listens() -> None:
    assert outcome(SmtpTransport(host=HOST, port=free_port(), command_timeout_s=2)) is MailServerDown


def test_a_slow_server_is_waited_for() -> None:
    with cutting([f"{line}\r\n".encode() for line in WELL], pause_s=0.15) as slow:
        assert outcome(replace(slow, total_s=20)) is None


# --- TLS and login ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("220 hi", "250-hi\r\n250 STARTTLS", "454 not now"), MailServerDown),
        (("220 hi", "250-hi\r\n250 STARTTLS", "501 no"), MailServerDown),
        (("220 hi", "250-hi\r\n250 STARTTLS", "220 go on", "no handshake"), MailServerDown),
        (("220 hi", "250 hi"), VendorAuthError),
    ],
)
def test_a_password_waits_for_tls(lines: tuple[str, ...], expected: type[HandoffError]) -> None:
    """Refused, broken or missing: whatever it is, no login is sent."""
    with scripted(*lines) as transport:
        away = replace(transport, host=ELSEWHERE, user="bo", password="p@ss")
        assert outcome(away) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("535 wrong", VendorAuthError),
        ("534 weak", VendorAuthError),
        ("454 not now", MailServerDown),
        ("421 closing", MailServerDown),
    ],
)
def test_a_refused_login_is_for_a_person_a_busy_one_is_not(line: str, expected: type[HandoffError]) -> None:
    with scripted("220 hi", "250-hi\r\n250 AUTH PLAIN", line) as transport:
        assert outcome(replace(transport, user="bo", password="p@ss")) is expected


def test_a_login_that_the_server_does_not_know_is_for_a_person() -> None:
    with scripted("220 hi", "250 hi") as transport:
        assert outcome(replace(transport, user="bo", password="p@ss")) is VendorAuthError


def test_plain_words_where_tls_was_expected() -> None:
    with scripted("220 this is no TLS") as transport:
        wrapped = replace(transport, wrapped=True, tls=ssl.create_default_context())
        assert outcome(wrapped) is MailServerDown


# --- greeting alone -----------------------------------------------------------------------------------------


def test_a_greeting_sends_nothing_and_tells_how_it_is_protected() -> None:
    with scripted("220 hi", "250 hi", "221 bye") as transport:
        assert transport.greet() == "not encrypted"
    with scripted("220 hi", "250-hi\r\n250 AUTH PLAIN", "535 wrong") as transport, pytest.raises(VendorAuthError):
        replace(transport, user="bo", password="p@ss").greet()
