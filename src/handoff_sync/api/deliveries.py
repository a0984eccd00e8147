"""What is on its way to tickets, platform and mail; what is parked, and trying it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.auth import Scope, caller_of, needs
from handoff_sync.api.deps import deps_of
from handoff_sync.api.paging import Cursor, Limit, after, position
from handoff_sync.api.problems import ProblemError
from handoff_sync.api.routes import key_router, keyed
from handoff_sync.api.views import DeliveryStatus, DeliveryView
from handoff_sync.errors import NotFound
from handoff_sync.store.committer import Job
from handoff_sync.store.rows import DeliveryRow
from handoff_sync.store.unit import UnitOfWork

router = key_router("deliveries")
DeliveryId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_NEEDS = needs(Scope.ADMIN)


class DeliveryList(BaseModel):
    items: list[DeliveryView]
    next: str | None


@router.get(
    "/v1/deliveries",
    operation_id="listDeliveries",
    summary="Deliveries, newest first",
    response_model=DeliveryList,
    responses=keyed(),
    openapi_extra=_NEEDS,
)
async def list_deliveries(
    request: Request, status: DeliveryStatus | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    deps, caller = deps_of(request), caller_of(request)
    start = after(position(cursor)) if cursor is not None else None
    page = await deps.read(deps.reads.deliveries, caller.workspace_id, status, start, limit)
    return _json(DeliveryList(items=[DeliveryView.model_validate(row) for row in page.items], next=page.cursor))


@router.get(
    "/v1/deliveries/{delivery_id}",
    operation_id="getDelivery",
    summary="One delivery",
    response_model=DeliveryView,
    responses=keyed(404),
    openapi_extra=_NEEDS,
)
async def get_delivery(request: Request, delivery_id: DeliveryId) -> Response:
    return _json(DeliveryView.model_validate(await _known(request, delivery_id)))


@router.post(
    "/v1/deliveries/{delivery_id}/retry",
    operation_id="retryDelivery",
    summary="Try a parked delivery again",
    response_model=DeliveryView,
    responses=keyed(404, 409),
    openapi_extra=_NEEDS,
)
async def retry_delivery(request: Request, delivery_id: DeliveryId) -> Response:
    """With all its attempts anew; it remembers what was already done. What waits behind it goes on as well."""
    return await _release(request, delivery_id, skip=False)


@router.post(
    "/v1/deliveries/{delivery_id}/skip",
    operation_id="skipDelivery",
    summary="Give a parked delivery up",
    response_model=DeliveryView,
    responses=keyed(404, 409),
    openapi_extra=_NEEDS,
)
async def skip_delivery(request: Request, delivery_id: DeliveryId) -> Response:
    """What waits behind it goes on without it."""
    return await _release(request, delivery_id, skip=True)


async def _release(request: Request, delivery_id: int, *, skip: bool) -> Response:
    deps, workspace = deps_of(request), caller_of(request).workspace_id
    await _known(request, delivery_id)

    def run(uow: UnitOfWork) -> bool:
        return uow.skip(workspace, delivery_id) if skip else uow.unpark(workspace, delivery_id)

    if not await deps.commit(Job(run=run)):
        raise ProblemError(409, "not_parked", "Only a parked delivery can be tried again or given up.")
    return _json(DeliveryView.model_validate(await _known(request, delivery_id)))


async def _known(request: Request, delivery_id: int) -> DeliveryRow:
    deps = deps_of(request)
    row = await deps.quick(deps.reads.delivery, caller_of(request).workspace_id, delivery_id)
    if row is None:
        raise NotFound("There is no such delivery in this workspace.")
    return row


def _json(view: BaseModel) -> Response:
    return Response(view.model_dump_json(), media_type="application/json")
