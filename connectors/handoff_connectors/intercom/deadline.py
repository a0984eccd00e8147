"""One deadline for all calls of one operation: the contract lets a method block for CALL_DEADLINE_S."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, ParamSpec, TypeVar

from handoff_sync.contract.connector import CALL_DEADLINE_S
from handoff_sync.errors import VendorDown

CALL_S: Final = CALL_DEADLINE_S / 2
"""One call's share; none begins later than that before the end."""

_ENDS: ContextVar[float | None] = ContextVar("intercom_deadline", default=None)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def one_operation(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """Gives all calls that `method` makes one common deadline; within another operation that one's stays."""

    @functools.wraps(method)
    def timed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if _ENDS.get() is not None:
            return method(*args, **kwargs)
        token = _ENDS.set(time.monotonic() + CALL_DEADLINE_S)
        try:
            return method(*args, **kwargs)
        finally:
            _ENDS.reset(token)

    return timed


def time_for_a_call() -> None:
    """VendorDown when a whole call does not fit any more: what was done stands, the next attempt goes on from there."""
    ends = _ENDS.get()
    if ends is not None and ends - time.monotonic() < CALL_S:
        raise VendorDown("Intercom answers too slowly to finish in one go. It goes on from here later.")
