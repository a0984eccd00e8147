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

from handoff_sync.simulator.agent_page import ACTIVE, FILTERS, page, ticket_list
from handoff_sync.simulator.agent_ticket import Staff, missing, ticket_page
from handoff_sync.simulator.agent_views import AgentDesk, Person, Refused

COOKIE: Final = "simulated_agent"
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
        chosen = chosen if chosen in FILTERS else "all"
        body = ticket_list(await run_in_threadpool(self._desk.rows), chosen, self._desk.words)
        return self._page(
            request, f"{self._desk.words.thing.title()}s", body, f"/agent?show={chosen}", self._news(request)
        )

    async def version(self, request: Request) -> Response:
        return JSONResponse({"version": self._desk.version()}, headers=HEADERS)

    async def show(self, request: Request) -> Response:
        return await run_in_threadpool(lambda: self._show(request, self._news(request)))

    def _news(self, request: Request) -> str:
        """What was just done, of which the page itself cannot tell."""
        about = request.query_params.get("about", "")
        number, thing = f"#{about}" if about.isalnum() else "", self._desk.words.thing
        match request.query_params.get("done"):
            case "merge":
                return f"{number} was merged into this {thing}."
            case "delete":
                return f"The {thing} {number} is deleted."
            case "restore":
                return f"This {thing} is back."
            case _:
                return ""

    def _show(self, request: Request, notice: str = "", typed: str = "", status: int = 200) -> Response:
        ticket_id = request.path_params["ticket"]
        here, view, words = f"/agent/tickets/{ticket_id}", self._desk.view(ticket_id), self._desk.words
        if view is None:
            return self._page(request, "Not found", missing(words), here, notice, 404)
        others = [row for row in self._desk.rows() if row.id != ticket_id and row.status.tone in ACTIVE]
        staff = Staff(self._desk.agents(), self._agent(request))
        body = ticket_page(view, words, staff, others, typed)
        return self._page(request, view.row.subject, body, here, notice, status)

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
        return RedirectResponse(self._afterwards(ticket, action, form), 303, HEADERS)

    def _afterwards(self, ticket: str, action: str, form: dict[str, str]) -> str:
        """The page that shows what an action led to."""
        match action:
            case "merge":
                return f"/agent/tickets/{form.get('target', ticket)}?done=merge&about={ticket}"
            case "delete" if self._desk.view(ticket) is None:
                return f"/agent?done=delete&about={ticket}"
            case "restore":
                return f"/agent/tickets/{ticket}?done=restore"
            case "reply":
                return f"/agent/tickets/{ticket}#answer"
            case _:
                return f"/agent/tickets/{ticket}"

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

    def _page(
        self, request: Request, title: str, body: str, here: str, notice: str = "", status: int = 200
    ) -> Response:
        html = page(self._desk, title, body, self._agent(request), here, notice)
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
