"""A helpdesk that takes nothing: people are told by mail, once for each outage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.effects import MailConnectionDown
from handoff_sync.core.policy import MailKind, Mode, Policy, Recipient
from handoff_sync.delivery.outages import Outages
from tests.delivery.rig import Rig, make_rig

POLICY = Policy(
    handover_mode=Mode.AUTOMATIC,
    claim_reminder_minutes=None,
    recipients=(
        Recipient(email="all@example.com", language="pt"),
        Recipient(email="down@example.com", kinds=(MailKind.CONNECTION_DOWN,)),
        Recipient(email="other@example.com", kinds=(MailKind.HANDOVER,)),
    ),
)


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[Rig]:
    folder = tmp_path / "mails"
    rig = make_rig(tmp_path, simulator, POLICY, smtp_url=f"capture:{folder}", mail_from="help@example.com")
    yield rig
    rig.app.stop()


def told(rig: Rig) -> list[tuple[str, bool]]:
    """Who was mailed about an outage, oldest first, and whether somebody has to act."""
    rows = rig.app.reads.deliveries(rig.workspace, limit=200).items
    mails = [row.effect for row in reversed(rows) if isinstance(row.effect, MailConnectionDown)]
    return [(mail.recipient.email, mail.stopped) for mail in mails]


def pass_time(rig: Rig, minutes: int) -> None:
    for _ in range(minutes):
        rig.advance(60)
        rig.work()


def failing_since(rig: Rig) -> datetime | None:
    row = rig.app.admin.connection(rig.connection)
    assert row is not None
    return row.failing_since


EVERYBODY = ["all@example.com", "down@example.com"]


def test_refused_credentials_are_told_once_until_somebody_has_acted(rig: Rig, tmp_path: Path) -> None:
    rig.simulator.faults.fail(401, path="/api/v2", count=None)
    for talk in ("one", "two", "three"):
        rig.hand_over(talk)
    rig.work()
    pass_time(rig, 30)
    assert told(rig) == [(email, True) for email in EVERYBODY]
    mails = [path.read_text() for path in sorted((tmp_path / "mails").glob("*.eml"))]
    assert sum("down@example.com" in mail and "connect zendesk" in mail for mail in mails) == 1
    rig.simulator.faults.clear()
    rig.app.admin.start_connection(rig.connection)
    rig.work()
    assert failing_since(rig) is None
    rig.simulator.faults.fail(403, path="/api/v2", count=None)
    rig.say("<<again>>", "one")
    rig.advance(1)
    rig.work()
    assert len(told(rig)) == 2 * len(EVERYBODY), "that is another outage"


def test_ten_minutes_without_any_success_are_told_once_and_their_end_is_logged(rig: Rig) -> None:
    rig.simulator.faults.fail(500, path="/api/v2", count=None)
    rig.hand_over()
    rig.work()
    pass_time(rig, 9)
    assert told(rig) == []
    pass_time(rig, 60)
    assert told(rig) == [(email, False) for email in EVERYBODY] and failing_since(rig) is not None
    rig.simulator.faults.clear()
    with capture_logs() as logs:
        pass_time(rig, 60)
    assert [line["event"] for line in logs if "works again" in line["event"]] == ["connection works again"]
    assert failing_since(rig) is None and len(told(rig)) == len(EVERYBODY)


def test_trouble_that_comes_and_goes_is_no_outage(rig: Rig) -> None:
    for number in range(12):
        rig.simulator.faults.fail(500, path="/api/v2", count=1)
        rig.hand_over(f"talk-{number}")
        pass_time(rig, 2)
    assert told(rig) == [] and failing_since(rig) is None


def test_two_processes_tell_of_one_outage_once(rig: Rig) -> None:
    """Each process counts for itself; the outage's beginning, which they share, is in the keys of the mails."""
    rig.simulator.faults.fail(500, path="/api/v2", count=None)
    rig.hand_over()
    rig.work()
    pass_time(rig, 30)
    second = Outages(rig.app.committer, rig.simulator.clock.now)
    row = rig.app.admin.connection(rig.connection)
    assert row is not None
    second.seen(row)
    second.failed(rig.connection, "It failed here, too.")
    assert len(told(rig)) == len(EVERYBODY)


def test_without_recipients_the_operators_are_alerted(rig: Rig) -> None:
    rig.app.admin.update_workspace(rig.workspace, policy=Policy(handover_mode=Mode.AUTOMATIC))
    rig.simulator.faults.fail(401, path="/api/v2", count=None)
    rig.hand_over()
    with capture_logs() as logs:
        rig.work()
    assert "connection_down" in [line.get("alert") for line in logs]
