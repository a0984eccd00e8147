"""The broker by URL. A message carries a lane's id and nothing else: losing, doubling or forging one is harmless."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any
from urllib.parse import urlsplit

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, Retries

from handoff_sync.errors import ConfigurationError

QUEUE = "lanes"
KEPT_DEAD_LETTERS = 50
POLL_MS = 10
"""How often an idle worker looks for messages of Redis."""

_MEMORY_POLL_MS = 200
"""In memory a message wakes its reader, and threads that look more often take the interpreter from the web's."""


def make_broker(url: str) -> dramatiq.Broker:
    """A broker for `memory://`, `redis://` or `rediss://`. Does not connect."""
    scheme = urlsplit(url).scheme
    match scheme:
        case "memory":
            broker: dramatiq.Broker = _memory()
        case "redis" | "rediss":
            broker = _redis(url)
        case _:
            raise ConfigurationError(
                [f"broker_url: no broker for {scheme or 'an empty'}:// addresses. Use memory:// or redis://."]
            )
    broker.declare_queue(QUEUE)
    return broker


def waiting(broker: dramatiq.Broker) -> int:
    """How many messages no worker has taken yet; 0 where the broker cannot tell."""
    match broker:
        case StubBroker():
            return int(broker.queues[QUEUE].qsize())
        case RedisBroker():
            return int(broker.client.llen(f"{broker.namespace}:{QUEUE}"))
        case _:
            return 0


def poll_ms(broker: dramatiq.Broker) -> int:
    """How long an idle thread of a worker waits for a message before it looks whether it shall end."""
    return _MEMORY_POLL_MS if isinstance(broker, StubBroker) else POLL_MS


def _middleware() -> list[Middleware]:
    """None of dramatiq's own machinery: attempts, due times and time limits are ours, and live in the database."""
    return [Retries(max_retries=0)]


def _memory() -> StubBroker:
    broker = StubBroker(middleware=_middleware())
    # The stub keeps every failed message for ever; a long-lived process must not.
    letters: Any = defaultdict(lambda: deque(maxlen=KEPT_DEAD_LETTERS))
    broker.dead_letters_by_queue = letters
    return broker


def _redis(url: str) -> RedisBroker:
    client = redis.Redis.from_url(
        url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=30,
        retry=redis.retry.Retry(redis.backoff.NoBackoff(), 1),
    )  # fmt: skip
    made: Any = RedisBroker
    broker: RedisBroker = made(
        client=client, middleware=_middleware(), maintenance_chance=1_000_000, heartbeat_timeout=30_000
    )  # the defaults took 516 s to recover messages of a killed worker
    return broker
