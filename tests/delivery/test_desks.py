"""Several helpdesks at once: every one gets the whole talk, and the trouble of one is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handoff_sync.core.model import LinkRole, LinkState, Phase
from handoff_sync.core.policy import CloseRule, Recipient
from tests.delivery.desks import AUTOMATIC, Desks, desks

ALL = ("zendesk", "gorgias", "intercom")


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Desks]:
    with desks(tmp_path, ALL) as rig:
        yield rig


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Desks]:
    with desks(tmp_path, ("zendesk", "intercom")) as rig:
        yield rig


def lines(rig: Desks) -> str:
    return "\n".join(line.text for line in rig.app.reads.timeline(rig.session().id))


def kinds(rig: Desks, status: str = "parked") -> list[str]:
    return sorted(row.kind for row in rig.outbox(status))


# --- the usual -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answering", range(3))
def test_a_reply_of_any_helpdesk_reaches_the_customer_once_and_the_others_as_a_signed_copy(
    three: Desks, answering: int
) -> None:
    three.say("<<my bike>>")
    three.hand_over()
    three.work()
    place = three.places[answering]
    place.desk.reply(three.ticket(place), "<<an answer>>")
    place.desk.note(three.ticket(place), "<<between us>>")
    three.tell(place)
    three.work()
    assert three.heard() == ["<<an answer>>"]
    for other in three.places:
        assert three.saying(other, "<<my bike>>")
        (said,) = three.saying(other, "<<an answer>>")
        assert said.public is (other is place)
        assert other is place or place.desk.agent_name in said.text
        assert bool(three.saying(other, "<<between us>>")) is (other is place)
    three.say("<<thanks>>")
    three.work()
    for other in three.places:
        three.tell(other)
    three.work()
    assert [len(three.saying(other, "<<thanks>>")) for other in three.places] == [1, 1, 1]
    assert three.heard() == ["<<an answer>>"], "our own copies coming back are nobody's words"


def test_the_policys_order_says_which_ticket_is_the_primary_one_and_it_ends_the_session(three: Desks) -> None:
    three.hand_over()
    three.work()
    links = [three.link(place) for place in three.places]
    assert [link.role for link in links if link] == [LinkRole.PRIMARY, LinkRole.SECONDARY, LinkRole.SECONDARY]
    first, second, third = three.places
    second.desk.solve(three.ticket(second))
    three.tell(second)
    three.work()
    assert three.session().phase is Phase.WAITING, "a secondary ticket does not decide"
    first.desk.solve(three.ticket(first))
    three.tell(first)
    three.work()
    assert three.session().phase is Phase.RESOLVED
    assert all(place.desk.ticket(three.ticket(place)).solved for place in three.places)
    del third


@pytest.mark.parametrize(("rule", "ended_by"), [(CloseRule.ANY, 1), (CloseRule.ALL, 2)])
def test_the_close_rule_says_how_many_solved_tickets_end_the_session(
    tmp_path: Path, rule: CloseRule, ended_by: int
) -> None:
    with desks(tmp_path, ("zendesk", "intercom"), replace(AUTOMATIC, multi_ticket_close_rule=rule)) as rig:
        rig.hand_over()
        rig.work()
        for solved, place in enumerate(reversed(rig.places), start=1):
            place.desk.solve(rig.ticket(place))
            rig.tell(place)
            rig.work()
            assert (rig.session().phase is Phase.RESOLVED) is (solved >= ended_by)


def test_a_reopened_secondary_ticket_opens_session_and_tickets_again(two: Desks) -> None:
    two.hand_over()
    two.work()
    first, second = two.places
    first.desk.solve(two.ticket(first))
    two.tell(first)
    two.work()
    assert second.desk.ticket(two.ticket(second)).solved
    two.tell(second)
    two.work()
    second.desk.reopen(two.ticket(second))
    two.tell(second)
    two.work()
    assert two.session().human_handoff
    assert not first.desk.ticket(two.ticket(first)).solved
    assert len(two.session().links) == 2


def test_an_assignment_at_one_helpdesk_is_a_note_at_the_other(two: Desks) -> None:
    two.hand_over()
    two.work()
    first, second = two.places
    second.desk.assign(two.ticket(second), second.desk.agent_name)
    two.tell(second)
    two.work()
    assert two.session().phase is Phase.HUMAN
    (said,) = two.saying(first, f"{second.desk.agent_name} has taken this conversation")
    assert not said.public
    assert first.desk.ticket(two.ticket(first)).assignee is None, "nobody there is that agent"
    second.desk.assign(two.ticket(second), None)
    two.tell(second)
    two.work()
    assert two.session().phase is Phase.WAITING


def test_a_team_has_its_own_helpdesk(two: Desks) -> None:
    _, second = two.places
    teams = {"sales": {"connections": [{"connection": second.connection}]}}
    two.app.admin.update_workspace(two.workspace, teams=teams)
    two.hand_over(team="sales")
    two.work()
    (link,) = two.session().links
    assert (link.connection, link.role) == (second.connection, LinkRole.PRIMARY)


# --- a ticket is lost ------------------------------------------------------------------------------


def test_when_the_primary_ticket_is_deleted_the_next_takes_its_place(three: Desks) -> None:
    three.hand_over()
    three.work()
    first, second, third = three.places
    first.desk.delete(three.ticket(first))
    three.tell(first)
    three.work()
    three.say("<<still here>>")
    three.work()
    assert all(three.saying(place, "<<still here>>") for place in (second, third))
    third.desk.solve(three.ticket(third))
    three.tell(third)
    three.work()
    assert three.session().phase is Phase.WAITING
    second.desk.solve(three.ticket(second))
    three.tell(second)
    three.work()
    assert three.session().phase is Phase.RESOLVED


# --- a connection is off, stopped or gone ------------------------------------------------------------


def test_a_connection_that_is_switched_off_is_left_out_and_the_timeline_says_so(two: Desks) -> None:
    first, second = two.places
    two.app.admin.update_connection(first.connection, enabled=False)
    two.hand_over()
    two.work()
    (link,) = two.session().links
    assert (link.connection, link.role) == (second.connection, LinkRole.PRIMARY)
    assert "No ticket at Zendesk" in lines(two)


def test_a_removed_connection_is_left_out_and_the_timeline_says_so(two: Desks) -> None:
    first, second = two.places
    two.app.admin.delete_connection(first.connection)
    two.hand_over()
    two.work()
    assert [link.connection for link in two.session().links] == [second.connection]
    assert "No ticket at" in lines(two)


def test_a_connection_switched_off_meanwhile_is_told_of_and_nothing_waits_for_it(two: Desks) -> None:
    two.hand_over("one")
    two.work()
    first, second = two.places
    two.hand_over()
    two.app.admin.update_connection(first.connection, enabled=False)
    two.say("<<for one>>", "one")
    two.work()
    assert two.saying(second, "<<for one>>", "one")
    assert two.link(second) is not None and two.ticket(second)
    failed = two.link(first)
    assert failed is not None and failed.state is LinkState.FAILED
    parked = kinds(two)
    assert "ticket.open" in parked and "ticket.append" in parked
    assert "mail.admin" in parked, "without a mail server the mail about it waits visibly, too"
    heir = two.link(second)
    assert heir is not None and heir.role is LinkRole.PRIMARY


def test_refused_credentials_at_one_helpdesk_are_told_once_for_each_ticket_and_delay_no_other(two: Desks) -> None:
    first, second = two.places
    first.desk.simulator.faults.fail(401, count=None)
    for talk in ("one", "two"):
        two.hand_over(talk)
    two.work()
    for _ in range(3):
        two.advance(4000)
        two.work()
    assert all(two.ticket(second, talk) for talk in ("one", "two"))
    alerts = [row for row in two.outbox("done") + two.outbox("parked") if row.kind == "alert.ops"]
    assert len(alerts) == 2
    mails = [row for row in two.outbox("parked") if row.kind == "mail.admin" and "ticket_failed" in row.key]
    assert len(mails) == 2
    assert "ticket.open" not in kinds(two), "the tickets wait; nothing is to be replayed"
    first.desk.simulator.faults.clear()
    assert two.app.admin.start_connection(first.connection)
    two.work()
    assert all(two.ticket(first, talk) for talk in ("one", "two"))


@pytest.mark.parametrize("how", ["off", "removed", "stopped"])
@pytest.mark.parametrize("recipients", [AUTOMATIC.recipients, ()], ids=["with recipients", "without"])
def test_when_no_helpdesk_can_be_used_somebody_is_told(
    tmp_path: Path, how: str, recipients: tuple[Recipient, ...]
) -> None:
    policy = replace(AUTOMATIC, recipients=recipients)
    with desks(tmp_path, ("zendesk",), policy) as rig:
        (place,) = rig.places
        match how:
            case "off":
                rig.app.admin.update_connection(place.connection, enabled=False)
            case "removed":
                rig.app.admin.delete_connection(place.connection)
            case _:
                place.desk.simulator.faults.fail(403, count=None)
        rig.hand_over()
        rig.work()
        assert rig.session().phase is Phase.WAITING
        told = [row.kind for row in rig.outbox("parked") + rig.outbox("done")]
        assert ("mail.admin" if recipients else "alert.ops") in told


# --- one helpdesk fails ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["503", "429", "drop", "dead"])
def test_a_failing_helpdesk_delays_no_other(tmp_path: Path, how: str) -> None:
    with desks(tmp_path, ("zendesk", "intercom")) as rig:
        sick, well = rig.places
        match how:
            case "503":
                sick.desk.simulator.faults.fail(503, count=None)
            case "429":
                sick.desk.simulator.faults.fail(429, count=None, retry_after_s=60)
            case "drop":
                sick.desk.simulator.faults.drop(count=None)
            case _:
                sick.desk.stop()
        rig.hand_over()
        rig.say("<<hello>>")
        rig.work()
        assert rig.saying(well, "<<hello>>"), "without a second passing"
        well.desk.reply(rig.ticket(well), "<<an answer>>")
        rig.tell(well)
        rig.work()
        assert rig.heard() == ["<<an answer>>"]
        waiting = rig.link(sick)
        assert waiting is not None and waiting.remote_id is None
