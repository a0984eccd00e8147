"""What a simulated helpdesk was asked: the proof that a ticket was made once and each message written once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

KEPT_HEADERS: Final = frozenset({"content-type", "accept", "user-agent", "idempotency-key", "x-on-behalf-of"})
KEPT_ANSWER_HEADERS: Final = frozenset({"x-idempotency-lookup", "retry-after", "location", "x-zendesk-api-warn"})
MAX_ENTRIES: Final = 50_000


@dataclass(slots=True, kw_only=True)
class LoggedRequest:
    """One call. `status` None: no answer was given. `applied` false: a fault kept the call from being carried out."""

    number: int
    at: datetime
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    duration_ms: float = 0.0
    fault: str | None = None
    applied: bool = True

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.isoformat()}


class RequestLog:
    """The newest calls, oldest first. Keeps no credentials and no bodies. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[LoggedRequest] = []
        self._count = 0

    def begin(self, at: datetime, method: str, path: str, query: str, headers: Mapping[str, str]) -> LoggedRequest:
        """Write a call down before it is answered, so that one that never gets an answer is seen too."""
        kept = {name: value for name, value in headers.items() if name in KEPT_HEADERS}
        with self._lock:
            self._count += 1
            entry = LoggedRequest(number=self._count, at=at, method=method, path=path, query=query, headers=kept)
            self._entries.append(entry)
            if len(self._entries) > MAX_ENTRIES:
                del self._entries[: MAX_ENTRIES // 10]
        return entry

    def all(self, method: str | None = None, path_contains: str = "") -> list[LoggedRequest]:
        with self._lock:
            entries = list(self._entries)
        return [e for e in entries if method in (None, e.method) and path_contains in e.path]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._count = 0
