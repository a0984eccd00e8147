"""Mails: one envelope per recipient, at most two copies, and never lost without a trace."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from structlog.testing import capture_logs

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.events import Claimed, HandoffRequested, SessionStarted
from handoff_sync.core.model import Actor, ActorKind, Customer, Trigger
from handoff_sync.core.policy import MailKind, Mode, Policy, Recipient
from handoff_sync.service.apply import on_conversation
from handoff_sync.store.committer import Job
from tests.delivery.rig import ANA, Rig, make_rig
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
def office(mailbox: Mailbox) -> Iterator[Controller]:
    """The mail server; a test may stop it."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    with suppress(AssertionError):  # stopped already
        controller.stop()


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator, office: Controller) -> Iterator[Rig]:
    url = f"smtp://127.0.0.1:{office.port}"
    rig = make_rig(tmp_path, simulator, POLICY, smtp_url=url, mail_from="help@example.com")
    yield rig
    rig.app.stop()


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
    asked = len(mailbox.recipients)
    hours(rig)
    assert len(mailbox.recipients) == asked == 4, "each of them once, and once the news of the other: never a circle"


def test_what_was_refused_may_be_retried_until_it_is_taken(rig: Rig, mailbox: Mailbox) -> None:
    """A refusal leaves no copy anywhere, so the third try is no third copy."""
    mailbox.script["rcpt"] = "550 unknown"
    rig.hand_over()
    rig.work()
    for _ in range(2):
        retry_all(rig)
        assert mailbox.mails == []
    del mailbox.script["rcpt"]
    retry_all(rig)
    assert {"bo@example.com", "cy@example.com"} <= set(mailbox.recipients) and len(mailbox.mails) >= 2
    assert rig.parked() == []


def retry_all(rig: Rig) -> None:
    for row in rig.parked():
        rig.app.committer.run(Job(run=lambda uow, id=row.id: uow.unpark(rig.workspace, id)))
    hours(rig, 1)


def refused(mailbox: Mailbox, address: str) -> None:
    """From now on the server takes mail for everybody but this address."""
    mailbox.refused.add(address)


def alerts(rig: Rig) -> list[tuple[str, str]]:
    """Who was told of a refusal: address, or the operators' lane."""
    rows = rig.app.reads.deliveries(rig.workspace, limit=200).items
    return [(row.destination, row.status) for row in rows if "mail_refused" in row.key]


def test_a_refused_address_is_told_to_somebody_who_was_mailed_too_once_a_day(rig: Rig, mailbox: Mailbox) -> None:
    refused(mailbox, "bo@example.com")
    for talk in ("one", "two", "three"):
        rig.hand_over(talk)
    rig.work()
    assert alerts(rig) == [("mail:cy@example.com", "done")]
    assert mailbox.recipients.count("cy@example.com") == 3 + 1
    rig.advance(86_400)
    rig.hand_over("four")
    rig.work()
    assert len(alerts(rig)) == 2


def test_what_nobody_else_got_is_told_each_time(rig: Rig, mailbox: Mailbox) -> None:
    bo, cy = POLICY.recipients
    alone = replace(POLICY, recipients=(bo, replace(cy, kinds=(MailKind.CONNECTION_DOWN,))))
    rig.app.admin.update_workspace(rig.workspace, policy=alone)
    refused(mailbox, "bo@example.com")
    for talk in ("one", "two"):
        rig.hand_over(talk)
    rig.work()
    assert alerts(rig) == [("mail:cy@example.com", "done")] * 2


def test_without_anybody_else_the_operators_are_told(rig: Rig, mailbox: Mailbox) -> None:
    rig.app.admin.update_workspace(rig.workspace, policy=replace(POLICY, recipients=POLICY.recipients[:1]))
    refused(mailbox, "bo@example.com")
    rig.hand_over()
    with capture_logs() as logs:
        rig.work()
    assert alerts(rig) == [("mail:operators", "done")]
    assert [line["alert"] for line in logs if line["event"] == "alert"] == ["mail_refused"]


# --- the mail server is away -----------------------------------------------------------------------------


def test_ten_minutes_without_a_mail_server_delay_no_ticket_and_lose_no_mail(
    rig: Rig, mailbox: Mailbox, office: Controller
) -> None:
    """Customers' mails have a lane each: none waits for the timeouts of the others, and none uses up its tries."""
    office.stop()
    with hanging_up(office.port) as calls:
        for number in range(30):
            rig.hand_over(f"talk-{number}")
            rig.apply(joined(number), f"talk-{number}")
            if number % 3 == 2:
                rig.work()
                assert rig.ticket(f"talk-{number}"), "no ticket waits for a mail"
                rig.advance(60)
        assert rig.app.mail_server is not None and rig.app.mail_server.trouble
        assert mailbox.mails == [] and rig.parked() == [] and len(calls) < 30, "nobody hammers it"
    again = Controller(mailbox, hostname="127.0.0.1", port=office.port)
    again.start()
    hours(rig, 1)
    again.stop()
    assert mailbox.recipients.count("ana@example.com") == 30, "every mail, once"
    assert {"bo@example.com", "cy@example.com"} <= set(mailbox.recipients)
    assert rig.parked() == [] and not rig.app.reads.deliveries(rig.workspace, "pending").items
    assert len(set(ids(mailbox))) == len(mailbox.mails) and not rig.app.mail_server.trouble


def test_a_refused_login_is_not_tried_often_and_parks_nothing(
    tmp_path: Path, simulator: ZendeskSimulator, mailbox: Mailbox
) -> None:
    tried: list[bool] = []

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        tried.append("open" in mailbox.script)
        return AuthResult(success=tried[-1], handled=False)

    port = free_port()
    office = Controller(mailbox, hostname="127.0.0.1", port=port, authenticator=login, auth_require_tls=False)
    office.start()
    url = f"smtp://help:wrong@127.0.0.1:{port}"
    rig = make_rig(tmp_path, simulator, POLICY, smtp_url=url, mail_from="help@example.com")
    try:
        rig.hand_over()
        with capture_logs() as logs:
            hours(rig, 2)
        assert 2 < len(tried) <= 40 and rig.parked() == [], "a provider locks accounts that are tried too often"
        assert sum(line["event"] == "mail server takes no mail" for line in logs) == 1
        mailbox.script["open"] = ""
        hours(rig, 1)
        assert sorted(mailbox.recipients) == ["bo@example.com", "cy@example.com"]
    finally:
        rig.app.stop()
        office.stop()


@contextmanager
def hanging_up(port: int) -> Iterator[list[float]]:
    """In the mail server's place somebody who hangs up on everybody. Gives the calls."""
    listener, calls = socket.create_server(("127.0.0.1", port)), list[float]()

    def answer() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                calls.append(time.monotonic())
                peer.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield calls
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def joined(number: int) -> Claimed:
    eva = Actor(kind=ActorKind.MEMBER, id="m-eva", name="Eva", via="console")
    return Claimed(id=f"claim-{number}", at=datetime(2026, 3, 2, tzinfo=UTC), actor=eva)


# --- to the customer ---------------------------------------------------------------------------------------


def test_the_customer_is_mailed_once_in_their_language_when_somebody_joins(rig: Rig, mailbox: Mailbox) -> None:
    ines = Customer(external_id="u-2", name="Inês", email="ines@example.com", email_verified=True, locale="pt-BR")
    started = SessionStarted(id="start", at=datetime(2026, 3, 2, tzinfo=UTC), channel="web", customer=ines)
    rig.app.committer.run(on_conversation(rig.workspace, "talk", started, customer=ines))
    now = rig.simulator.clock.now()
    for event in (HandoffRequested(id="ask", at=now, trigger=Trigger.CUSTOMER_REQUEST), joined(1), joined(2)):
        rig.app.committer.run(on_conversation(rig.workspace, "talk", event))
    rig.work()
    (mail,) = [raw for to, raw in zip(mailbox.recipients, mailbox.mails, strict=True) if to == "ines@example.com"]
    assert b"Content-Language: pt" in mail


def test_a_claimed_address_is_not_mailed(rig: Rig, mailbox: Mailbox) -> None:
    doubtful = replace(ANA, email="victim@example.com", email_verified=False)
    now = rig.simulator.clock.now()
    asked = HandoffRequested(id="ask", at=now, trigger=Trigger.CUSTOMER_REQUEST)
    for event in (asked, joined(1)):
        rig.app.committer.run(on_conversation(rig.workspace, "talk", event, customer=doubtful))
    rig.work()
    assert "victim@example.com" not in mailbox.recipients and rig.parked() == []
