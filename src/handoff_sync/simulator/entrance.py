"""The entrance of a simulated helpdesk: its own API, the control API and the agent page behind one door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.endpoints import Answer, Call, Query
from handoff_sync.simulator.fault_middleware import ErrorAnswer, FaultMiddleware
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.request_log import RequestLog

METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
OURS: Final = ("/_simulator", "/agent")
"""Paths that faults leave alone, for they are not the helpdesk's."""


def never(call: Call) -> bool:
    return False


def always(call: Call) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """How a helpdesk answers.

    `answer` gets a call and what addresses in answers begin with; `error_answer` words an error that has nothing to do
    with the call. `host` is the account's real name: answers name it where the client has called it so. `slow` says
    which answers need a thread. `pages` are for people, beside the agent page, and begin with one of `for_people`.
    """

    answer: Callable[[Call, str], Answer]
    error_answer: Callable[[int], ErrorAnswer]
    host: str = ""
    slow: Callable[[Call], bool] = never
    pages: Sequence[BaseRoute] = ()
    for_people: tuple[str, ...] = ()

    def base(self, called: str) -> str:
        return f"https://{called}" if called and called == self.host else f"http://{called}"


def app(
    entrance: Entrance, routes: Sequence[BaseRoute], faults: Faults, log: RequestLog, clock: SimulatorClock
) -> ASGIApp:
    """The app; `routes` are the control API and the agent page."""

    async def answer(request: Request) -> Response:
        path = request.scope["raw_path"].decode("ascii").partition("?")[0]
        call = Call(method=request.method, path=path, query=Query(request.url.query), headers=request.headers,
                    raw=await request.body())  # fmt: skip
        base = entrance.base(request.headers.get("host", ""))
        slow = entrance.slow(call)
        return _response(await run_in_threadpool(entrance.answer, call, base) if slow else entrance.answer(call, base))

    every = [Route("/", agent_page), *entrance.pages, *routes, Route("/{rest:path}", answer, methods=METHODS)]
    return FaultMiddleware(
        Starlette(routes=every), faults, log, clock, entrance.error_answer, OURS + entrance.for_people
    )


async def agent_page(request: Request) -> Response:
    """Leads to the agent page; with an `id` in the path, to that ticket's."""
    ticket = request.path_params.get("id")
    return RedirectResponse("/agent" if ticket is None else f"/agent/tickets/{ticket}", 303)


def _response(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if answer.body is not None:
        headers["Content-Type"] = answer.content_type
    return Response(answer.encoded(), answer.status, headers)
