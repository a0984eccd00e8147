"""The posted form: whether it may count, before anything is asked of the session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from handoff_sync.api.body import read_body
from handoff_sync.api.decisions.nonce import Rendering, read_nonce
from handoff_sync.api.decisions.question import Problem
from handoff_sync.api.deps import ApiDeps
from handoff_sync.core.markup import clean
from handoff_sync.service.decision_links import DecisionLinks

MAX_BYTES: Final = 40_000
NOTE_CHARS: Final = 2_000
CHOICES: Final = ("accept", "decline", "undo")
_TYPE: Final = "application/x-www-form-urlencoded"


class Rejected(Exception):
    """The form does not count; `problem` says why to whoever sent it."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__()
        self.status = status
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A form that may count. `rendering` tells which question it is about."""

    choice: str
    claim: bool
    note: str
    code: str
    rendering: Rendering


async def read_form(request: Request, deps: ApiDeps) -> dict[str, str]:
    """The fields. Rejected when it is no form or comes from elsewhere."""
    if not _same_origin(request, deps.public_url):
        raise Rejected(403, Problem(key="wrong.origin"))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise Rejected(415, Problem(key="wrong.form"))
    raw = await read_body(request, replace(deps.limits, max_body_bytes=MAX_BYTES))
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=bool(raw), max_num_fields=20))
    except ValueError:
        raise Rejected(400, Problem(key="wrong.form")) from None


def answer_in(fields: dict[str, str], token: str, browser: str, links: DecisionLinks, deps: ApiDeps) -> Answer:
    """What was answered. Rejected when the form is not ours or not this browser's, when nothing was chosen, and when
    nobody can have read the page so fast."""
    note = clean(fields.get("note", "")).strip()[:NOTE_CHARS]
    rendering = read_nonce(links, token, browser, fields.get("nonce", ""))
    if rendering is None:
        raise Rejected(400, Problem(key="wrong.nonce", note=note))
    choice = fields.get("choice", "")
    if choice not in CHOICES:
        raise Rejected(400, Problem(key="wrong.choice", note=note))
    if not rendering.looked_at(deps.clock()):
        raise Rejected(400, Problem(key="wrong.fast", note=note))
    return Answer(
        choice=choice,
        claim=choice == "accept" and fields.get("claim") == "1",
        note=note,
        code=fields.get("code", "")[:40],
        rendering=rendering,
    )


def _same_origin(request: Request, public_url: str) -> bool:
    """By what the browser says, which no page can forge. `public_url` decides what our origin is behind a proxy.

    A page that sends no referrer sends `Origin: null` as well, so where the browser names the site, that counts.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin not in (None, "null") and origin != _origin(public_url):
        return False
    return site == "same-origin" if site is not None else origin == _origin(public_url)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
