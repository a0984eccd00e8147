"""P4: from the event to the helpdesk's door. Ours beside a direct call with the same library, in turn, one at a time.

    python -m bench.p4_event_to_ticket [--handoffs 100] [--engines embedded,production]

Measured until the simulated helpdesk receives the request that opens the ticket. Goal above the direct call:
p50 at most 10 ms embedded, 20 ms on Redis and PostgreSQL; p99 at most 50 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.bed import Bed, folder, free_port, prepare, process
from handoff_connectors.zendesk.simulator import Limits, ZendeskSimulator
from tests.engines import start_postgres, start_redis

GOAL_MS = {"embedded": 10.0, "production": 20.0}
GOAL_P99_MS = 50.0
PAUSE_S = 0.15
"""Idle between two handoffs: this is about latency, not about load."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--handoffs", type=int, default=100)
    parser.add_argument("--engines", default="embedded,production")
    given = parser.parse_args()
    for engine in given.engines.split(","):
        simulator = ZendeskSimulator(limits=Limits.off())
        simulator.start()
        try:
            with running(engine, simulator) as (bed, port):
                report(engine, *measure(simulator, bed, port, given.handoffs))
        finally:
            simulator.stop()


@contextlib.contextmanager
def running(engine: str, simulator: ZendeskSimulator) -> Iterator[tuple[Bed, int]]:
    """A service on this engine, connected to the simulator."""
    with folder() as place, contextlib.ExitStack() as stack:
        port = free_port()
        if engine == "embedded":
            bed = prepare(Path(place), zendesk=simulator)
            stack.enter_context(process(bed, "bench.server", "ours", str(port), port=port))
        else:
            postgres, broker = start_postgres(durable=True), start_redis()
            stack.callback(broker.stop)
            stack.callback(postgres.stop)
            bed = prepare(Path(place), postgres.url, broker.url, zendesk=simulator)
            stack.enter_context(process(bed, "bench.server", "web", str(port), port=port))
            stack.enter_context(process(bed, "bench.server", "worker", "0"))
            time.sleep(4)  # until the worker listens
        yield bed, port


def measure(simulator: ZendeskSimulator, bed: Bed, port: int, handoffs: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the helpdesk's door: ours, and a direct call."""
    service = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    direct = direct_call(simulator)
    ours, bare = [], []
    for number in range(-10, handoffs):  # the first ten warm up
        took_ours = timed(simulator, lambda n=number: hand_over(service, bed, n))  # type: ignore[misc]
        took_bare = timed(simulator, lambda n=number: direct(n))  # type: ignore[misc]
        if number >= 0:
            ours.append(took_ours)
            bare.append(took_bare)
    return ours, bare


def timed(simulator: ZendeskSimulator, act: Callable[[], object]) -> float:
    """Milliseconds from the start of `act` until the helpdesk receives the request that opens a ticket."""
    before = len(arrivals(simulator))
    started = datetime.now(UTC)
    act()
    ends = time.monotonic() + 20
    while len(arrivals(simulator)) == before:
        if time.monotonic() > ends:
            raise SystemExit("No ticket within 20 s.")
        time.sleep(0.001)
    took = (arrivals(simulator)[before].at - started).total_seconds() * 1000
    time.sleep(PAUSE_S)
    return took


def arrivals(simulator: ZendeskSimulator) -> list[Any]:
    return [r for r in simulator.state.requests("POST") if r.path in ("/api/v2/tickets.json", "/api/v2/tickets")]


def hand_over(service: http.client.HTTPConnection, bed: Bed, number: int) -> None:
    event = {
        "id": f"please-{number}",
        "type": "handoff.requested",
        "conversation_id": f"c-{number}",
        "customer": {"name": "Ana Ruiz", "email": f"u{number}@example.com", "email_verified": True},
        "trigger": "customer_request",
    }
    headers = {"Authorization": f"Bearer {bed.key}", "Content-Type": "application/json"}
    service.request("POST", "/v1/events", json.dumps(event), headers)
    answer = service.getresponse()
    body = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{answer.status} {body!r}")


def direct_call(simulator: ZendeskSimulator) -> Callable[[int], object]:
    """What a script without any service would do: zenpy, one call."""
    import requests
    from requests.adapters import HTTPAdapter
    from zenpy import Zenpy
    from zenpy.lib.api_objects import Comment, Ticket, User

    class Local(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            real = request.url
            request.url = real.replace("https://acme.zendesk.com", simulator.base_url)
            answer = super().send(request, *args, **kwargs)
            answer.url = request.url = real
            return answer

    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Local())
    known = simulator.credentials
    client = Zenpy(subdomain="acme", email=known.email, token=known.api_token, session=session, disable_cache=True)

    def create(number: int) -> object:
        requester = User(name="Ana Ruiz", email=f"d{number}@example.com")
        return client.tickets.create(
            Ticket(subject="direct", requester=requester, comment=Comment(html_body="<p>hello</p>", public=False))
        )

    return create


def report(engine: str, ours: list[float], bare: list[float]) -> None:
    p50, direct = median(ours), median(bare)
    p99, direct_p99 = quantiles(ours, n=100)[98], quantiles(bare, n=100)[98]
    above, goal = p50 - direct, GOAL_MS[engine]
    print(f"P4 {engine}: p50 {p50:.1f} ms, p99 {p99:.1f} ms; a direct call: {direct:.1f} ms, {direct_p99:.1f} ms")
    print(f"P4 {engine}: {above:.1f} ms above a direct call (goal {goal:.0f}):"
          f" {'reached' if above <= goal else 'missed'};"
          f" p99 {p99:.1f} ms (goal {GOAL_P99_MS:.0f}): {'reached' if p99 <= GOAL_P99_MS else 'missed'}")  # fmt: skip


if __name__ == "__main__":
    main()
