"""The mailbox's pages. The HTML of a mail is a document of its own, which may load nothing and run nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from handoff_sync.simulator.mailbox.mail import Mailbox
from handoff_sync.simulator.mailbox.page import SANDBOX, VIEWS, mail_document, mailbox_page

STATIC: Final = Path(__file__).parent / "static"
SHOWN: Final = 300
"""Older mails are there, but not in the list."""
PAGE: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
MAIL: Final = (
    f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
    f"sandbox {SANDBOX}"
)
"""The sandbox stands here, too: somebody may open the address itself."""


def mailbox_app(mailbox: Mailbox) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.middleware("http")
    async def _dress(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers.setdefault("Content-Security-Policy", PAGE)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    async def _all() -> Response:
        return await run_in_threadpool(_page, mailbox, "", "html")

    @app.get("/newest")
    async def _newest() -> Response:
        ids = await run_in_threadpool(mailbox.ids)
        return JSONResponse({"newest": ids[0] if ids else "", "mails": len(ids)})

    @app.get("/mails/{mail_id}")
    async def _one(mail_id: str, view: str = "html") -> Response:
        return await run_in_threadpool(_page, mailbox, mail_id, view if view in VIEWS else "html")

    @app.get("/mails/{mail_id}/body")
    async def _body(mail_id: str) -> Response:
        mail = await run_in_threadpool(mailbox.mail, mail_id)
        if mail is None:
            return Response(status_code=404)
        return HTMLResponse(mail_document(mail), headers={"Content-Security-Policy": MAIL})

    return app


def _page(mailbox: Mailbox, mail_id: str, view: str) -> Response:
    chosen = mailbox.mail(mail_id) if mail_id else None
    found = chosen is not None or not mail_id
    return HTMLResponse(mailbox_page(mailbox.mails(SHOWN), chosen, view), 200 if found else 404)
