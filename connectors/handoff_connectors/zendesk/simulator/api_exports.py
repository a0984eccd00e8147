"""Endpoints that read across the account: the incremental export, search, groups, statuses, triggers, uploads."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from handoff_connectors.zendesk.simulator import api_errors, render
from handoff_connectors.zendesk.simulator.account import StoredFile
from handoff_connectors.zendesk.simulator.api import Request, Table, endpoint
from handoff_connectors.zendesk.simulator.comments import store_file
from handoff_connectors.zendesk.simulator.model import Ticket, User
from handoff_connectors.zendesk.simulator.paging import decode, encode, page
from handoff_sync.simulator.endpoints import Answer

EXPORTS: Final = Table()
MAX_EXPORT_PAGE: Final = 1000
MAX_RESULTS: Final = 1000
TOO_MANY_EXPORTS: Final = "Number of allowed incremental export API requests per minute exceeded"
TERM: Final = re.compile(r'(-?)(?:(\w+)([:<>]=?))?(?:"([^"]*)"|(\S+))')


@endpoint(EXPORTS, "GET", "/incremental/tickets/cursor", "tickets", admin=True)
def export(request: Request) -> Answer:
    """Changed tickets in the order of their newest change. The newest stretch of time is withheld."""
    account, query = request.account, request.call.query
    request.limit("incremental-exports", account.settings.limits.incremental, text=TOO_MANY_EXPORTS)
    start, number = _export_start(request)
    until = account.clock.now() - timedelta(seconds=account.settings.export_withheld_s)
    size = min(int(query.first("per_page") or MAX_EXPORT_PAGE), MAX_EXPORT_PAGE)
    hidden = query.first("exclude_deleted") == "true"
    changed = [
        t for t in account.tickets.values()
        if t.change_number > number and t.changed_at.timestamp() >= start and t.changed_at <= until
        and not (hidden and t.deleted_at)
    ]  # fmt: skip
    changed.sort(key=lambda t: t.change_number)
    shown, more = changed[:size], len(changed) > size
    cursor = encode([start, shown[-1].change_number]) if shown else encode([start, number])
    body: dict[str, Any] = {
        "tickets": [render.ticket(account, request.base, t) for t in shown],
        "after_url": f"{request.base}/api/v2/incremental/tickets/cursor.json?cursor={quote(cursor)}",
        "before_url": None,
        "after_cursor": cursor,
        "before_cursor": None,
        "end_of_stream": not more,
    }
    if "users" in (query.first("include") or "").split(","):
        ids = {i for t in shown for i in (t.requester_id, t.submitter_id, t.assignee_id) if i}
        body["users"] = [render.user(request.base, account.users[i]) for i in sorted(ids)]
    return Answer(200, body)


def _export_start(request: Request) -> tuple[float, int]:
    """From which time and after which change on to export."""
    query, settings = request.call.query, request.account.settings
    if (cursor := query.first("cursor")) is not None:
        start, number = decode(cursor)
        return float(start), int(number)
    raw = query.first("start_time") or ""
    if not raw.isdigit():
        raise api_errors.bad_value("start_time must be a unix time in seconds")
    if int(raw) > request.account.clock.unix() - settings.export_withheld_s:
        raise api_errors.too_recent(settings.export_withheld_s)
    return float(raw), 0


@endpoint(EXPORTS, "GET", "/search", "tickets")
def search(request: Request) -> Answer:
    """Tickets and users by `type:`, `external_id:`, `status:`, `tags:`, `requester:`, ids and words, after a lag."""
    account, query = request.account, request.call.query
    request.limit("search", account.settings.limits.search)
    if int(query.first("page") or 1) * int(query.first("per_page") or 100) > MAX_RESULTS:
        text = f"Number of requested pages exceeds the limit of {MAX_RESULTS} results"
        raise api_errors.bad_value(text)
    terms = TERM.findall(query.first("query") or "")
    known_since = account.clock.now() - timedelta(seconds=account.settings.search_lag_s)
    things: list[Ticket | User] = []
    kind = next((quoted or word for _, name, _, quoted, word in terms if name == "type"), None)
    if kind in (None, "ticket"):
        things += [t for t in account.live_tickets() if t.created_at <= known_since and _found(request, t, terms)]
    if kind in (None, "user"):
        things += [u for u in account.users.values() if u.updated_at <= known_since and _found(request, u, terms)]
    things.sort(key=lambda thing: (thing.updated_at, thing.id), reverse=True)
    body, _ = page(request.call, request.base, "results", things, lambda thing: thing.id, lambda t: _result(request, t))
    return Answer(200, {**body, "facets": None})


def _result(request: Request, thing: Ticket | User) -> dict[str, Any]:
    if isinstance(thing, Ticket):
        return {**render.ticket(request.account, request.base, thing), "result_type": "ticket"}
    return {**render.user(request.base, thing), "result_type": "user"}


def _found(request: Request, thing: Ticket | User, terms: list[tuple[str, str, str, str, str]]) -> bool:
    return all(
        _term_matches(request, thing, name, quoted or word) is not bool(minus)
        for minus, name, _, quoted, word in terms
        if name != "type"
    )


def _term_matches(request: Request, thing: Ticket | User, name: str, value: str) -> bool:
    wanted = value.lower()
    if name == "external_id":
        return (thing.external_id or "").lower() == wanted
    if name in ("tags", "tag"):
        return wanted in thing.tags
    if isinstance(thing, User):
        if name == "email":
            return wanted in thing.emails
        return wanted in f"{thing.name} {' '.join(thing.emails)}".lower()
    if name == "status":
        return thing.status == wanted
    if name == "requester":
        requester = request.account.users[thing.requester_id]
        return wanted in {str(requester.id), requester.name.lower(), *requester.emails}
    return wanted == str(thing.id) or wanted in f"{thing.subject or ''} {thing.description}".lower()


@endpoint(EXPORTS, "GET", "/custom_statuses", "tickets")
def custom_statuses(request: Request) -> Answer:
    wanted = (request.call.query.first("status_categories") or "").split(",")
    statuses = [s for s in request.account.statuses.values() if wanted == [""] or s.category in wanted]
    return Answer(200, {"custom_statuses": [render.custom_status(s) for s in statuses]})


@endpoint(EXPORTS, "GET", "/groups", "groups")
def groups(request: Request) -> Answer:
    things = [g for g in request.account.groups.values() if not g.deleted]
    body, _ = page(
        request.call, request.base, "groups", things, lambda g: g.id, lambda g: render.group(request.base, g)
    )
    return Answer(200, body)


@endpoint(EXPORTS, "GET", "/groups/{id}", "groups")
def group(request: Request) -> Answer:
    found = request.account.groups.get(request.id)
    if found is None:
        raise api_errors.not_found()
    return Answer(200, {"group": render.group(request.base, found)})


@endpoint(EXPORTS, "POST", "/uploads", "tickets")
def upload(request: Request) -> Answer:
    name, call = request.call.query.first("filename"), request.call
    if not name:
        raise api_errors.bad_value("Parameter filename is required")
    file = StoredFile(call.headers.get("content-type", "application/octet-stream"), call.raw)
    token, attachment = store_file(request.account, request.base, name, file)
    expires_at = render.time(request.account.clock.now() + timedelta(days=3))
    shown = {"token": token, "expires_at": expires_at, "attachment": attachment, "attachments": [attachment]}
    return Answer(201, {"upload": shown}, {"Location": str(attachment["content_url"])})
