"""Lists: filtered, in order, page by page, and of one workspace only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handoff_sync.core.effects import AlertOps
from handoff_sync.core.model import AuthorClass, Customer, Person, Phase, Responder
from handoff_sync.store.committer import Job
from handoff_sync.store.filters import SessionFilter, encode_cursor
from tests.store.world import WORKSPACE, Store, message, outcome, save, session, wrote

OPERATORS_LANE = f"{WORKSPACE}/mail:operators"


def ids(store: Store, filters: SessionFilter | None = None, workspace: str = WORKSPACE) -> list[str]:
    return [found.id for found in store.reads.sessions(workspace, filters).items]


def several(store: Store) -> None:
    human = Responder(author_class=AuthorClass.HUMAN, id="m1")
    for found in (
        session("s1", "c1", team="sales", labels=("vip", "vip-2"), channel="web"),
        session("s2", "c2", phase=Phase.WAITING, customer=Customer(name="Ana 100%"), channel="whatsapp"),
        session("s3", "c3", phase=Phase.HUMAN, assignee=Person(id="m1"), last_responder=human, labels=("vip-2",)),
        session("s4", "c4", phase=Phase.RESOLVED),
    ):
        store.clock.forward(1)
        store.committer.run(save(found))


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (SessionFilter(), ["s4", "s3", "s2", "s1"]),
        (SessionFilter(status="open"), ["s3", "s2", "s1"]),
        (SessionFilter(phase="waiting"), ["s2"]),
        (SessionFilter(needs_human=True), ["s3", "s2"]),
        (SessionFilter(needs_human=False), ["s4", "s1"]),
        (SessionFilter(needs_human=True, unassigned=True), ["s2"]),
        (SessionFilter(unassigned=False), ["s3"]),
        (SessionFilter(assignee_id="m1"), ["s3"]),
        (SessionFilter(last_responder_class="human"), ["s3"]),
        (SessionFilter(team="sales"), ["s1"]),
        (SessionFilter(channel="whatsapp"), ["s2"]),
        (SessionFilter(label="vip"), ["s1"]),
        (SessionFilter(label="vip-2"), ["s3", "s1"]),
        (SessionFilter(label="v_p"), []),
        (SessionFilter(conversation_id="c4"), ["s4"]),
        (SessionFilter(text="ana 100%"), ["s2"]),
        (SessionFilter(text="10_%"), []),
    ],
    ids=str,
)
def test_sessions_are_filtered(store: Store, filters: SessionFilter, wanted: list[str]) -> None:
    several(store)
    assert ids(store, filters) == wanted
    assert ids(store, filters, "ws2") == []


def test_text_is_looked_for_in_the_transcript_too(store: Store) -> None:
    said = message("m1", "Where is my REFUND?")
    store.committer.run(Job(lambda uow: uow.save(outcome(session(), says=(said,)), wrote("e1"))))
    assert ids(store, SessionFilter(text="refund")) == ["s1"]
    assert ids(store, SessionFilter(text="refunds")) == []


def test_pages_of_sessions_hold_every_one_once(store: Store) -> None:
    for number in range(7):
        if number % 2:
            store.clock.forward(0.001)
        store.committer.run(save(session(f"s{number}", f"c{number}")))
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = store.reads.sessions(WORKSPACE, cursor=cursor, limit=2)
        seen += [found.id for found in page.items]
        cursor = page.cursor
    assert cursor is None
    assert seen == [f"s{number}" for number in reversed(range(7))]


NAIVE = encode_cursor("2026-03-01T12:00:00", "s1")


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "YQ", "\u00e4", NAIVE])
def test_a_foreign_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(ValueError, match="not one of ours"):
        store.reads.sessions(WORKSPACE, cursor=cursor)
    with pytest.raises(ValueError, match="not one of ours"):
        store.reads.deliveries(WORKSPACE, cursor=cursor)


def test_deliveries_are_listed_newest_first_page_by_page(store: Store) -> None:
    alerts = [AlertOps(kind="drift", cause=str(number)) for number in range(5)]
    store.committer.run(save(session(), *alerts))
    first = store.reads.deliveries(WORKSPACE, limit=3)
    rest = store.reads.deliveries(WORKSPACE, cursor=first.cursor, limit=3)
    assert [row.effect for row in first.items + rest.items] == alerts[::-1]
    assert rest.cursor is None
    assert store.reads.deliveries("ws2").items == ()
    assert store.reads.delivery("ws2", first.items[0].id) is None
    assert store.reads.delivery(WORKSPACE, first.items[0].id) == first.items[0]


def test_deliveries_by_status(store: Store) -> None:
    store.committer.run(save(session(), AlertOps(kind="drift", cause="1"), AlertOps(kind="drift", cause="2")))
    claim = store.must_claim(OPERATORS_LANE)
    store.committer.run(Job(lambda uow: uow.settle(claim, {claim.rows[0].id: "250 OK"})))
    done, pending = (store.reads.deliveries(WORKSPACE, status).items for status in ("done", "pending"))
    assert [(row.key, row.result, row.destination) for row in done] == [("alert:drift:1", "250 OK", "mail:operators")]
    assert [row.key for row in pending] == ["alert:drift:2"]


def test_the_backlog_counts_due_lanes(store: Store) -> None:
    assert store.reads.backlog() == (0, 0)
    store.committer.run(save(session(), AlertOps(kind="drift", cause="1")))
    later = store.clock() + timedelta(seconds=5)
    wake = Job(lambda uow: uow.wake("con1/sweep", later, workspace_id=WORKSPACE, destination="sweep"))
    store.committer.run(wake)
    assert store.reads.backlog() == (1, 0)
    store.clock.forward(5)
    assert store.reads.backlog() == (2, 0)
    assert store.reads.due_lanes(10) == (OPERATORS_LANE, "con1/sweep")
    assert store.reads.due_lanes(1) == (OPERATORS_LANE,)


def test_a_transcript_is_read_from_where_one_was(store: Store) -> None:
    said = tuple(message(f"m{number}") for number in range(5))
    store.committer.run(Job(lambda uow: uow.save(outcome(session(), says=said), None)))
    assert [one.seq for one in store.reads.messages("s1")] == [1, 2, 3, 4, 5]
    assert [one.seq for one in store.reads.messages("s1", after_seq=2, limit=2)] == [3, 4]
    assert store.reads.messages("s9") == ()
