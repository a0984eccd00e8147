"""The control API of a simulated helpdesk, under `/_simulator/`: for tests and demos in another process."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.request_log import RequestLog
from handoff_sync.simulator.webhooks import WebhookSender


@dataclass(frozen=True, slots=True)
class Control:
    """What can be steered. `settings` and `act` raise ValueError with what is wrong."""

    faults: Faults
    log: RequestLog
    clock: SimulatorClock
    webhooks: WebhookSender
    state: Callable[[], Mapping[str, Any]]
    reset: Callable[[], None]
    settings: Callable[[Mapping[str, Any]], None]
    act: Callable[[str, Mapping[str, Any]], None]


Work = Callable[[dict[str, Any]], Any]


def control_routes(control: Control) -> list[BaseRoute]:
    """Routes of the control API. A POST must be JSON, so that no web page can send one unasked."""
    return [
        _get("/_simulator/state", control.state),
        _get("/_simulator/requests", lambda: {"requests": [entry.as_dict() for entry in control.log.all()]}),
        _get("/_simulator/faults", lambda: {"faults": [fault.as_dict() for fault in control.faults.waiting()]}),
        _post("/_simulator/faults", lambda body: control.faults.add_json(body).as_dict(), 201),
        Route("/_simulator/faults", _json(lambda body: control.faults.clear()), methods=["DELETE"]),
        _get("/_simulator/webhooks", lambda: webhooks_state(control.webhooks)),
        _post("/_simulator/webhooks", control.webhooks.faults.set_json),
        _post("/_simulator/clock", lambda body: _advance(control.clock, body)),
        _post("/_simulator/settings", control.settings),
        _post("/_simulator/agent", lambda body: control.act(str(body.pop("action", "")), body)),
        _post("/_simulator/reset", lambda body: control.reset()),
    ]


def webhooks_state(sender: WebhookSender) -> dict[str, Any]:
    attempts = [
        {"id": a.outgoing.id, "topic": a.outgoing.topic, "number": a.number, "at": a.at.isoformat(), "status": a.status,
         "error": a.error}
        for a in sender.attempts
    ]  # fmt: skip
    return {"paused": sender.faults.paused, "waiting": sender.waiting, "lost": list(sender.faults.lost),
            "attempts": attempts}  # fmt: skip


def _advance(clock: SimulatorClock, body: Mapping[str, Any]) -> dict[str, Any]:
    seconds = body.get("advance_s")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("advance_s must be a number of seconds.")
    clock.advance(float(seconds))
    return {"now": clock.now().isoformat()}


def _get(path: str, read: Callable[[], Mapping[str, Any]]) -> BaseRoute:
    async def endpoint(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(read))

    return Route(path, endpoint)


def _post(path: str, work: Work, status: int = 200) -> BaseRoute:
    return Route(path, _json(work, status), methods=["POST"])


def _json(work: Work, status: int = 200) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        if raw and not request.headers.get("content-type", "").startswith("application/json"):
            return JSONResponse({"error": "Send JSON with Content-Type: application/json."}, 415)
        try:
            body = json.loads(raw or b"{}")
            if not isinstance(body, dict):
                raise ValueError("The body must be a JSON object.")
            done = await run_in_threadpool(work, body)
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"ok": True} if done is None else done, status)

    return endpoint
