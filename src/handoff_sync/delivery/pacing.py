"""How often one ticket may be written to: first updates go at once, later ones are spread so that none is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from handoff_sync.contract.connector import Budget

RESERVE = 4
"""Updates kept free for status, assignee and tags, which do not wait."""


class Pacing:
    """The updates of one ticket within the helpdesk's window; kept with its lane, so a restart forgets nothing.

    A third of the window's limit is free to be used at once. After that the rest is spread over the window, so
    messages that come meanwhile are said together.
    """

    def __init__(self, budget: Budget | None, recent: Sequence[datetime], now: datetime) -> None:
        self._budget = budget
        self._now = now
        self._window = timedelta(seconds=budget.window_s) if budget is not None else timedelta()
        self._recent = tuple(at for at in recent if now - at < self._window)

    @property
    def hold_until(self) -> datetime | None:
        """When the next comment may go; None: now."""
        if self._budget is None or not self._recent:
            return None
        free = self._budget.limit // 3
        if len(self._recent) < free:
            return None
        if len(self._recent) >= self._budget.limit - RESERVE:
            return self._recent[-(self._budget.limit - RESERVE)] + self._window
        spread = self._window / (self._budget.limit - RESERVE - free)
        due = self._recent[-1] + spread
        return due if due > self._now else None

    def spent(self, updates: int) -> tuple[datetime, ...]:
        """What to remember after `updates` more."""
        return (*self._recent, *([self._now] * updates))
