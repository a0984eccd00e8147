"""The end of a worker process."""

from __future__ import annotations

from dramatiq import Worker

from handoff_sync.worker.broker import QUEUE, make_broker
from handoff_sync.worker.ending import stop_with_worker


def test_what_runs_beside_the_worker_is_stopped_after_it() -> None:
    broker, ended = make_broker("memory://"), []
    stop_with_worker(broker, lambda: ended.append("stopped"))
    worker = Worker(broker, queues={QUEUE}, worker_threads=1, worker_timeout=20)
    worker.start()
    assert ended == []
    worker.stop()
    broker.close()
    assert ended == ["stopped"]
