"""Repeats come later and later, never sooner than asked, and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff_sync.core.backoff import CALLBACK_TRIES, MAX_ATTEMPTS, next_attempt, next_callback, wait_s

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CHANCE = st.floats(0, 1, exclude_max=True)


@given(attempts=st.integers(1, 10_000), chance=CHANCE)
def test_waits_between_five_seconds_and_an_hour(attempts: int, chance: float) -> None:
    assert 5 <= wait_s(attempts, chance=chance) <= 3600


def test_the_ceiling_doubles_until_an_hour() -> None:
    almost = 1 - 1e-12
    assert [round(wait_s(n, chance=almost)) for n in range(1, 12)] == [
        10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600,
    ]  # fmt: skip


@given(attempts=st.integers(1, 30), chance=CHANCE, asked=st.floats(-10, 1e9))
def test_never_sooner_than_the_vendor_asked_up_to_an_hour(attempts: int, chance: float, asked: float) -> None:
    assert min(asked, 3600) <= wait_s(attempts, chance=chance, retry_after_s=asked) <= 3600


def test_the_last_attempt_parks() -> None:
    assert next_attempt(MAX_ATTEMPTS - 1, NOW, chance=0) == NOW + timedelta(seconds=5)
    assert next_attempt(MAX_ATTEMPTS, NOW, chance=0) is None
    assert MAX_ATTEMPTS == 12


def test_a_callback_is_tried_eight_times_over_a_day() -> None:
    waits = []
    for tries in range(1, CALLBACK_TRIES):
        again = next_callback(tries, NOW, chance=0.5)
        assert again is not None
        waits.append((again - NOW).total_seconds())
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert CALLBACK_TRIES == 8 and sum(waits) / 3600 == pytest.approx(27.6, abs=0.05)
    assert next_callback(8, NOW, chance=0.5) is None


@given(tries=st.integers(1, 7), chance=CHANCE)
def test_callback_waits_spread_by_a_fifth(tries: int, chance: float) -> None:
    middle, drawn = next_callback(tries, NOW, chance=0.5), next_callback(tries, NOW, chance=chance)
    assert middle is not None and drawn is not None
    assert 0.8 <= (drawn - NOW) / (middle - NOW) <= 1.2
