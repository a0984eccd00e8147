"""Sends a simulated helpdesk's webhooks: signed at send time, repeated by its rules, and spoiled on demand."""

from __future__ import annotations

import heapq
import http.client
import itertools
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.webhook_faults import WebhookFaults

MAX_ANSWER_BYTES: Final = 65_536
MAX_ATTEMPTS_KEPT: Final = 10_000
SENDERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A webhook to be sent. `body` is evaluated once, when the first attempt starts; `headers` before each attempt."""

    id: str
    hook_id: str
    url: str
    body: Callable[[], bytes]
    headers: Callable[[bytes], Mapping[str, str]]
    method: str = "POST"
    topic: str = ""


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One sending. `status` None: no answer, `error` says why ("timeout" or "connection")."""

    outgoing: Outgoing
    number: int
    at: datetime
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    error: str | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""


@dataclass(order=True, slots=True)
class _Job:
    due: float
    order: int
    outgoing: Outgoing = field(compare=False)
    number: int = field(compare=False, default=1)
    body: bytes | None = field(compare=False, default=None)


class WebhookSender:
    """A queue and a few threads. No order is promised; a receiver that hangs holds up one thread only.

    `retry` says after how many seconds an attempt is repeated, or None to leave it. `on_attempt` hears of each
    finished attempt, and of a lost one (status and error None).
    """

    def __init__(
        self,
        clock: SimulatorClock,
        retry: Callable[[Attempt], float | None],
        on_attempt: Callable[[Attempt, bool], None] = lambda attempt, last: None,
        timeout_s: float = 12.0,
    ) -> None:
        self.faults = WebhookFaults(self._wake)
        self._clock, self._retry, self._on_attempt, self._timeout_s = clock, retry, on_attempt, timeout_s
        self._changed = threading.Condition()
        self._queue: list[_Job] = []
        self._in_flight = 0
        self._order = itertools.count()
        self._generation = 0
        self._threads: list[threading.Thread] = []
        self.attempts: list[Attempt] = []
        clock.on_advance(self._wake)

    def start(self) -> None:
        if self._threads:
            return
        self._generation += 1
        for number in range(SENDERS):
            thread = threading.Thread(target=self._work, args=(self._generation,), name=f"webhooks:{number}")
            thread.daemon = True
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop sending; what waits is kept and goes out after the next `start`."""
        self._generation += 1
        self._threads.clear()
        self._wake()

    def send(self, outgoing: Outgoing) -> None:
        for wait_s, wanted in self.faults.plan(outgoing):
            self._put(_Job(self._clock.unix() + wait_s, next(self._order), wanted))
        if self.faults.was_lost(outgoing):
            self._on_attempt(Attempt(outgoing=outgoing, number=0, at=self._clock.now()), True)

    def wait_idle(self, timeout_s: float = 10.0, *, retries_too: bool = False) -> bool:
        """Wait until everything that is due has been sent; False when that takes longer than `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while self._busy(retries_too):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.05))
        return True

    def clear(self) -> None:
        """Forget what waits and what was sent."""
        with self._changed:
            self._queue.clear()
            self.attempts.clear()
            self._changed.notify_all()
        self.faults.clear()

    @property
    def waiting(self) -> int:
        with self._changed:
            return len(self._queue) + self.faults.held

    def _busy(self, retries_too: bool) -> bool:
        now = self._clock.unix()
        return self._in_flight > 0 or any(retries_too or job.due <= now for job in self._queue)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _put(self, job: _Job) -> None:
        with self._changed:
            heapq.heappush(self._queue, job)
            self._changed.notify()

    def _work(self, generation: int) -> None:
        while (job := self._next(generation)) is not None:
            try:
                self._perform(job)
            finally:
                with self._changed:
                    self._in_flight -= 1
                    self._changed.notify_all()

    def _next(self, generation: int) -> _Job | None:
        with self._changed:
            while generation == self._generation:
                wait_s: float | None = None
                if self._queue and not self.faults.paused:
                    wait_s = self._queue[0].due - self._clock.unix()
                    if wait_s <= 0:
                        self._in_flight += 1
                        return heapq.heappop(self._queue)
                self._changed.wait(wait_s)
        return None

    def _perform(self, job: _Job) -> None:
        outgoing = job.outgoing
        body = outgoing.body() if job.body is None else job.body
        attempt = Attempt(outgoing=outgoing, number=job.number, at=datetime.now(UTC), body=body,
                          headers=dict(outgoing.headers(body)))  # fmt: skip
        deliver(attempt, self._timeout_s)
        wait_s = self._retry(attempt)
        with self._changed:
            self.attempts.append(attempt)
            del self.attempts[:-MAX_ATTEMPTS_KEPT]
        if wait_s is not None:
            self._put(_Job(self._clock.unix() + wait_s, next(self._order), outgoing, job.number + 1, body))
        self._on_attempt(attempt, wait_s is None)


def deliver(attempt: Attempt, timeout_s: float) -> None:
    """Make the HTTP call of an attempt and write the outcome into it. Follows no redirect; never raises."""
    url = urlsplit(attempt.outgoing.url)
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=timeout_s, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=timeout_s)
    try:
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request(attempt.outgoing.method, target, attempt.body, dict(attempt.headers))
        answer = connection.getresponse()
        attempt.answer = answer.read(MAX_ANSWER_BYTES).decode("utf-8", "replace")
        attempt.answer_headers = {name.lower(): value for name, value in answer.getheaders()}
        attempt.status = answer.status
    except TimeoutError:
        attempt.error = "timeout"
    except (OSError, http.client.HTTPException, ValueError):
        attempt.error = "connection"
    finally:
        connection.close()
