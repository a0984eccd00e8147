"""The FastAPI app: routers, refusals, the edge around them, and one lifespan."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI

from handoff_sync.api import actions, attachments, deliveries, events, gate, hooks, ops, scenarios, sessions
from handoff_sync.api.admin import callbacks, connections, keys, members, workspace
from handoff_sync.api.auth import Keyring
from handoff_sync.api.decisions.routes import router as decisions
from handoff_sync.api.deps import ApiDeps
from handoff_sync.api.edge import Edge
from handoff_sync.api.openapi import DESCRIPTION, describe
from handoff_sync.api.problems import HANDLED, answer_problem

ROUTERS = (
    *(events.router, gate.router, sessions.router, attachments.router, actions.router, deliveries.router),
    *(scenarios.router, workspace.router, members.router, connections.router, callbacks.router, keys.router),
    *(hooks.router, ops.router, decisions),
)


def create_app(deps: ApiDeps, pages: Sequence[APIRouter] = ()) -> FastAPI:
    """The whole HTTP side. `pages` are routers for people (console, decisions); they bring their own headers."""
    app = _Described(
        title="handoff-sync",
        version=_version(),
        description=DESCRIPTION,
        docs_url=None,  # loads scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
        telemetry={"auto_configure": False, "logs": False},
    )
    app.state.deps = deps
    app.state.keyring = Keyring(deps)
    for router in (*ROUTERS, *pages):
        app.include_router(router)
    for kind in HANDLED:
        app.add_exception_handler(kind, answer_problem)
    app.add_middleware(Edge, metrics=deps.metrics, https=deps.public_url.startswith("https://"))
    return app


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = describe(self)
        return self.openapi_schema


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    deps: ApiDeps = app.state.deps
    async with deps.lifespan():
        yield


def _version() -> str:
    from importlib.metadata import version

    return version("handoff-sync")
