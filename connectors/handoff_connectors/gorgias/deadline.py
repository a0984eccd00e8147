"""All calls that one operation makes share one deadline."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, ParamSpec, TypeVar

from handoff_sync.contract.connector import CALL_DEADLINE_S, READ_TIMEOUT_S
from handoff_sync.errors import VendorDown

ONE_CALL_S: Final = READ_TIMEOUT_S
"""The longest that a single call may take, from its start to the last byte of the answer."""

_ENDS_AT: ContextVar[float | None] = ContextVar("gorgias_operation_ends_at", default=None)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def one_operation(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """Gives all calls that `method` makes one common deadline; within another operation that one's stays."""

    @functools.wraps(method)
    def timed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if _ENDS_AT.get() is not None:
            return method(*args, **kwargs)
        token = _ENDS_AT.set(time.monotonic() + CALL_DEADLINE_S)
        try:
            return method(*args, **kwargs)
        finally:
            _ENDS_AT.reset(token)

    return timed


def must_fit(what: object) -> None:
    """Raises VendorDown unless a whole call still fits into the operation."""
    ends_at = _ENDS_AT.get()
    if ends_at is not None and ends_at - time.monotonic() < ONE_CALL_S:
        raise VendorDown(f"No time was left for {what}; it was not sent.")
