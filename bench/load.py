"""HTTP load from one process: N clients, each with its own connection, as fast as they are answered or at a rate."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Load:
    """What one run measured. Times in milliseconds."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def event(client: int, number: int) -> bytes:
    """A customer's message; every client talks in conversations of its own, ten messages each."""
    name = f"{client}-{number // 10}"
    return json.dumps(
        {
            "id": f"e-{client}-{number}-{time.time_ns()}",
            "type": "customer.message",
            "conversation_id": f"c-{name}",
            "customer": {"external_id": f"u-{name}", "name": "Ana Ruiz"},
            "message": {"id": f"m-{number}", "text": "Where is my order? I have been waiting for two weeks now."},
        }
    ).encode()


def question(client: int, number: int) -> bytes:
    """The gate is asked without a message."""
    return b""


def run(
    port: int,
    path: str,
    key: str,
    clients: int,
    seconds: float,
    body: Callable[[int, int], bytes] = event,
    rate: float = 0,
) -> Load:
    """Runs `clients` threads for `seconds`, together at `rate` requests per second, or as fast as they can (0).

    Raises AssertionError on any answer that is not 2xx.
    """
    pause = clients / rate if rate else 0.0
    times: list[list[float]] = [[] for _ in range(clients)]
    ends = time.perf_counter() + seconds
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def client(index: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        number = 0
        time.sleep(pause * index / clients)
        while (started := time.perf_counter()) < ends:
            connection.request("POST", path, body(index, number), headers)
            answer = connection.getresponse()
            answer.read()
            assert 200 <= answer.status < 300, answer.status
            times[index].append((time.perf_counter() - started) * 1000)
            number += 1
            time.sleep(max(0.0, started + pause - time.perf_counter()))

    threads = [threading.Thread(target=client, args=(index,)) for index in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    every = sorted(t for each in times for t in each)
    cuts = quantiles(every, n=100)
    return Load(requests=len(every), seconds=took, p50_ms=cuts[49], p99_ms=cuts[98])


if __name__ == "__main__":
    port, path, key, clients, seconds, rate = (*sys.argv[1:], "0")[:6]
    body = event if path == "/v1/events" else question
    print(json.dumps(asdict(run(int(port), path, key, int(clients), float(seconds), body, float(rate)))))
