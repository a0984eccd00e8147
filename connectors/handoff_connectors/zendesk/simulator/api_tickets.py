"""Endpoints that make, read and change tickets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from handoff_connectors.zendesk.simulator import api_errors, render, ticket_desk
from handoff_connectors.zendesk.simulator.account import RememberedAnswer
from handoff_connectors.zendesk.simulator.api import Request, Table, endpoint
from handoff_connectors.zendesk.simulator.model import Ticket, User
from handoff_connectors.zendesk.simulator.paging import page
from handoff_connectors.zendesk.simulator.ticket_fields import CREATE_KEYS, UPDATE_KEYS, read_ticket
from handoff_sync.simulator.endpoints import Answer

TICKETS: Final = Table()
TEN_MINUTES: Final = 600.0
MAX_KEY: Final = 255
EVERYTHING: Final = ""
"""Audits need the scope `read`; `tickets:read` is not enough."""


def live_ticket(request: Request) -> Ticket:
    """The ticket named in the path.

    Raises:
        ApiError: 404 when it is unknown or deleted.
    """
    ticket = request.account.live_ticket(request.id)
    if ticket is None:
        raise api_errors.not_found()
    return ticket


@endpoint(TICKETS, "POST", "/tickets", "tickets")
def create(request: Request) -> Answer:
    account = request.account
    request.limit("ticket-request-create-by-user-and-ip", account.settings.limits.ticket_create,
                  key=request.caller.user.id)  # fmt: skip
    key = request.call.headers.get("idempotency-key")
    if key is None:
        return _create(request)
    if (repeat := _remembered(request, key)) is not None:
        return repeat
    request.headers["x-idempotency-lookup"] = "miss"
    answer = _create(request)
    expires_at = account.clock.now() + timedelta(seconds=account.settings.idempotency_life_s)
    account.remembered[key] = RememberedAnswer(request.call.raw, _copy(answer), expires_at)
    return answer


def _remembered(request: Request, key: str) -> Answer | None:
    if len(key) > MAX_KEY:
        raise api_errors.bad_value(f"Idempotency-Key is longer than {MAX_KEY} characters")
    found = request.account.remembered.get(key)
    if found is None or found.expires_at <= request.account.clock.now():
        return None
    if found.request != request.call.raw:
        raise api_errors.idempotency_mismatch()
    request.headers["x-idempotency-lookup"] = "hit"
    return _copy(found.answer)


def _copy(answer: Answer) -> Answer:
    return replace(answer, headers=dict(answer.headers))


def _create(request: Request) -> Answer:
    wanted = read_ticket(request.json(), CREATE_KEYS)
    request.warn_of(wanted.dropped, "create")
    ticket, audit = ticket_desk.create(request.account, request.origin, wanted)
    shown = render.ticket(request.account, request.base, ticket, created=True)
    body = {"ticket": shown, "audit": render.audit(audit)}
    # What is remembered under an idempotency key must not change with the ticket.
    return Answer(201, Answer(201, body).encoded(), {"Location": shown["url"]})


@endpoint(TICKETS, "GET", "/tickets/{id}", "tickets")
def show(request: Request) -> Answer:
    ticket = live_ticket(request)
    body: dict[str, Any] = {"ticket": render.ticket(request.account, request.base, ticket)}
    _include_users(request, body, [ticket])
    return Answer(200, body)


@endpoint(TICKETS, "PUT", "/tickets/{id}", "tickets")
def update(request: Request) -> Answer:
    account, limits = request.account, request.account.settings.limits
    request.limit("tickets-update", limits.ticket_update)
    ticket = live_ticket(request)
    request.limit("per-ticket-updates", limits.updates_per_ticket_and_user_in_10_min,
                  key=(ticket.id, request.caller.user.id), seconds=TEN_MINUTES,
                  text="Number of allowed updates to this ticket exceeded")  # fmt: skip
    wanted = read_ticket(request.json(), UPDATE_KEYS)
    request.warn_of(wanted.dropped, "update")
    audit = ticket_desk.update(account, request.origin, ticket, wanted)
    return Answer(200, {"ticket": render.ticket(account, request.base, ticket), "audit": render.audit(audit)})


@endpoint(TICKETS, "GET", "/tickets", "tickets")
def list_tickets(request: Request) -> Answer:
    account = request.account
    request.limit("tickets-index", account.settings.limits.ticket_list)
    known_since = account.clock.now() - timedelta(seconds=account.settings.list_lag_s)
    external_id = request.call.query.first("external_id")
    tickets = account.tickets_with(external_id) if external_id is not None else account.live_tickets()
    listed = sorted((t for t in tickets if t.created_at <= known_since), key=lambda t: t.id)
    body, shown = page(request.call, request.base, "tickets", listed, lambda t: t.id,
                       lambda t: render.ticket(account, request.base, t))  # fmt: skip
    _include_users(request, body, shown)
    return Answer(200, body)


@endpoint(TICKETS, "GET", "/tickets/show_many", "tickets")
def show_many(request: Request) -> Answer:
    ids = ids_of(request, "ids")
    tickets = [t for t in map(request.account.live_ticket, ids) if t is not None]
    body: dict[str, Any] = {
        "tickets": [render.ticket(request.account, request.base, t) for t in tickets],
        "next_page": None,
        "previous_page": None,
        "count": len(tickets),
    }
    _include_users(request, body, tickets)
    return Answer(200, body)


def ids_of(request: Request, name: str) -> list[int]:
    """Comma separated ids of the query, each once.

    Raises:
        ApiError: 400 for more than 100 or for something that is no number.
    """
    parts = [part.strip() for part in (request.call.query.first(name) or "").split(",") if part.strip()]
    if len(parts) > 100:
        raise api_errors.too_many_values()
    if not all(part.isdigit() for part in parts):
        raise api_errors.invalid_attribute(name, "integers")
    return list(dict.fromkeys(map(int, parts)))


@endpoint(TICKETS, "GET", "/tickets/{id}/comments", "tickets")
def comments(request: Request) -> Answer:
    query = request.call.query
    falling = query.first("sort") == "-created_at" or query.first("sort_order") == "desc"
    things = live_ticket(request).comments
    body, shown = page(request.call, request.base, "comments", things[::-1] if falling else things, lambda c: c.id,
                       render.comment)  # fmt: skip
    if "users" in _included(request):
        body["users"] = _users(request, {comment.author_id for comment in shown})
    return Answer(200, body)


@endpoint(TICKETS, "GET", "/tickets/{id}/comments/count", "tickets")
def count_comments(request: Request) -> Answer:
    counted = {"value": len(live_ticket(request).comments), "refreshed_at": render.time(request.account.clock.now())}
    return Answer(200, {"count": counted})


@endpoint(TICKETS, "PUT", "/tickets/{id}/comments/{comment_id}/make_private", "tickets")
def make_private(request: Request) -> Answer:
    ticket_desk.make_private(request.account, request.origin, live_ticket(request),
                             int(request.call.params["comment_id"]))  # fmt: skip
    return Answer(200, {})


@endpoint(TICKETS, "GET", "/tickets/{id}/audits", EVERYTHING)
def audits(request: Request) -> Answer:
    settings, query = request.account.settings, request.call.query
    request.limit("ticket-audits", settings.limits.audits)
    kinds = {*query.all("filter_events[]"), *query.all("filter_events")}
    things = [a for a in live_ticket(request).audits if not kinds or any(e["type"] in kinds for e in a.events)]
    if settings.audits_sortable and query.first("sort") == "-created_at":
        things.reverse()
    body, shown = page(request.call, request.base, "audits", things, lambda a: a.id, render.audit)
    if "users" in _included(request):
        body["users"] = _users(request, {audit.author_id for audit in shown})
    return Answer(200, body)


@endpoint(TICKETS, "GET", "/tickets/{id}/audits/{audit_id}", EVERYTHING)
def show_audit(request: Request) -> Answer:
    wanted = int(request.call.params["audit_id"])
    found = next((a for a in live_ticket(request).audits if a.id == wanted), None)
    if found is None:
        raise api_errors.not_found()
    return Answer(200, {"audit": render.audit(found)})


@endpoint(TICKETS, "GET", "/tickets/{id}/tags", "tickets")
def show_tags(request: Request) -> Answer:
    return Answer(200, {"tags": live_ticket(request).tags})


@endpoint(TICKETS, "POST", "/tickets/{id}/tags", "tickets")
def set_tags(request: Request) -> Answer:
    return Answer(201, {"tags": _change_tags(request, "set")})


@endpoint(TICKETS, "PUT", "/tickets/{id}/tags", "tickets")
def add_tags(request: Request) -> Answer:
    return Answer(200, {"tags": _change_tags(request, "add")})


@endpoint(TICKETS, "DELETE", "/tickets/{id}/tags", "tickets")
def remove_tags(request: Request) -> Answer:
    _change_tags(request, "remove")
    return Answer(204)


def _change_tags(request: Request, how: str) -> list[str]:
    body = request.json()
    ticket, tags = live_ticket(request), body.get("tags") if isinstance(body, dict) else None
    if not isinstance(tags, list | str):
        raise api_errors.invalid_attribute("tags", "an array")
    if body.get("safe_update") and body.get("updated_stamp") != ticket_desk.stamp(ticket):
        raise api_errors.update_conflict()
    return ticket_desk.change_tags(request.account, request.origin, ticket, tags, how)


def _included(request: Request) -> list[str]:
    return (request.call.query.first("include") or "").split(",")


def _include_users(request: Request, body: dict[str, Any], tickets: list[Ticket]) -> None:
    if "users" in _included(request):
        ids = {i for t in tickets for i in (t.requester_id, t.submitter_id, t.assignee_id) if i}
        body["users"] = _users(request, ids)


def _users(request: Request, ids: set[int]) -> list[dict[str, Any]]:
    found: list[User] = [request.account.users[i] for i in sorted(ids) if i in request.account.users]
    return [render.user(request.base, user) for user in found]
