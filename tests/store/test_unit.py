"""The unit of work: everything an outcome says is stored at once, and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from handoff_sync.core.effects import (
    AlertOps,
    OpenTicket,
    PauseLog,
    SessionChange,
    SessionChanged,
    SetAiMode,
    TimelineEntry,
)
from handoff_sync.core.model import (
    AiMode,
    AuthorClass,
    LinkState,
    Person,
    Phase,
    Responder,
    Timer,
    TimerKind,
)
from handoff_sync.core.policy import Policy
from handoff_sync.errors import NotFound
from handoff_sync.store.committer import Job
from handoff_sync.store.rows import GateRow
from handoff_sync.store.unit import UnitOfWork
from tests.store.world import NOON, WORKSPACE, Store, ingest, link, message, note, outcome, save, session, wrote

OPERATORS_LANE = f"{WORKSPACE}/mail:operators"
MODE = SetAiMode(previous=AiMode.AUTO, new=AiMode.PAUSED, epoch=1, version=1)


# --- sessions ---------------------------------------------------------------------------------------


def test_a_saved_session_is_found_again_as_it_was(store: Store) -> None:
    full = session(
        phase=Phase.HUMAN,
        assignee=Person(id="m1", name="Maria"),
        last_responder=Responder(author_class=AuthorClass.HUMAN, id="m1"),
        labels=("human-handoff", "vip"),
        links=(link(),),
        timers=(Timer(kind=TimerKind.PAUSE, fires_at=NOON + timedelta(minutes=15), epoch=1),),
        overrides={"live_handback": False},
        paused_until=NOON + timedelta(minutes=15),
    )
    saved = store.committer.run(save(full))
    assert store.reads.session(WORKSPACE, "s1") == saved
    assert store.reads.current_session(WORKSPACE, "c1") == saved
    assert store.committer.run(Job(lambda uow: uow.session("s1"))) == saved
    assert store.committer.run(Job(lambda uow: uow.session_of(WORKSPACE, "c1"))) == saved


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.committer.run(Job(lambda uow: uow.session("s9"))) is None
    assert store.committer.run(Job(lambda uow: uow.session_of(WORKSPACE, "c9"))) is None
    assert store.committer.run(Job(lambda uow: uow.link("l9"))) is None
    assert store.committer.run(Job(lambda uow: uow.inbox_result(WORKSPACE, "e9"))) is None


def test_a_session_of_another_workspace_is_not_found_by_the_conversation(store: Store) -> None:
    store.committer.run(save(session()))
    assert store.committer.run(Job(lambda uow: uow.session_of("ws2", "c1"))) is None
    assert store.reads.session("ws2", "s1") is None


def test_several_steps_in_one_transaction_build_on_each_other(store: Store) -> None:
    def run(uow: UnitOfWork) -> None:
        for number in range(1, 4):
            current = uow.session("s1") or session()
            uow.save(outcome(current, says=(message(f"m{number}"),)), wrote(f"e{number}"))

    store.committer.run(Job(run))
    stored = store.reads.session(WORKSPACE, "s1")
    assert stored is not None
    assert (stored.version, stored.message_count) == (3, 3)
    assert [(said.seq, said.message.id) for said in store.reads.messages("s1")] == [(1, "m1"), (2, "m2"), (3, "m3")]


def test_a_new_session_takes_the_place_of_the_current_one(store: Store) -> None:
    store.committer.run(save(session("s1")))
    store.committer.run(save(session("s2")))
    current = store.reads.current_session(WORKSPACE, "c1")
    assert current is not None
    assert current.id == "s2"
    assert store.reads.session(WORKSPACE, "s1") is not None


def test_the_replaced_session_can_still_change_and_stays_replaced(store: Store) -> None:
    store.committer.run(save(session("s1")))
    store.committer.run(save(session("s2")))
    store.committer.run(save(session("s1", phase=Phase.ARCHIVED)))
    current = store.reads.current_session(WORKSPACE, "c1")
    assert current is not None
    assert current.id == "s2"
    old = store.reads.session(WORKSPACE, "s1")
    assert old is not None
    assert old.phase is Phase.ARCHIVED


def test_old_and_new_session_change_in_one_transaction(store: Store) -> None:
    store.committer.run(save(session("s1")))

    def run(uow: UnitOfWork) -> None:
        old = uow.session_of(WORKSPACE, "c1")
        assert old is not None
        uow.save(outcome(replace(old, phase=Phase.ARCHIVED)), None)
        uow.retire(old)
        assert uow.session_of(WORKSPACE, "c1") is None
        uow.save(outcome(session("s2", previous_session_id="s1")), None)
        new = uow.session_of(WORKSPACE, "c1")
        assert new is not None
        uow.save(outcome(new), None)

    store.committer.run(Job(run))
    first, second = store.reads.session(WORKSPACE, "s1"), store.reads.session(WORKSPACE, "s2")
    assert first is not None
    assert second is not None
    assert (first.phase, second.version) == (Phase.ARCHIVED, 2)
    assert store.reads.current_session(WORKSPACE, "c1") == second


def test_two_new_sessions_of_one_conversation_in_one_transaction(store: Store) -> None:
    def run(uow: UnitOfWork) -> None:
        uow.save(outcome(session("s1")), None)
        uow.save(outcome(session("s2")), None)

    store.committer.run(Job(run))
    current = store.reads.current_session(WORKSPACE, "c1")
    assert current is not None
    assert current.id == "s2"


def test_a_retired_session_leaves_its_conversation_without_one(store: Store) -> None:
    saved = store.committer.run(save(session("s1")))

    def run(uow: UnitOfWork) -> None:
        assert uow.session_of(WORKSPACE, "c1") is not None
        uow.retire(saved)

    store.committer.run(Job(run))
    assert store.reads.current_session(WORKSPACE, "c1") is None
    assert store.reads.gate(WORKSPACE, "c1") is None


def test_the_gate_shows_the_current_session(store: Store) -> None:
    store.committer.run(save(session("s1", phase=Phase.WAITING, copilot=True, control_epoch=4, agent_running=False)))
    assert store.reads.gate(WORKSPACE, "c1") == GateRow(
        session_id="s1",
        phase="waiting",
        copilot=True,
        control_epoch=4,
        agent_running=False,
        channel_running=True,
    )
    assert store.reads.gate("ws2", "c1") is None


def test_the_earliest_timer_makes_a_session_due(store: Store) -> None:
    timers = tuple(
        Timer(kind=kind, fires_at=NOON + timedelta(seconds=after), epoch=0)
        for kind, after in ((TimerKind.PAUSE, 60), (TimerKind.CLAIM_REMINDER, 20))
    )
    saved = store.committer.run(save(session(timers=timers)))
    store.clock.forward(19)
    assert store.reads.due_sessions(10) == ()
    store.clock.forward(1)
    assert store.reads.due_sessions(10) == ("s1",)
    assert store.committer.run(Job(lambda uow: uow.due_sessions(10))) == ("s1",)
    store.committer.run(save(replace(saved, timers=())))
    store.clock.forward(60)
    assert store.reads.due_sessions(10) == ()


# --- history ----------------------------------------------------------------------------------------


def test_events_are_kept_in_order_with_the_time_they_were_decided_at(store: Store) -> None:
    first, second = wrote("e1"), wrote("e2")

    def run(uow: UnitOfWork) -> None:
        entry = TimelineEntry(kind="note", rule="T1", text="Noted.", at=NOON, actor_id="m1", data={"a": "b"})
        done = outcome(session())
        uow.save(replace(done, timeline=(entry, replace(entry, text="Twice."))), first)
        uow.save(outcome(done.session), second)

    store.clock.forward(5)
    store.committer.run(Job(run))
    assert [(row.event, row.decided_at) for row in store.reads.events("s1")] == [
        (first, store.clock()),
        (second, store.clock()),
    ]
    shown = store.reads.timeline("s1")
    assert [(row.text, row.version, row.data) for row in shown] == [
        ("Noted.", 1, {"a": "b"}),
        ("Twice.", 1, {"a": "b"}),
    ]
    assert [row.text for row in store.reads.timeline("s1", after_id=shown[0].id)] == ["Twice."]


def test_pause_log_rows_hold_exactly_what_was_logged(store: Store) -> None:
    row = PauseLog(
        conversation_id="c1",
        action="pause_activated",
        reason="lunch",
        duration_minutes=None,
        triggered_by="m1",
        previous_ai_mode=AiMode.AUTO,
        new_ai_mode=AiMode.PAUSED,
        via="console",
        handoff=1,
        at=NOON,
        version=1,
    )
    timed = replace(row, action="extend_pause", duration_minutes=15, handoff=None)
    store.committer.run(Job(lambda uow: uow.save(replace(outcome(session()), pause_log=(row, timed)), None)))
    assert [logged for _, logged in store.reads.pause_log(WORKSPACE)] == [row, timed]
    assert [logged for _, logged in store.reads.pause_log(WORKSPACE, "s1")] == [row, timed]
    assert store.reads.pause_log("ws2") == ()
    assert store.reads.pause_log(WORKSPACE, "s2") == ()


def test_a_message_that_is_there_already_is_not_stored_twice(store: Store) -> None:
    saved = store.committer.run(Job(lambda uow: _say(uow, "m1", "first")))
    assert saved == 1
    store.committer.run(Job(lambda uow: _say(uow, "m1", "second")))
    assert [said.message.text for said in store.reads.messages("s1")] == ["first"]


def _say(uow: UnitOfWork, id: str, text: str) -> int:
    done = outcome(uow.session("s1") or session(), says=(message(id, text),))
    uow.save(done, None)
    return done.session.message_count


# --- effects ----------------------------------------------------------------------------------------


def test_an_effect_is_enqueued_in_its_lane(store: Store) -> None:
    opening = OpenTicket(link="l1", connection="con1", handoff=1, through_seq=0)
    alert = AlertOps(kind="drift", cause="x")
    store.committer.run(save(session(links=(link(),)), opening, alert, note("n1")))
    assert store.take_rung() == {"s1/ticket:l1", OPERATORS_LANE}
    ticket, mail = store.must_claim("s1/ticket:l1"), store.must_claim(OPERATORS_LANE)
    assert [row.effect for row in ticket.rows] == [opening, note("n1")]
    assert ticket.connection_id == "con1"
    assert [row.effect for row in mail.rows] == [alert]
    assert (mail.connection_id, mail.session_id, mail.destination) == (None, None, "mail:operators")


def test_an_effect_with_a_known_key_is_left_out(store: Store) -> None:
    done = store.committer.run(save(session(links=(link(),)), note("n1")))
    store.committer.run(save(done, note("n1"), note("n2"), note("n2")))
    assert [row.key for row in store.must_claim("s1/ticket:l1").rows] == ["note:l1:n1", "note:l1:n2"]


def test_the_same_key_in_another_session_is_another_effect(store: Store) -> None:
    store.committer.run(save(session("s1"), AlertOps(kind="drift", cause="x")))
    store.committer.run(save(session("s2", "c2"), AlertOps(kind="drift", cause="x")))
    assert len(store.reads.deliveries(WORKSPACE).items) == 2


def test_an_effect_for_the_platform_goes_to_every_enabled_endpoint(store: Store) -> None:
    one, _ = store.admin.create_endpoint(WORKSPACE, "https://one.example.com/hook")
    two, _ = store.admin.create_endpoint(WORKSPACE, "https://two.example.com/hook")
    off, _ = store.admin.create_endpoint(WORKSPACE, "https://off.example.com/hook")
    store.admin.disable_endpoint(off.id, "gone")
    store.committer.run(save(session(), MODE))
    rows = store.reads.deliveries(WORKSPACE).items
    assert {(row.destination, row.key) for row in rows} == {
        (f"platform:{endpoint.id}", f"mode:1@{endpoint.id}") for endpoint in (one, two)
    }
    assert store.must_claim(f"s1/platform:{one.id}").rows[0].effect == MODE


def test_without_an_endpoint_nothing_is_enqueued_for_the_platform(store: Store) -> None:
    store.committer.run(save(session(), MODE, SessionChanged(change=SessionChange.CREATED, version=1)))
    assert store.reads.deliveries(WORKSPACE).items == ()


def test_a_changed_endpoint_counts_from_the_next_transaction_on(store: Store) -> None:
    endpoint, _ = store.admin.create_endpoint(WORKSPACE, "https://one.example.com/hook")
    saved = store.committer.run(save(session(), MODE))
    store.admin.disable_endpoint(endpoint.id, "410")
    store.committer.run(save(saved, replace(MODE, version=2)))
    assert len(store.reads.deliveries(WORKSPACE).items) == 1
    store.admin.enable_endpoint(endpoint.id)
    store.committer.run(save(saved, replace(MODE, version=3)))
    assert len(store.reads.deliveries(WORKSPACE).items) == 2


# --- inbox ------------------------------------------------------------------------------------------


def test_a_repeated_event_gets_the_first_answer_and_changes_nothing(store: Store) -> None:
    assert store.committer.run(ingest("e1")) == "v1"
    assert store.committer.run(ingest("e1")) == "again: v1"
    assert len(store.reads.messages("s-e1")) == 1


def test_the_same_event_id_of_another_workspace_is_another_event(store: Store) -> None:
    store.admin.create_workspace("Other", id="ws2")
    assert store.committer.run(ingest("e1")) == "v1"
    job = ingest("e1", workspace="ws2")

    def run(uow: UnitOfWork) -> str | None:
        return uow.inbox_result("ws2", "e1")

    assert store.committer.run(Job(run, inbox=job.inbox)) is None


def test_raw_bytes_of_what_nobody_could_read_are_kept(store: Store) -> None:
    store.committer.run(
        Job(lambda uow: uow.record_inbox(WORKSPACE, "w1", "webhook", None, "unreadable", b"\x00{", "not JSON"))
    )
    assert store.committer.run(Job(lambda uow: uow.inbox_result(WORKSPACE, "w1"))) == "unreadable"


# --- ticket links -----------------------------------------------------------------------------------


def test_links_of_a_session_are_found_by_id_and_by_ticket(store: Store) -> None:
    bound = link(remote_id="77", state=LinkState.LINKED)
    saved = store.committer.run(save(session(links=(link(), link("l2", "con2")))))

    def run(uow: UnitOfWork) -> None:
        uow.save(outcome(replace(saved, links=(bound, link("l2", "con2")))), None)
        row = uow.link("l1")
        assert row is not None
        assert (row.remote_id, row.state, row.session_id, row.key) == ("77", "linked", "s1", "key-l1")

    store.committer.run(Job(run))
    found = store.committer.run(Job(lambda uow: uow.links_of_remote("con1", ["77", "78"])))
    assert [row.id for row in found] == ["l1"]
    assert store.committer.run(Job(lambda uow: uow.links_of_remote("con2", ["77"]))) == ()
    assert [row.id for row in store.reads.links("s1")] == ["l1", "l2"]


def test_what_was_read_of_a_ticket_survives_changes_of_its_link(store: Store) -> None:
    saved = store.committer.run(save(session(links=(link(),))))
    store.committer.run(Job(lambda uow: uow.save_read("l1", "cursor-5", '{"status":"open"}')))
    store.committer.run(save(replace(saved, links=(link(remote_id="9"),))))
    row = store.reads.link("l1")
    assert row is not None
    assert (row.cursor, row.snapshot, row.read_at, row.remote_id) == ("cursor-5", '{"status":"open"}', NOON, "9")


def test_a_read_can_be_saved_in_the_transaction_that_makes_the_link(store: Store) -> None:
    def run(uow: UnitOfWork) -> None:
        uow.save(outcome(session(links=(link(),))), None)
        uow.save_read("l1", "1", "{}")
        uow.link_message("l1", "k1", "m1", "in")
        assert uow.known_comments("l1", ["k1"]) == {"k1"}

    store.committer.run(Job(run))
    row = store.reads.link("l1")
    assert row is not None
    assert row.cursor == "1"


def test_known_comments_are_remembered_once(store: Store) -> None:
    store.committer.run(save(session(links=(link(), link("l2", "con2")))))
    for _ in range(2):
        store.committer.run(Job(lambda uow: uow.link_message("l1", "k1", "m1", "out", "marker")))
    assert store.committer.run(Job(lambda uow: uow.known_comments("l1", ["k1", "k2"]))) == {"k1"}
    assert store.committer.run(Job(lambda uow: uow.known_comments("l2", ["k1"]))) == frozenset()


def test_a_sweep_goes_on_where_it_ended(store: Store) -> None:
    connection = store.admin.create_connection(WORKSPACE, "zendesk", "acme", {}, {})
    assert store.reads.sweep_cursor(connection.id) is None
    store.committer.run(Job(lambda uow: uow.save_sweep(connection.id, "t=5")))
    assert store.reads.sweep_cursor(connection.id) == "t=5"


# --- configuration ----------------------------------------------------------------------------------


def test_a_changed_policy_counts_from_the_next_transaction_on(store: Store) -> None:
    assert store.committer.run(Job(lambda uow: uow.workspace(WORKSPACE))).policy == Policy()
    store.admin.update_workspace(WORKSPACE, policy=Policy(live_handback=False), teams={"sales": {"redact": False}})
    row = store.committer.run(Job(lambda uow: uow.workspace(WORKSPACE)))
    assert row.policy == Policy(live_handback=False)
    assert row.teams == {"sales": {"redact": False}}


def test_an_unknown_workspace_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="ws9"):
        store.committer.run(Job(lambda uow: uow.workspace("ws9")))


def test_connections_show_whether_they_may_be_used(store: Store) -> None:
    row = store.admin.create_connection(WORKSPACE, "zendesk", "acme", {"subdomain": "acme"}, {"token": "t"})
    assert store.committer.run(Job(lambda uow: uow.connections(WORKSPACE))) == (row,)
    store.admin.stop_connection(row.id, "401")
    stopped = store.committer.run(Job(lambda uow: uow.connections(WORKSPACE)))
    assert [connection.stopped_reason for connection in stopped] == ["401"]
