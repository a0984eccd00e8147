"""A worker that is slower than its lease: another does the work meanwhile, and the slow one does no harm."""

from __future__ import annotations

from threading import Thread

from structlog.testing import capture_logs

from handoff_sync.simulator.faults import Fault, FaultKind
from tests.delivery.rig import Rig
from tests.e2e.stand import until

LEASE_S = 31


def test_two_threads_of_one_process_may_be_at_the_same_lane(rig: Rig) -> None:
    slow = rig.simulator.faults.add(Fault(kind=FaultKind.SLOW, method="POST", path=r"/tickets(\.json)?$", delay_s=1))
    rig.hand_over()
    (lane,) = rig.app.reads.due_lanes(10)
    with capture_logs() as logs:
        first = Thread(target=rig.app.runner.run, args=(lane,))
        first.start()
        until("the helpdesk has the request", lambda: slow.hits)
        rig.advance(LEASE_S)
        rig.app.runner.run(lane)
        first.join()
    assert [line["event"] for line in logs if line["log_level"] in ("warning", "error")] == [
        "lease lost, result discarded"
    ]
    rig.work()
    assert rig.session().links[-1].remote_id is not None
    assert set(rig.simulator.state.creations.values()) == {1}
