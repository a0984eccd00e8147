"""The HTTP process: the API around one App, which the lifespan starts and stops."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from handoff_sync.api.app import create_app
from handoff_sync.api.deps import ApiDeps, Limits
from handoff_sync.api.metrics import Backlog, Metrics
from handoff_sync.bootstrap import App, build
from handoff_sync.health import DiskFloor, readiness
from handoff_sync.logs import configure_logs
from handoff_sync.settings import Settings


def make_app(parts: App, *, workers: bool) -> FastAPI:
    """The ASGI application. `workers`: this process also performs deliveries (embedded)."""
    settings = parts.settings

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        parts.start(workers=workers)
        spare_the_collector()
        try:
            yield
        finally:
            parts.stop()

    def backlog() -> Backlog:
        lanes, parked = parts.reads.backlog()
        return Backlog(lanes_due=lanes, parked_deliveries=parked)

    return create_app(
        ApiDeps(
            committer=parts.committer,
            reads=parts.reads,
            lookups=parts.admin,
            verifier=parts.connections,
            admin=parts.admin,
            administration=parts.administration,
            metrics=Metrics(),
            readiness=lambda: readiness(parts),
            intake=DiskFloor(settings).check,
            backlog=backlog,
            lifespan=lifespan,
            limits=Limits(max_body_bytes=settings.max_body_bytes),
            public_url=settings.public_url,
            files=parts.sources,
            decision_links=parts.decision_links,
            inline_reads=settings.embedded,
        )
    )


def spare_the_collector() -> None:
    """What a process is made of stays until its end: looking it through again and again holds up every request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def serve(settings: Settings, *, workers: bool) -> None:
    """Serves until SIGTERM or SIGINT."""
    configure_logs(settings.log_level, settings.log_format)
    serve_app(build(settings), workers=workers)


def serve_app(parts: App, *, workers: bool) -> None:
    """As `serve`, with parts made elsewhere. Running requests get three seconds, running deliveries twenty."""
    settings = parts.settings
    uvicorn.run(
        make_app(parts, workers=workers),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        loop="uvloop",
        http="httptools",
        timeout_graceful_shutdown=3,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=",".join(settings.trusted_proxies) or None,
    )
