"""What the service lends a connector, kept in memory: journal, credentials and limiter."""

from __future__ import annotations

import io
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from handoff_sync.contract.connector import Budget
from handoff_sync.contract.files import LocalFile
from handoff_sync.errors import RateLimited

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
"""Longer than a piece, and no whole number of groups in base64."""


class MemoryJournal:
    """Outlives connectors, as the row of an effect does. `before_put` is told what is about to be kept."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def put(self, name: str, value: str) -> None:
        self.kept[name] = value


class StoredSecrets:
    """Credentials of one connection, shared by all connectors that stand for its processes."""

    def __init__(self, stored: Mapping[str, str] | None = None, /, **secrets: str) -> None:
        self.secrets: Mapping[str, str] = {**(stored or {}), **secrets}

    def current(self) -> Mapping[str, str]:
        return self.secrets

    def refresh(self, renew: Callable[[Mapping[str, str]], Mapping[str, str]], stale: str) -> Mapping[str, str]:
        if self.secrets.get("access_token", "") == stale:
            self.secrets = renew(self.secrets)
        return self.secrets


class Spending:
    """A limiter that remembers what was spent. `left` counts down; after the last one every call is refused."""

    def __init__(self) -> None:
        self.spent: list[str] = []
        self.left: float = math.inf
        self.wait_s = 12.5

    def spend(self, name: str) -> None:
        if self.left <= 0:
            raise RateLimited("Our own budget is used up.", self.wait_s, "connection")
        self.left -= 1
        self.spent.append(name)


LATER_S: Final = 0.5
"""A lane that waited does not come back to the millisecond."""


class Budgets(Spending):
    """A limiter with these budgets, in windows that move with this clock (Unix seconds)."""

    def __init__(self, budgets: Sequence[Budget], clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._calls = {budget.name: (budget, deque[float]()) for budget in budgets}

    def spend(self, name: str) -> None:
        now = self._clock()
        counted = [self._calls[each] for each in dict.fromkeys((name, "*")) if each in self._calls]
        for budget, calls in counted:
            while calls and calls[0] <= now - budget.window_s:
                calls.popleft()
            if len(calls) >= budget.limit:
                wait = calls[0] + budget.window_s - now + LATER_S
                raise RateLimited("Our own budget is used up.", wait, "connection" if budget.name == "*" else "ticket")
        for _, calls in counted:
            calls.append(now)
        super().spend(name)


@contextmanager
def awake() -> Iterator[None]:
    """Whoever sleeps meanwhile in this thread fails; others, such as the simulated helpdesk's, may."""
    sleep, ours = time.sleep, threading.get_ident()

    def never(seconds: float) -> None:
        if threading.get_ident() == ours:
            raise AssertionError(f"slept {seconds} s")
        sleep(seconds)

    knowing = [module for module in list(sys.modules.values()) if vars(module).get("sleep") is sleep]
    for module in knowing:  # zenpy, for one, has it by name
        vars(module)["sleep"] = never
    try:
        yield
    finally:
        for module in knowing:
            vars(module)["sleep"] = sleep


def local_file(name: str = "photo.png", content: bytes = PNG, kind: str = "image/png") -> LocalFile:
    """A file on its way to a ticket."""
    return LocalFile(name=name, content_type=kind, size=len(content), content=io.BytesIO(content))
