"""The platform's pages and its address for callbacks."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from handoff_sync.simulator.chat.platform import ChatPlatform
from handoff_sync.simulator.chat.talk import Talk

STATIC: Final = Path(__file__).parent / "static"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Said(BaseModel):
    text: str = Field(min_length=1, max_length=4000)


def chat_app(platform: ChatPlatform, agent_pages: Mapping[str, str] | None = None) -> FastAPI:
    """`agent_pages` are where the visitor can play the human agent: helpdesk and address."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/static", StaticFiles(directory=STATIC))
    page = (STATIC / "chat.html").read_text(encoding="utf-8").replace("[[agents]]", _links(agent_pages or {}))

    @app.middleware("http")
    async def _dress(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    async def _begin() -> Response:
        return RedirectResponse(f"/chat/{platform.begin().id}", status_code=303)

    @app.get("/chat/{conversation_id}")
    async def _page(conversation_id: str) -> Response:
        talk = platform.talk(conversation_id)
        return HTMLResponse(_render(page, talk)) if talk else RedirectResponse("/", status_code=303)

    @app.get("/chat/{conversation_id}/news")
    async def _news(conversation_id: str, after: int = 0, trace_after: int = 0) -> Response:
        news = platform.view(conversation_id, max(after, 0), max(trace_after, 0))
        return JSONResponse(news) if news is not None else PlainTextResponse("no such conversation", 404)

    @app.post("/chat/{conversation_id}/messages", status_code=202)
    async def _say(conversation_id: str, said: Said) -> Response:
        if platform.talk(conversation_id) is None:
            return PlainTextResponse("no such conversation", 404)
        await run_in_threadpool(platform.chat, conversation_id, said.text)
        return Response(status_code=202)

    @app.post("/callbacks")
    async def _callback(request: Request) -> Response:
        authentic = platform.receive(dict(request.headers), await request.body())
        return Response(status_code=204 if authentic else 401)

    return app


def _links(pages: Mapping[str, str]) -> str:
    return " or ".join(
        f'<a href="{html.escape(url, quote=True)}" target="_blank" rel="noopener">{html.escape(title)}</a>'
        for title, url in pages.items()
    )


def _render(page: str, talk: Talk) -> str:
    values = {"customer": talk.greeting_name, "conversation": talk.id}
    for name, value in values.items():
        page = page.replace(f"[[{name}]]", html.escape(value, quote=True))
    return page
