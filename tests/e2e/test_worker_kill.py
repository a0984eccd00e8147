"""kill -9 of the worker as operators run it: the whole process group of `handoff-sync worker`, on PostgreSQL and Redis.

SIGTERM is in tests/worker/test_shutdown.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handoff_sync.simulator.faults import Fault, FaultKind
from tests.e2e.arrival import everything_arrived
from tests.e2e.stand import Stand, lagging, until

KINDS = ("zendesk", "gorgias", "intercom")


@pytest.mark.parametrize("kind", KINDS)
def test_the_worker_is_killed_while_the_helpdesk_holds_its_requests(
    kind: str, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    """Of four talks two wait for their ticket and two for a comment; of each pair the helpdesk does one."""
    desk = lagging(kind)
    desk.start()
    stand = Stand(tmp_path, desk, postgres_url, redis_url, commands=True)
    try:
        stand.start()
        for talk in ("said-1", "said-2"):
            stand.say(talk, 1)
            stand.hand_over(talk)
            stand.linked(talk)
        stand.idle()
        held = [
            desk.simulator.faults.add(
                Fault(kind=FaultKind.HANG, method=call.method, path=call.path, applied=applied, delay_s=60)
            )
            for call in (desk.opening, desk.appending)
            for applied in (True, False)
        ]
        for talk in ("said-1", "said-2"):
            stand.say(talk, 2)
        until("both comments are under way", lambda: held[2].hits and held[3].hits)
        for talk in ("open-1", "open-2"):
            stand.say(talk, 1)
            stand.hand_over(talk)
        until("both openings are under way", lambda: held[0].hits and held[1].hits)
        stand.kill()
        stand.start()
        for talk in ("said-1", "said-2"):
            stand.say(talk, 3)
        for talk in ("open-1", "open-2"):
            stand.say(talk, 2)
        everything_arrived(stand, {"said-1": 3, "said-2": 3, "open-1": 2, "open-2": 2})
    finally:
        stand.stop()
        desk.stop()
