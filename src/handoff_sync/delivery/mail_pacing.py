"""How often one person is mailed: a few mails at once, then one that names all that have come since, now and then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from handoff_sync.store.rows import OutboxRow

WINDOW: Final = timedelta(minutes=10)
AT_ONCE: Final = 5
"""Mails within the window that go by themselves."""
EVERY: Final = timedelta(minutes=5)
"""How long what comes after them waits for its neighbours."""


class MailPacing:
    """The mails to one person. `recent` are the times of the last ones, kept with their lane."""

    def __init__(self, recent: Sequence[datetime], rows: Sequence[OutboxRow], now: datetime) -> None:
        self._recent = tuple(at for at in recent if timedelta() <= now - at < WINDOW)
        self._first = rows[0].created_at
        self._free = AT_ONCE - len(self._recent)
        self._crowd = len(rows) > max(self._free, 1)
        self._now = now

    @property
    def together(self) -> bool:
        """Whether all that waits goes as one, when it goes."""
        if self._free <= 0:
            return True
        return self._crowd and self._first + EVERY <= self._now  # it has waited for its neighbours, or for the server

    @property
    def hold_until(self) -> datetime | None:
        """When the next mail may go; None: now."""
        if self._free > 0:
            return None
        due = max(self._first, self._recent[-1]) + EVERY
        return due if due > self._now else None

    def spent(self, mails: int) -> tuple[datetime, ...]:
        """What to remember after `mails` more."""
        return (*self._recent, *([self._now] * mails))
