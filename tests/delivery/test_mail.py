"""Mails: one envelope per recipient, at most two copies, and never lost without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.policy import MailKind, Mode, Policy, Recipient
from tests.delivery.rig import Rig, make_rig
from tests.emails.test_transport import Mailbox
from tests.engines import free_port

FIRST = (MailKind.HANDOVER,)
POLICY = Policy(
    handover_mode=Mode.AUTOMATIC,
    recipients=(Recipient(email="bo@example.com", kinds=FIRST), Recipient(email="cy@example.com", kinds=FIRST)),
)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    yield Mailbox()


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator, mailbox: Mailbox) -> Iterator[Rig]:
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    rig = make_rig(tmp_path, simulator, POLICY, smtp_url=f"smtp://127.0.0.1:{port}", mail_from="help@example.com")
    yield rig
    rig.app.stop()
    controller.stop()


def hours(rig: Rig, count: int = 6) -> None:
    for _ in range(count * 6):
        rig.advance(600)
        rig.work()


def ids(mailbox: Mailbox) -> list[bytes]:
    lines = (line for mail in mailbox.mails for line in mail.splitlines())
    return [line for line in lines if line.lower().startswith(b"message-id")]


def test_everybody_gets_one_mail(rig: Rig, mailbox: Mailbox) -> None:
    rig.hand_over()
    rig.work()
    assert sorted(mailbox.recipients) == ["bo@example.com", "cy@example.com"]
    assert rig.parked() == []


def test_without_an_answer_there_are_two_copies_at_most_with_one_message_id(rig: Rig, mailbox: Mailbox) -> None:
    mailbox.script["hang_up"] = ""
    rig.hand_over()
    rig.work()
    hours(rig)
    assert sorted(mailbox.recipients) == ["bo@example.com"] * 2 + ["cy@example.com"] * 2
    assert len(set(ids(mailbox))) == 2
    done = [row.result for row in rig.app.reads.deliveries(rig.workspace).items if row.kind == "mail.admin"]
    assert done == ["sent twice, not confirmed"] * 2


def test_a_refusal_before_the_doubt_uses_up_no_copy(rig: Rig, mailbox: Mailbox) -> None:
    """4xx first, then silence: the silent one is the first copy, and there is a second."""
    mailbox.script["rcpt"] = "451 later"
    rig.hand_over()
    rig.work()
    assert mailbox.mails == []
    mailbox.recipients.clear()
    del mailbox.script["rcpt"]
    mailbox.script["hang_up"] = ""
    hours(rig)
    assert sorted(mailbox.recipients) == ["bo@example.com"] * 2 + ["cy@example.com"] * 2


def test_one_refused_recipient_fails_alone_and_visibly(rig: Rig, mailbox: Mailbox) -> None:
    mailbox.script["rcpt"] = "550 unknown"
    rig.hand_over()
    rig.work()
    assert [row.kind for row in rig.parked()] == ["mail.admin"] * 2
    assert rig.ticket(), "the ticket does not wait for the mail"


def test_a_mail_server_that_comes_back_gets_everything(rig: Rig, mailbox: Mailbox) -> None:
    mailbox.script["mail"] = "421 busy"
    rig.hand_over()
    rig.work()
    del mailbox.script["mail"]
    hours(rig, 1)
    assert sorted(mailbox.recipients) == ["bo@example.com", "cy@example.com"]
