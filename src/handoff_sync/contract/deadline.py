"""One deadline for all calls of one operation: the contract lets a method block for CALL_DEADLINE_S."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from handoff_sync.contract.connector import CALL_DEADLINE_S
from handoff_sync.errors import VendorDown

_ENDS_AT: ContextVar[float | None] = ContextVar("operation_ends_at", default=None)

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


def ends_at() -> float:
    """The end of this operation on the monotonic clock; outside of one, of a call that begins now."""
    return _ENDS_AT.get() or time.monotonic() + CALL_DEADLINE_S


def must_fit(what: object, call_s: float) -> None:
    """VendorDown unless a call of `call_s` still fits: what was done stands, the next attempt goes on from there."""
    if ends_at() - time.monotonic() < call_s:
        raise VendorDown(f"No time was left for {what}; it was not sent.")
