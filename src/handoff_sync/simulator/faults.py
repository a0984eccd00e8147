"""Faults on demand: what shall go wrong with the next calls to a simulated helpdesk, and with its webhooks."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    STATUS = "status"  # an error answer in the helpdesk's own words
    DROP = "drop"  # the connection closes without an answer
    HANG = "hang"  # no answer until `delay_s` is over or the caller gives up, then the connection closes
    CUT = "cut"  # the answer breaks off in the middle
    HTML = "html"  # a proxy's HTML page instead of JSON
    HUGE = "huge"  # an answer of 5 MB
    BODY = "body"  # JSON of our choosing: `body`
    WARPED = "warped"  # the right answer, its values of other types
    TRICKLE = "trickle"  # the answer comes byte by byte, `delay_s` apart, until the caller gives up
    SLOW = "slow"  # the right answer, `delay_s` late


APPLIED_BY_DEFAULT = frozenset({FaultKind.CUT, FaultKind.SLOW, FaultKind.WARPED})


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. It hits calls whose method and path match, after `skip` of them, `count` times.

    `path` is a regular expression searched in the path without query. `applied` says whether the helpdesk did what was
    asked before it failed: "applied but the answer is lost" is `DROP` or `HANG` with `applied`. `count` None: until
    cleared.
    """

    kind: FaultKind
    method: str = "*"
    path: str = ""
    count: int | None = 1
    skip: int = 0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    body: str = ""
    applied: bool | None = None
    id: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        self.kind = FaultKind(self.kind)
        re.compile(self.path)
        if self.applied is None:
            self.applied = self.kind in APPLIED_BY_DEFAULT

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and re.search(self.path, path) is not None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Faults:
    """The faults that wait for their call, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._ids = itertools.count(1)
        self.latency_s = 0.0

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            fault.id = next(self._ids)
            self._waiting.append(fault)
        return fault

    def add_json(self, wanted: Mapping[str, Any]) -> Fault:
        """A fault from the control API.

        Raises:
            ValueError: a field is unknown, `kind` is missing or not a fault, or `path` is not a regular expression.
        """
        known = {f.name for f in fields(Fault)} - {"id", "hits"}
        if unknown := sorted(set(wanted) - known):
            raise ValueError(f"Unknown fields {', '.join(unknown)}; known: {', '.join(sorted(known))}.")
        if wanted.get("kind") not in set(FaultKind):
            raise ValueError(f"kind must be one of {', '.join(FaultKind)}.")
        try:
            return self.add(Fault(**wanted))
        except re.error as error:
            raise ValueError(f"path is not a regular expression: {error}.") from error

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this call, which uses it up once; None when all goes well."""
        with self._lock:
            for fault in self._waiting:
                if not fault.matches(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                self._use(fault)
                return fault
        return None

    def _use(self, fault: Fault) -> None:
        fault.hits += 1
        if fault.count is None:
            return
        fault.count -= 1
        if fault.count <= 0:
            self._waiting.remove(fault)

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
        self.latency_s = 0.0

    # --- the usual ones, by name -----------------------------------------------------------------

    def fail(
        self,
        status: int = 500,
        *,
        method: str = "*",
        path: str = "",
        count: int | None = 1,
        applied: bool = False,
        retry_after_s: float | None = None,
        skip: int = 0,
    ) -> Fault:
        """Answer `status`. With `applied` the call is carried out first."""
        headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
        return self.add(
            Fault(
                kind=FaultKind.STATUS,
                status=status,
                method=method,
                path=path,
                count=count,
                applied=applied,
                headers=headers,
                skip=skip,
            )
        )

    def rate_limit(
        self, retry_after_s: float = 1, *, method: str = "*", path: str = "", count: int | None = 1
    ) -> Fault:
        return self.fail(429, method=method, path=path, count=count, retry_after_s=retry_after_s)

    def lose_answer(self, *, method: str = "*", path: str = "", count: int | None = 1, skip: int = 0) -> Fault:
        """The call is carried out, and the caller never hears of it: the connection closes."""
        return self.add(Fault(kind=FaultKind.DROP, method=method, path=path, count=count, applied=True, skip=skip))

    def drop(self, *, method: str = "*", path: str = "", count: int | None = 1) -> Fault:
        """The connection closes and nothing was done."""
        return self.add(Fault(kind=FaultKind.DROP, method=method, path=path, count=count))

    def hang(
        self, seconds: float = 3600, *, method: str = "*", path: str = "", count: int | None = 1, applied: bool = False
    ) -> Fault:
        """No answer: the caller runs into its own timeout."""
        return self.add(
            Fault(kind=FaultKind.HANG, delay_s=seconds, method=method, path=path, count=count, applied=applied)
        )

    def cut(self, *, method: str = "*", path: str = "", count: int | None = 1, applied: bool = True) -> Fault:
        return self.add(Fault(kind=FaultKind.CUT, method=method, path=path, count=count, applied=applied))

    def html(self, status: int = 200, *, method: str = "*", path: str = "", count: int | None = 1) -> Fault:
        return self.add(Fault(kind=FaultKind.HTML, status=status, method=method, path=path, count=count))

    def huge(self, status: int = 200, *, method: str = "*", path: str = "", count: int | None = 1) -> Fault:
        return self.add(Fault(kind=FaultKind.HUGE, status=status, method=method, path=path, count=count))

    def slow(self, seconds: float, *, method: str = "*", path: str = "", count: int | None = 1) -> Fault:
        return self.add(Fault(kind=FaultKind.SLOW, delay_s=seconds, method=method, path=path, count=count))
