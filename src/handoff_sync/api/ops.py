"""For operators and their machines: alive, ready, figures. Open, because none tells anything about anyone."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.deps import Health, deps_of
from handoff_sync.api.metrics import CONTENT_TYPE

router = APIRouter(tags=["ops"])


class Alive(BaseModel):
    status: Health


class CheckView(BaseModel):
    name: str
    status: Health
    detail: str


class Ready(BaseModel):
    """`degraded`: it works, but somebody should look. `down`: send no traffic."""

    status: Health
    checks: list[CheckView]


@router.get("/livez", operation_id="isAlive", summary="Does the process run?", response_model=Alive)
async def livez() -> Response:
    return _json(Alive(status=Health.OK), 200)


@router.get(
    "/readyz",
    operation_id="isReady",
    summary="Can it take work?",
    response_model=Ready,
    responses={503: {"model": Ready, "description": "Not now"}},
)
async def readyz(request: Request) -> Response:
    """Down without its database, with migrations missing or with too little disk; degraded without its broker."""
    checks = await asyncio.to_thread(deps_of(request).readiness)
    worst = max((check.health for check in checks), key=list(Health).index, default=Health.OK)
    view = Ready(
        status=worst,
        checks=[CheckView(name=check.name, status=check.health, detail=check.detail) for check in checks],
    )
    return _json(view, 503 if worst is Health.DOWN else 200)


@router.get(
    "/metrics",
    operation_id="getMetrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Text format"}},
)
async def metrics(request: Request) -> Response:
    deps = deps_of(request)
    backlog = await asyncio.to_thread(deps.backlog)
    return Response(deps.metrics.render(backlog), media_type=CONTENT_TYPE)


def _json(view: BaseModel, status: int) -> Response:
    return Response(view.model_dump_json(), status, media_type="application/json")
