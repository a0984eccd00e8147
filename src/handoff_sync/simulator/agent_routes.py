"""The routes of the agent page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from handoff_sync.simulator.agent_page import page, ticket_list
from handoff_sync.simulator.agent_ticket import ticket_page
from handoff_sync.simulator.agent_views import AgentDesk, Person, Refused

COOKIE: Final = "simulated_agent"
MISSING: Final = (
    '<div class="empty"><p><strong>There is no such ticket.</strong></p><p><a href="/agent">All tickets</a></p></div>'
)
MAX_FORM_BYTES: Final = 1_000_000
ASSETS: Final = {"agent.css": "text/css", "agent.js": "text/javascript", "icon.svg": "image/svg+xml"}
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def agent_routes(desk: AgentDesk) -> list[BaseRoute]:
    """`/agent` and everything below it."""
    pages = _Pages(desk)
    return [
        Route("/agent", pages.list),
        Route("/agent/", pages.list),
        Route("/agent/version", pages.version),
        Route("/agent/me", pages.switch, methods=["POST"]),
        Route("/agent/tickets/{ticket}", pages.show),
        Route("/agent/tickets/{ticket}/{action}", pages.act, methods=["POST"]),
        *(Route(f"/agent/{name}", _asset(name, kind)) for name, kind in ASSETS.items()),
    ]


def _asset(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = (files("handoff_sync.simulator") / "assets" / name).read_bytes()

    async def endpoint(request: Request) -> Response:
        return Response(content, headers={**HEADERS, "Content-Type": f"{kind}; charset=utf-8"})

    return endpoint


class _Pages:
    def __init__(self, desk: AgentDesk) -> None:
        self._desk = desk

    async def list(self, request: Request) -> Response:
        chosen = request.query_params.get("show", "all")
        body = ticket_list(await run_in_threadpool(self._desk.rows), chosen)
        return self._page(request, "Tickets", body)

    async def version(self, request: Request) -> Response:
        return JSONResponse({"version": self._desk.version()}, headers=HEADERS)

    async def show(self, request: Request) -> Response:
        return await run_in_threadpool(self._show, request)

    def _show(self, request: Request, notice: str = "", typed: str = "", status: int = 200) -> Response:
        ticket_id = request.path_params["ticket"]
        view = self._desk.view(ticket_id)
        if view is None:
            missing = '<div class="empty"><p><strong>There is no such ticket.</strong></p>'
            return self._page(
                request, "Not found", missing + '<p><a href="/agent">All tickets</a></p></div>', status=404
            )
        others = [(row.id, row.subject) for row in self._desk.rows()
                  if row.id != ticket_id and row.status.tone not in ("closed", "deleted")]  # fmt: skip
        body = ticket_page(view, self._desk.agents(), others, typed)
        return self._page(request, view.row.subject, body, notice, status)

    async def act(self, request: Request) -> Response:
        if not _from_our_page(request):
            return _refuse()
        form = await _form(request)
        return await run_in_threadpool(self._act, request, form)

    def _act(self, request: Request, form: dict[str, str]) -> Response:
        ticket, action = request.path_params["ticket"], request.path_params["action"]
        try:
            self._desk.act(ticket, action, form, self._agent(request).id)
        except Refused as refused:
            return self._show(request, str(refused), form.get("text", ""), 422)
        if action == "merge":
            ticket = form.get("target", ticket)
        return RedirectResponse("/agent" if action == "delete" else f"/agent/tickets/{ticket}", 303, HEADERS)

    async def switch(self, request: Request) -> Response:
        if not _from_our_page(request):
            return _refuse()
        form = await _form(request)
        back = form.get("back", "/agent")
        answer = RedirectResponse(back if back.startswith("/agent") else "/agent", 303, HEADERS)
        answer.set_cookie(COOKIE, form.get("agent", ""), httponly=True, samesite="strict", path="/agent")
        return answer

    def _agent(self, request: Request) -> Person:
        people, chosen = self._desk.agents(), request.cookies.get(COOKIE)
        return next((person for person in people if person.id == chosen), people[0])

    def _page(self, request: Request, title: str, body: str, notice: str = "", status: int = 200) -> Response:
        html = page(self._desk, title, body, self._agent(request), request.url.path, notice)
        return HTMLResponse(html, status, HEADERS)


def _from_our_page(request: Request) -> bool:
    """Whether a form was sent by our own page, as far as the browser tells."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _refuse() -> Response:
    return HTMLResponse("<p>This form was not sent from the agent page.</p>", 403, HEADERS)


async def _form(request: Request) -> dict[str, str]:
    raw = await request.body()
    return dict(parse_qsl(raw[:MAX_FORM_BYTES].decode("utf-8", "replace"), keep_blank_values=True))
