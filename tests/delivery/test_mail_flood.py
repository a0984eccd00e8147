"""Never a flood: five mails at once, then digests that name everybody. The mail server's troubles are nobody else's."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.events import HandoffRequested, SessionStarted
from handoff_sync.core.model import Customer, Trigger
from handoff_sync.core.policy import MailKind, Mode, Policy, Recipient
from handoff_sync.service.apply import on_conversation
from handoff_sync.store.committer import Job
from tests.delivery.rig import Rig, make_rig
from tests.emails.test_transport import Mailbox
from tests.engines import free_port

BO = Recipient(email="bo@example.com", kinds=(MailKind.HANDOVER, MailKind.DECISION_NEEDED))
LONGEST = 100_000
"""Mail programs cut off what is longer."""


@contextmanager
def at_mail(
    folder: Path, simulator: ZendeskSimulator, policy: Policy, **settings: str
) -> Iterator[tuple[Rig, Mailbox]]:
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    rig = make_rig(folder, simulator, policy, smtp_url=f"smtp://127.0.0.1:{port}", mail_from="help@example.com")
    try:
        yield rig, mailbox
    finally:
        rig.app.stop()
        controller.stop()


@pytest.fixture
def flooded(tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[tuple[Rig, Mailbox]]:
    """Mails and no tickets, so that a thousand handoffs take seconds."""
    policy = Policy(handover_mode=Mode.AUTOMATIC, recipients=(BO,), chat_url="https://chat.example.com/{session_id}")
    with at_mail(tmp_path, simulator, policy) as (rig, mailbox):
        rig.app.admin.update_connection(rig.connection, enabled=False)
        yield rig, mailbox


def hand_over(rig: Rig, number: int) -> None:
    """The handoff of a customer whose name is their number."""
    now, talk = rig.simulator.clock.now(), f"talk-{number}"
    customer = Customer(external_id=f"u-{number}", name=f"Customer{number:04d}")
    started = SessionStarted(id=f"start-{number}", at=now, channel="web", customer=customer)
    asked = HandoffRequested(id=f"ask-{number}", at=now, trigger=Trigger.CUSTOMER_REQUEST)
    for event in (started, asked):
        rig.app.committer.run(on_conversation(rig.workspace, talk, event, customer=customer))


def texts(mailbox: Mailbox, kind: str = "plain") -> list[str]:
    found = []
    for raw in mailbox.mails:
        body = email.message_from_bytes(raw, policy=default).get_body((kind,))
        assert body is not None
        found.append(body.get_content())
    return found


def named(mailbox: Mailbox) -> list[str]:
    """The customers of every mail, each once a mail."""
    return [name for text in texts(mailbox) for name in sorted(set(re.findall(r"Customer\d{4}", text)))]


def pass_time(rig: Rig, minutes: int) -> None:
    for _ in range(minutes):
        rig.advance(60)
        rig.work()


def test_a_thousand_handoffs_in_a_minute_are_a_few_mails_that_name_them_all(flooded: tuple[Rig, Mailbox]) -> None:
    rig, mailbox = flooded
    for number in range(1000):
        hand_over(rig, number)
        if number % 100 == 99:
            rig.advance(6)
            rig.work()
    assert len(mailbox.mails) == 5, "the first ones at once, each by itself"
    pass_time(rig, 15)
    assert len(mailbox.mails) <= 12
    assert sorted(named(mailbox)) == [f"Customer{number:04d}" for number in range(1000)], "everybody, once"
    assert max(len(text.encode()) for text in texts(mailbox, "html")) < LONGEST
    assert set(mailbox.recipients) == {"bo@example.com"} and rig.parked() == []
    assert not rig.app.reads.deliveries(rig.workspace, status="pending", limit=5).items


def test_five_go_at_once_and_the_sixth_waits_for_its_neighbours(flooded: tuple[Rig, Mailbox]) -> None:
    rig, mailbox = flooded
    for number in range(5):
        hand_over(rig, number)
        rig.work()
    assert len(mailbox.mails) == 5
    for number in range(5, 8):
        rig.advance(30)
        hand_over(rig, number)
        rig.work()
    rig.advance(200)
    rig.work()
    assert len(mailbox.mails) == 5, "five minutes after the first that waits, not before"
    rig.advance(40)
    rig.work()
    assert named(mailbox)[5:] == ["Customer0005", "Customer0006", "Customer0007"] and len(mailbox.mails) == 6
    pass_time(rig, 10)
    hand_over(rig, 8)
    rig.work()
    assert len(mailbox.mails) == 7, "a quiet time later a mail goes at once again"


def test_whoever_is_mailed_much_does_not_hold_up_others(flooded: tuple[Rig, Mailbox]) -> None:
    rig, mailbox = flooded
    for number in range(6):
        hand_over(rig, number)
    cy = Recipient(email="cy@example.com")
    rig.app.admin.update_workspace(rig.workspace, policy=Policy(handover_mode=Mode.AUTOMATIC, recipients=(BO, cy)))
    hand_over(rig, 6)
    rig.work()
    assert mailbox.recipients.count("cy@example.com") == 1 and mailbox.recipients.count("bo@example.com") == 5


def test_each_question_in_a_digest_has_a_link_of_its_own(tmp_path: Path, simulator: ZendeskSimulator) -> None:
    policy = Policy(handover_mode=Mode.SEMI_AUTOMATIC, recipients=(BO,), decision_code=True)
    with at_mail(tmp_path, simulator, policy) as (rig, mailbox):
        for number in range(9):
            hand_over(rig, number)
        rig.work()
        pass_time(rig, 6)
        (digest,) = [text for text in texts(mailbox) if "Customer0007" in text]
        links = re.findall(r"/decide/[\w-]{32}", digest)
        assert len(links) == len(set(links)) == 4
        assert len(set(re.findall(r"\b[2-9A-HJ-NP-Z]{6}\b", digest))) == 4, "and its code, in strict mode"


# --- a digest that may or may not have gone out --------------------------------------------------------


def ids(mailbox: Mailbox) -> list[str]:
    return [str(email.message_from_bytes(raw, policy=default)["Message-ID"]) for raw in mailbox.mails]


def test_a_digest_without_an_answer_is_sent_twice_at_most_and_is_the_same(flooded: tuple[Rig, Mailbox]) -> None:
    rig, mailbox = flooded
    for number in range(8):
        hand_over(rig, number)
    rig.work()
    mailbox.script["hang_up"] = ""
    pass_time(rig, 6)
    hand_over(rig, 8)  # comes between the two copies, and belongs into neither
    del mailbox.script["hang_up"]
    pass_time(rig, 30)
    copies = [(id, text) for id, text in zip(ids(mailbox), texts(mailbox), strict=True) if "Customer0006" in text]
    assert len(copies) == 2 and len(set(copies)) == 1
    assert "Customer0008" not in copies[0][1] and "Customer0008" in "".join(texts(mailbox))


def test_silence_both_times_is_marked_and_never_tried_again(flooded: tuple[Rig, Mailbox]) -> None:
    rig, mailbox = flooded
    for number in range(8):
        hand_over(rig, number)
    rig.work()
    mailbox.script["hang_up"] = ""
    pass_time(rig, 60)
    assert len(mailbox.mails) == 5 + 2
    done = [row.result for row in rig.app.reads.deliveries(rig.workspace, "done", limit=50).items]
    assert done.count("digest, sent twice, not confirmed") == 3


def test_a_refused_digest_is_parked_whole_and_can_be_repeated(flooded: tuple[Rig, Mailbox]) -> None:
    rig, mailbox = flooded
    for number in range(8):
        hand_over(rig, number)
    rig.work()
    mailbox.script["rcpt"] = "550 unknown"
    pass_time(rig, 6)
    assert len([row for row in rig.parked() if row.kind == "mail.admin"]) == 3
    del mailbox.script["rcpt"]
    for row in rig.parked():
        rig.app.committer.run(_unpark(rig, row.id))
    pass_time(rig, 6)
    assert {"Customer0005", "Customer0006", "Customer0007"} <= set(named(mailbox)) and rig.parked() == []


def _unpark(rig: Rig, row: int) -> Job[bool]:
    return Job(run=lambda uow: uow.unpark(rig.workspace, row))
