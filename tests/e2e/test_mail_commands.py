"""Mail from the command line: a test mail, and what the doctor says of the mail server."""

from __future__ import annotations

import email
from collections.abc import Iterator
from email.policy import default
from pathlib import Path

import pytest

from tests.e2e.command import handoff_here
from tests.emails.test_transport import Mailbox, running
from tests.engines import free_port


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[dict[str, str]]:
    """Settings that lead to a mail server."""
    with running(mailbox) as transport:
        yield {"HANDOFF_SMTP_URL": f"smtp://127.0.0.1:{transport.port}", "HANDOFF_MAIL_FROM": "help@mail.invalid"}


def test_a_test_mail_arrives_in_the_wanted_language(tmp_path: Path, mailbox: Mailbox, server: dict[str, str]) -> None:
    done = handoff_here("send-test-email", "bo@example.com", "--lang", "pt", folder=tmp_path, **server)
    assert done.returncode == 0, done.stdout + done.stderr
    (raw,) = mailbox.mails
    mail = email.message_from_bytes(raw, policy=default)
    assert mail["To"] == "bo@example.com" and mail["Content-Language"] == "pt"
    assert mail["Message-ID"] in done.stdout


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"rcpt": "550 unknown"}, ("550", "Ask the mail provider")),
        ({"rcpt": "451 later"}, ("451", "Try again")),
        ({"hang_up": ""}, ("no answer", "look into the mailbox")),
    ],
)
def test_a_test_mail_that_does_not_arrive_says_what_to_do(
    tmp_path: Path, mailbox: Mailbox, server: dict[str, str], script: dict[str, str], words: tuple[str, str]
) -> None:
    mailbox.script = script
    done = handoff_here("send-test-email", "bo@example.com", folder=tmp_path, **server)
    assert done.returncode == 1 and all(word in done.stdout for word in words), done.stdout


def test_a_dead_mail_server_ends_it_before_the_mail(tmp_path: Path) -> None:
    dead = {"HANDOFF_SMTP_URL": f"smtp://127.0.0.1:{free_port()}", "HANDOFF_MAIL_FROM": "help@mail.invalid"}
    done = handoff_here("send-test-email", "bo@example.com", folder=tmp_path, **dead)
    assert done.returncode == 1 and "firewall" in done.stdout


def test_without_a_mail_server_or_with_a_strange_sender_the_setting_is_named(tmp_path: Path) -> None:
    done = handoff_here("send-test-email", "bo@example.com", folder=tmp_path)
    assert done.returncode == 4 and "HANDOFF_SMTP_URL" in done.stderr
    strange = {"HANDOFF_SMTP_URL": "smtp://mail.example.com", "HANDOFF_MAIL_FROM": "nobody"}
    done = handoff_here("send-test-email", "bo@example.com", folder=tmp_path, **strange)
    assert done.returncode == 4 and "HANDOFF_MAIL_FROM" in done.stderr


def test_the_doctor_logs_in_at_the_mail_server(tmp_path: Path, mailbox: Mailbox, server: dict[str, str]) -> None:
    assert handoff_here("migrate", folder=tmp_path, **server).returncode == 0
    done = handoff_here("doctor", folder=tmp_path, **server)
    assert "mail server: 127.0.0.1" in done.stdout and "SPF" in done.stdout and mailbox.mails == []
