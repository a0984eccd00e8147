"""Figures for operators, in the text format of Prometheus. No label holds a workspace, a name or an id of anyone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits, counted when somebody asks."""

    lanes_due: int = 0
    parked_deliveries: int = 0


class Metrics:
    """One registry per app, so that two apps of one process (tests, demo) do not mix their figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.events = Counter("handoff_events", "Events by type and verdict.", ["type", "verdict"], registry=r)
        self.blocked = Counter("handoff_ai_attempts_blocked", "AI messages that were not allowed.", registry=r)
        self.webhooks = Counter("handoff_webhooks", "Webhooks of helpdesks.", ["kind", "result"], registry=r)
        self.latency = Histogram(
            "handoff_request_seconds", "Time to answer.", ["route", "method", "status"], buckets=_BUCKETS, registry=r
        )
        self._lanes_due = Gauge("handoff_lanes_due", "Lanes with work that is due and not taken.", registry=r)
        self._parked = Gauge("handoff_deliveries_parked", "Deliveries that wait for a person.", registry=r)

        # Looking a labelled figure up costs more than counting: routes, types and verdicts are few.
        self._event = cache(self.events.labels)
        self._answer = cache(self.latency.labels)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        self._answer(route, method, status).observe(seconds)

    def event(self, kind: str, verdict: str) -> None:
        """Counts one event; `kind` is a type that we know, never a word of the caller."""
        self._event(kind, verdict).inc()
        if verdict == "block":
            self.blocked.inc()

    def render(self, backlog: Backlog) -> bytes:
        self._lanes_due.set(backlog.lanes_due)
        self._parked.set(backlog.parked_deliveries)
        return generate_latest(self.registry)
