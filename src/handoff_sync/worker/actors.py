"""The one actor. No actor is declared at import time: dramatiq would bind it to a broker of its own choice."""

from __future__ import annotations

from typing import Protocol

import dramatiq

from handoff_sync.worker.broker import QUEUE

ACTOR = "run_lane"


class RunsLanes(Protocol):
    def run(self, lane_id: str) -> None: ...


def declare_actors(broker: dramatiq.Broker, runner: RunsLanes) -> None:
    """Makes this process able to run lanes."""

    def run_lane(lane_id: str) -> None:
        runner.run(lane_id)

    dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE, max_retries=0)(run_lane)
