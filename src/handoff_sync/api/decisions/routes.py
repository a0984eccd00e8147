"""`/decide/{token}`: looking changes nothing, only a form that a person has filled in decides."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from handoff_sync.api.decisions.answer import closed_page, dead_page, trouble_page
from handoff_sync.api.decisions.deciding import decide
from handoff_sync.api.decisions.form import Rejected, answer_in, read_form
from handoff_sync.api.decisions.html import assets
from handoff_sync.api.decisions.nonce import has_decided, known_browser, make_nonce, new_browser, proof_of_decision
from handoff_sync.api.decisions.question import Problem, question_page
from handoff_sync.api.decisions.talk import entries, messages_of
from handoff_sync.api.decisions.visit import Standing, Visit
from handoff_sync.api.decisions.words import Words, chosen
from handoff_sync.api.deps import ApiDeps, deps_of
from handoff_sync.api.problems import ProblemError
from handoff_sync.core.model import Decision, DecisionState
from handoff_sync.errors import NotReady
from handoff_sync.service.decision_links import DecisionLinks

_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FOREVER: Final = "public, max-age=31536000, immutable"
_STATUS: Final = {Standing.EXPIRED: 410, Standing.REVOKED: 410, Standing.FOLLOWED: 410}


class PageRoute(APIRoute):
    """For people: whatever goes wrong is a page too, and none of them is kept, indexed or framed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                answer = await handle(request)
            except NotReady as error:
                wait = {"Retry-After": str(max(1, round(error.retry_after_s)))}
                answer = HTMLResponse(trouble_page(_wished(request), "wrong.not_ready"), 503, wait)
            except ProblemError as error:
                answer = HTMLResponse(trouble_page(_wished(request), "wrong.form"), error.status_code)
            answer.headers["content-security-policy"] = _CSP
            answer.headers["x-robots-tag"] = "noindex, nofollow"
            # Without https some browsers name neither origin nor site of a form that sends no referrer.
            https = deps_of(request).public_url.startswith("https://")
            answer.headers["referrer-policy"] = "no-referrer" if https else "same-origin"
            return answer

        return handler


router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/decide")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One request: who looks at what, with which browser."""

    deps: ApiDeps
    links: DecisionLinks
    visit: Visit
    browser: str
    proof: str

    def nonce(self, decision: Decision) -> str:
        return make_nonce(self.links, self.visit.token, self.browser, decision.version, self.visit.now)


@router.api_route("/static/{name}", methods=["GET", "HEAD"])
async def static(name: str) -> Response:
    asset = assets().get(name)
    if asset is None:
        return Response(status_code=404)
    return Response(asset.content, media_type=asset.kind, headers={"cache-control": _FOREVER})


@router.api_route("/{token}", methods=["GET", "HEAD"])
async def show(request: Request, token: str) -> Response:
    look = await _look(request, token)
    return _unknown(request) if look is None else await _page(look)


@router.get("/{token}/talk")
async def talk(request: Request, token: str) -> Response:
    """What was said since, for the script. `question` differs from the page's own once that is out of date."""
    look = await _look(request, token)
    decision = look.visit.decision if look is not None else None
    if look is None or decision is None or look.visit.standing is not Standing.PENDING:
        return JSONResponse({"question": None, "html": ""})
    after = request.query_params.get("after", "")
    visit, seq = look.visit, int(after) if after.isascii() and after.isdigit() and len(after) < 9 else 0

    def said() -> str:
        return entries(messages_of(look.deps.reads, visit.session, seq), visit.session, visit.words)

    return JSONResponse({"question": decision.version, "html": await look.deps.read(said)})


@router.post("/{token}")
async def answer(request: Request, token: str) -> Response:
    look = await _look(request, token)
    if look is None:
        return _unknown(request)
    try:
        fields = await read_form(request, look.deps)
        look = await _look(request, token) or look  # a body may take its time; what counts is how things stand now
        given = answer_in(fields, token, look.browser, look.links, look.deps)
        origin = request.client.host if request.client is not None else ""
        if given.choice == "undo" and not _decided_here(look):
            raise Rejected(403, Problem(key="wrong.nonce"))
        version = await decide(look.deps, look.links, look.visit, given, origin)
    except Rejected as rejected:
        again = await _look(request, token)  # it may have been decided meanwhile, or a try used up
        return await _page(again or look, rejected)
    gone_on = RedirectResponse(f"{token}?lang={look.visit.words.language}", 303)
    if given.choice != "undo":
        _set_cookie(gone_on, look, "undo", proof_of_decision(look.links, token, look.browser, version))
    return gone_on


# --- looking -----------------------------------------------------------------------------------------------------


async def _look(request: Request, token: str) -> _Look | None:
    """None for a link that we do not know."""
    deps = deps_of(request)
    links = deps.decision_links
    link = await deps.quick(links.find, token) if links is not None else None
    if links is None or link is None:
        return None
    session = await deps.quick(deps.reads.session, link.workspace_id, link.session_id)
    workspace = await deps.quick(deps.lookups.workspace, link.workspace_id)
    if session is None or workspace is None:
        return None
    visit = Visit(
        token=token,
        link=link,
        session=session,
        member=await deps.quick(links.member, link),
        workspace_name=workspace.name,
        words=chosen(request.query_params.get("lang", ""), link.language),
        now=deps.clock(),
    )
    cookies = request.cookies
    browser = known_browser(cookies.get(_cookie(deps), "")) or new_browser()
    return _Look(deps=deps, links=links, visit=visit, browser=browser, proof=cookies.get(_cookie(deps, "undo"), ""))


async def _page(look: _Look, rejected: Rejected | None = None) -> Response:
    visit, decision = look.visit, look.visit.decision
    problem = rejected.problem if rejected is not None else None
    if visit.standing is Standing.PENDING and decision is not None:
        messages = await look.deps.read(messages_of, look.deps.reads, visit.session)
        html, status = question_page(visit, decision, messages, look.nonce(decision), problem), 200
    else:
        nonce = look.nonce(decision) if decision is not None and _decided_here(look) else ""
        html = closed_page(visit, nonce, problem.key if problem is not None else "")
        status = _STATUS.get(visit.standing, 200)
    answer = HTMLResponse(html, rejected.status if rejected is not None else status)
    _set_cookie(answer, look, "", look.browser)
    return answer


def _decided_here(look: _Look) -> bool:
    decision, token = look.visit.decision, look.visit.token
    if decision is None or decision.state is DecisionState.PENDING:
        return False
    return has_decided(look.links, token, look.browser, decision.version, look.proof)


def _unknown(request: Request) -> Response:
    return HTMLResponse(dead_page(_wished(request), "unknown"), 404)


def _wished(request: Request) -> Words:
    return chosen(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))


def _cookie(deps: ApiDeps, purpose: str = "") -> str:
    name = "handoff-decide" + (f"-{purpose}" if purpose else "")
    return f"__Host-{name}" if deps.public_url.startswith("https://") else name


def _set_cookie(answer: Response, look: _Look, purpose: str, value: str) -> None:
    secure = look.deps.public_url.startswith("https://")
    name = _cookie(look.deps, purpose)
    answer.set_cookie(name, value, path="/", secure=secure, httponly=True, samesite="strict")
