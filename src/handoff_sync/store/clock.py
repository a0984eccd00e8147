"""Where the store gets the time from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time now, aware UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)
