"""How often a ticket may be written to: rules of one ticket's pacing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from handoff_sync.contract.connector import Budget
from handoff_sync.delivery.pacing import RESERVE, Pacing

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ZENDESK = Budget(name="ticket", limit=30, window_s=600)


def test_the_first_update_goes_at_once() -> None:
    assert Pacing(ZENDESK, (), START).hold_until is None


def test_without_a_limit_nothing_ever_waits() -> None:
    assert Pacing(None, [START] * 1000, START).hold_until is None


def test_a_third_of_the_window_is_free_and_then_updates_are_spread() -> None:
    nine, ten = [START] * 9, [START] * 10
    assert Pacing(ZENDESK, nine, START).hold_until is None
    held = Pacing(ZENDESK, ten, START).hold_until
    assert held is not None and held > START


def test_updates_that_left_the_window_count_no_more() -> None:
    assert Pacing(ZENDESK, [START] * 30, START + timedelta(seconds=600)).hold_until is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 30), min_size=31, max_size=90))
def test_whatever_comes_no_window_holds_more_than_the_limit_and_everything_is_said(gaps: list[float]) -> None:
    """A customer writes at random; each comment says all that waits. The reserve stays free for status and tags."""
    now, sent, waiting = START, tuple[datetime, ...](), 0
    all_sent: list[datetime] = []
    arrivals = iter([*gaps, *([None] * 2000)])
    while (gap := next(arrivals)) is not None or waiting:
        now += timedelta(seconds=gap if gap is not None else 1)
        waiting += gap is not None
        pacing = Pacing(ZENDESK, sent, now)
        if waiting and pacing.hold_until is None:
            sent, waiting = pacing.spent(1), 0
            all_sent.append(now)
    assert waiting == 0
    window = timedelta(seconds=600)
    for at in all_sent:
        assert sum(at - window < other <= at for other in all_sent) <= ZENDESK.limit - RESERVE
