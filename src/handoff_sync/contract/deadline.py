"""One deadline for all calls of one operation: the contract lets a method block for CALL_DEADLINE_S."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from handoff_sync.contract.connector import CALL_DEADLINE_S
from handoff_sync.errors import VendorDown


@dataclass(frozen=True, slots=True)
class _Operation:
    ends_at: float
    lasts_s: float


_NOW: ContextVar[_Operation | None] = ContextVar("operation", default=None)

_P = ParamSpec("_P")
_R = TypeVar("_R")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Gives all calls made meanwhile one common deadline; within another operation that one's stays."""
    if _NOW.get() is not None:
        yield
        return
    token = _NOW.set(_Operation(time.monotonic() + seconds, seconds))
    try:
        yield
    finally:
        _NOW.reset(token)


def one_operation(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """Gives all calls that `method` makes one common deadline."""

    @functools.wraps(method)
    def timed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with within(CALL_DEADLINE_S):
            return method(*args, **kwargs)

    return timed


def ends_at() -> float:
    """The end of this operation on the monotonic clock; outside of one, of a call that begins now."""
    operation = _NOW.get()
    return operation.ends_at if operation is not None else time.monotonic() + CALL_DEADLINE_S


def must_fit(what: object, call_s: float) -> None:
    """VendorDown unless a call of `call_s` still fits: what was done stands, the next attempt goes on from there."""
    if ends_at() - time.monotonic() < scaled(call_s):
        raise VendorDown(f"No time was left for {what}; it was not sent.")


def scaled(seconds: float) -> float:
    """What `seconds` of a full operation come to in this one, which may be a shorter one."""
    operation = _NOW.get()
    return seconds if operation is None else seconds * min(operation.lasts_s / CALL_DEADLINE_S, 1.0)
