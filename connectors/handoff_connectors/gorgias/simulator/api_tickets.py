"""Endpoints that make, read and change tickets and their tags."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from handoff_connectors.gorgias.simulator import api_errors, fields, render, ticket_desk
from handoff_connectors.gorgias.simulator.api import Request, Table, endpoint
from handoff_connectors.gorgias.simulator.happening import Snapshot
from handoff_connectors.gorgias.simulator.model import Ticket
from handoff_connectors.gorgias.simulator.paging import Key, page
from handoff_connectors.gorgias.simulator.schemas import TAGS
from handoff_sync.simulator.endpoints import Answer

TICKETS: Final = Table()
ORDERS: Final = ("created_datetime:asc", "created_datetime:desc", "updated_datetime:asc", "updated_datetime:desc")
MAX_IDS: Final = 100


def live_ticket(request: Request) -> Ticket:
    """The ticket named in the path.

    Raises:
        ApiError: 404 when it is unknown or deleted, 301 when it was merged into another.
    """
    ticket = request.account.tickets.get(int(request.call.params.get("ticket", request.call.params.get("id", 0))))
    if ticket is None or ticket.deleted_at is not None:
        raise api_errors.not_found()
    if ticket.merged_into is not None:
        form = request.account.settings.merge_location
        host, end = request.base if form == "absolute" else "", "/" if form == "slash" else ""
        raise api_errors.moved(f"{host}/api/tickets/{ticket.merged_into}{end}")
    return ticket


@endpoint(TICKETS, "POST", "/tickets", "tickets")
def create(request: Request) -> Answer:
    """There is no idempotency: the same body twice makes two tickets, whatever their external id."""
    ticket = ticket_desk.create(request.account, request.caller.user, request.json())
    return Answer(201, render.ticket(request.account, ticket))


@endpoint(TICKETS, "GET", "/tickets", "tickets")
def list_tickets(request: Request) -> Answer:
    request.known("cursor", "limit", "order_by", "customer_id", "external_id", "view_id", "rule_id", "ticket_ids",
                  "trashed")  # fmt: skip
    name, _, direction = request.choice("order_by", ORDERS, ORDERS[1]).partition(":")
    wanted = _filter(request)
    found = [ticket for ticket in _indexed(request) if wanted(ticket)]

    def key(ticket: Ticket) -> Key:
        at = ticket.created_at if name == "created_datetime" else ticket.updated_at
        return at.timestamp(), ticket.id

    shown = page(request.call, found, key, lambda t: render.row(request.account, t), falling=direction == "desc")
    return Answer(200, shown)


def _indexed(request: Request) -> list[Ticket]:
    """The live tickets that lists know already."""
    account = request.account
    newest = account.clock.now() - timedelta(seconds=account.settings.list_lag_s)
    return [ticket for ticket in account.live_tickets() if ticket.made_at <= newest]


def _filter(request: Request) -> Callable[[Ticket], bool]:
    """
    Raises:
        ApiError: 400 for a wrong value in the query.
    """
    ids = request.listed("ticket_ids")
    if len(ids) > MAX_IDS or not all(raw.isdigit() for raw in ids):
        raise api_errors.invalid("Invalid parameters", {"ticket_ids": [f"At most {MAX_IDS} integers."]})
    trashed = request.choice("trashed", ("true", "false", "True", "False"), "true").lower() == "true"
    customer_id, external_id = request.number("customer_id"), request.call.query.first("external_id")
    numbers = frozenset(map(int, ids))

    def wanted(ticket: Ticket) -> bool:
        return (
            (trashed or ticket.trashed_at is None)
            and customer_id in (None, ticket.customer_id)
            and external_id in (None, ticket.external_id)
            and (not numbers or ticket.id in numbers)
        )

    return wanted


@endpoint(TICKETS, "GET", "/tickets/{id}", "tickets")
def show(request: Request) -> Answer:
    more = "custom_fields" in request.listed("relationships")
    return Answer(200, render.ticket(request.account, live_ticket(request), custom_fields=more))


@endpoint(TICKETS, "PUT", "/tickets/{id}", "tickets")
def update(request: Request) -> Answer:
    ticket = live_ticket(request)
    ticket_desk.update(request.account, request.caller.user, ticket, request.json())
    return Answer(202, render.ticket(request.account, ticket))


@endpoint(TICKETS, "DELETE", "/tickets/{id}", "tickets")
def delete(request: Request) -> Answer:
    """For good; the trash is a PUT."""
    ticket = live_ticket(request)
    ticket.deleted_at = request.account.clock.now()
    request.account.touch(ticket)
    return Answer(204)


# --- tags ----------------------------------------------------------------------------------------


@endpoint(TICKETS, "GET", "/tickets/{ticket}/tags", "tickets")
def list_ticket_tags(request: Request) -> Answer:
    tags = [request.account.tags[tag_id] for tag_id in live_ticket(request).tags]
    return Answer(200, page(request.call, tags, lambda t: (0.0, t.id), render.full_tag, falling=False))


@endpoint(TICKETS, "POST", "/tickets/{ticket}/tags", "tickets")
def add_tags(request: Request) -> Answer:
    ticket, given = live_ticket(request), _tag_ids(request)
    _retag(request, ticket, [*ticket.tags, *given])
    return Answer(201)


@endpoint(TICKETS, "PUT", "/tickets/{ticket}/tags", "tickets")
def set_tags(request: Request) -> Answer:
    _retag(request, live_ticket(request), _tag_ids(request))
    return Answer(202)


@endpoint(TICKETS, "DELETE", "/tickets/{ticket}/tags", "tickets")
def remove_tags(request: Request) -> Answer:
    ticket, given = live_ticket(request), _tag_ids(request)
    _retag(request, ticket, [tag_id for tag_id in ticket.tags if tag_id not in given])
    return Answer(204)


@endpoint(TICKETS, "GET", "/tags", "tickets")
def list_tags(request: Request) -> Answer:
    tags = request.account.tags.values()
    return Answer(200, page(request.call, tags, lambda t: (0.0, t.id), render.full_tag, falling=False))


def _retag(request: Request, ticket: Ticket, tag_ids: list[int]) -> None:
    before = Snapshot.of(ticket)
    ticket_desk.set_tags(request.account, ticket, tag_ids)
    ticket_desk.finish(request.account, ticket, before, request.caller.user.id)


def _tag_ids(request: Request) -> list[int]:
    """
    Raises:
        ApiError: 400 when the body is wrong or names an unknown id.
    """
    given: Any = request.json()
    wrong = fields.faults(TAGS, given)
    unknown = [tag_id for tag_id in ([] if wrong else given.get("ids") or []) if tag_id not in request.account.tags]
    if wrong or unknown:
        raise api_errors.invalid("Failed to change tags", wrong or {"ids": [f"Unknown tag {unknown[0]}."]})
    return [*(given.get("ids") or []), *(request.account.tag(name).id for name in given.get("names") or [])]
