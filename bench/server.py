"""The servers that are measured: `python -m bench.server ours|web|worker|bare PORT`.

`ours` also delivers (embedded), `web` leaves that to workers. `bare` is the same HTTP edge (key, validation, answer)
with a committer that commits nothing: the yardstick. Settings come from the environment.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.app import create_app
from handoff_sync.api.deps import ApiDeps
from handoff_sync.api.metrics import Metrics
from handoff_sync.bootstrap import App, build
from handoff_sync.contract.registry import connector_class
from handoff_sync.core.effects import Verdict
from handoff_sync.core.machine import new_session
from handoff_sync.logs import configure_logs
from handoff_sync.service.apply import Applied
from handoff_sync.settings import load_settings
from handoff_sync.web import make_app, spare_the_collector
from handoff_sync.worker.actors import declare_actors
from handoff_sync.worker.embedded import EmbeddedWorker


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
    connector_class("zendesk").budgets = ()  # the account's limits are not what is measured
    parts = build(settings)
    if which == "worker":
        work(parts)
    spare_the_collector()
    app = make_app(parts, workers=which == "ours") if which != "bare" else bare(parts)
    app.add_route("/constant", constant, methods=["POST"])
    uvicorn.run(app, port=port, log_config=None, access_log=False, loop="uvloop", http="httptools")


def bare(parts: App) -> FastAPI:
    return create_app(
        ApiDeps(
            committer=NoDatabase(),  # type: ignore[arg-type]
            reads=parts.reads,
            lookups=parts.admin,
            verifier=parts.connections,
            admin=parts.admin,
            administration=parts.administration,
            metrics=Metrics(),
            readiness=lambda: (),
        )
    )


async def constant(_request: Request) -> Response:
    """What the gate is measured by."""
    return Response(b'{"decision":"allow"}', media_type="application/json")


def work(parts: App) -> NoReturn:
    """Delivers until it is ended."""
    declare_actors(parts.broker, parts.runner)
    parts.start(workers=False)
    EmbeddedWorker(parts.broker, parts.settings.worker_threads).start()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
