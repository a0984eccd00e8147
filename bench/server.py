"""The servers that are measured: `python -m bench.server ours|bare PORT`. Settings come from the environment.

`bare` is the same HTTP edge (key, validation, answer) with a committer that commits nothing: the yardstick.
"""

from __future__ import annotations

import sys

from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import uvicorn


from handoff_sync.api.app import create_app
from handoff_sync.api.deps import ApiDeps
from handoff_sync.api.metrics import Metrics
from handoff_sync.bootstrap import build
from handoff_sync.core.effects import Verdict
from handoff_sync.core.machine import new_session
from handoff_sync.logs import configure_logs
from handoff_sync.service.apply import Applied
from handoff_sync.settings import load_settings
from handoff_sync.web import make_app


class NoDatabase:
    """Answers every job at once with the same result."""

    def __init__(self) -> None:
        session = new_session(id="ses_bench", workspace="w", conversation_id="c", now=datetime.now(UTC))
        self._answer = Applied(session=session, verdict=Verdict.APPLIED, rule="T2")

    def submit(self, job: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(self._answer)
        return future


def main(which: str, port: int) -> None:
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    parts = build(settings)
    if which == "ours":
        app = make_app(parts, workers=True)
    else:
        deps = ApiDeps(
            committer=NoDatabase(),  # type: ignore[arg-type]
            reads=parts.reads,
            lookups=parts.admin,
            verifier=parts.connections,
            metrics=Metrics(),
            readiness=lambda: (),
        )
        app = create_app(deps)
    uvicorn.run(app, port=port, log_config=None, access_log=False, loop="uvloop", http="httptools")



if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
