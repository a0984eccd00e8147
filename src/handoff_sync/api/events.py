"""`POST /v1/events`: what happened on the platform, one event or a batch. 2xx only after the commit."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from handoff_sync.api.acting import People, people_for
from handoff_sync.api.auth import Caller, Scope, caller_of, needs
from handoff_sync.api.deps import ApiDeps, deps_of
from handoff_sync.api.edge import note_failure
from handoff_sync.api.event_examples import EXAMPLES
from handoff_sync.api.event_fields import INCOMING, Incoming
from handoff_sync.api.problems import ProblemError, as_problem, validation_problem
from handoff_sync.api.routes import HotRoute, key_router, keyed_body
from handoff_sync.api.verdicts import EventResult, Taken, refusal, result_of
from handoff_sync.errors import NotReady
from handoff_sync.service.apply import Applied, on_conversation
from handoff_sync.store.committer import Job

MOST: Final = 100
"""Events of one batch."""

router = key_router("events", HotRoute)


class EventBatch(BaseModel):
    """Up to 100 events, applied in this order."""

    model_config = ConfigDict(extra="forbid")

    events: list[Incoming] = Field(min_length=1, max_length=MOST)


class BatchResult(BaseModel):
    """One result per event, in the order of the request. One bad event rejects only itself."""

    results: list[EventResult]


_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"anyOf": [{"$ref": "#/components/schemas/Event"}, {"$ref": "#/components/schemas/EventBatch"}]},
            "examples": EXAMPLES,
        }
    },
}


@router.post(
    "/v1/events",
    operation_id="postEvents",
    summary="Tell what happened",
    response_model=EventResult | BatchResult,
    responses=keyed_body(409),
    openapi_extra=needs(Scope.EVENTS) | {"requestBody": _BODY},
)
async def post_events(request: Request) -> Response:
    """One event or a batch. The same id again is no error and changes nothing.

    A single event that is not as expected answers with the problem itself; in a batch every event has its own result.
    """
    deps, caller = deps_of(request), caller_of(request)
    body = await request.json()
    deps.intake()
    if isinstance(body, dict) and "events" in body:
        return _json(await _batch(deps, caller, _items(body)))
    return _json(await _single(deps, caller, body))


async def _single(deps: ApiDeps, caller: Caller, body: object) -> EventResult:
    event = read_event(body)
    people = await people_for(deps, caller, (event.who(caller.actor),))
    applied = await deps.commit(job_of(event, caller, deps.clock(), people))
    deps.metrics.event(event.type, applied.verdict)
    if problem := await refusal(applied, caller, deps):
        raise problem
    return result_of(event.id, applied, None)


async def _batch(deps: ApiDeps, caller: Caller, items: list[object]) -> BatchResult:
    now = deps.clock()
    read = [_read(item, f"events[{index}]") for index, item in enumerate(items)]
    actors = [event.who(caller.actor) for event in read if not isinstance(event, EventResult)]
    people = await people_for(deps, caller, actors)
    # All are handed over before the first is awaited: they share transactions, and keep their order.
    waiting = [_item(deps, caller, event, now, people) for event in read]
    return BatchResult(results=list(await asyncio.gather(*map(asyncio.ensure_future, waiting))))


def _read(item: object, place: str) -> Incoming | EventResult:
    """The event, or the result of one that cannot be read."""
    try:
        return read_event(item, place)
    except ProblemError as problem:
        return EventResult(id=_id_of(item), status=Taken.REJECTED, error=problem.body)


async def _item(
    deps: ApiDeps, caller: Caller, event: Incoming | EventResult, now: datetime, people: People
) -> EventResult:
    if isinstance(event, EventResult):
        return event
    try:
        applied = await deps.commit(job_of(event, caller, now, people))
    except NotReady:
        raise  # the whole batch is to be repeated; what was committed answers as a duplicate then
    except ProblemError as problem:
        return EventResult(id=event.id, status=Taken.REJECTED, error=problem.body)
    except Exception as error:  # noqa: BLE001  one bad event must not take the others with it
        note_failure(error)
        return EventResult(id=event.id, status=Taken.REJECTED, error=as_problem(error).body)
    deps.metrics.event(event.type, applied.verdict)
    return result_of(event.id, applied, await refusal(applied, caller, deps))


def read_event(body: object, place: str = "") -> Incoming:
    """The event, or a 422 that names every field that is wrong."""
    try:
        return INCOMING.validate_python(body)
    except ValidationError as error:
        # The first part of a location is the type, which is no field.
        found = [{**item, "loc": item["loc"][1:]} for item in error.errors(include_url=False, include_input=False)]
        raise validation_problem(found, place) from None


def job_of(event: Incoming, caller: Caller, now: datetime, people: People) -> Job[Applied]:
    return on_conversation(
        caller.workspace_id,
        event.conversation_id,
        people.checked(event.event(event.origin(now, caller.actor))),
        channel=event.channel,
        customer=event.customer.customer() if event.customer is not None else None,
        team=event.team,
    )


def _items(body: dict[str, object]) -> list[object]:
    items = body["events"]
    if len(body) > 1 or not isinstance(items, list) or not 1 <= len(items) <= MOST:
        raise ProblemError(
            422, "invalid_batch", f"A batch is an object with one field, `events`: a list of 1 to {MOST} events."
        )
    return items


def _id_of(item: object) -> str:
    """The id of an event that we could not read, so that the caller finds it; empty when it has none."""
    found = item.get("id") if isinstance(item, dict) else None
    return found[:200] if isinstance(found, str) else ""


def _json(result: BaseModel) -> Response:
    return Response(result.model_dump_json(), media_type="application/json")
