"""Endpoints of messages, of the history and of uploaded files."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final

from handoff_connectors.gorgias.simulator import api_errors, render, ticket_desk
from handoff_connectors.gorgias.simulator.account import Account, StoredFile
from handoff_connectors.gorgias.simulator.api import Request, Table, endpoint
from handoff_connectors.gorgias.simulator.api_tickets import live_ticket
from handoff_connectors.gorgias.simulator.fields import parse
from handoff_connectors.gorgias.simulator.model import Event, Message, Ticket
from handoff_connectors.gorgias.simulator.paging import Key, page
from handoff_sync.simulator.endpoints import Answer

MESSAGES: Final = Table()
ORDERS: Final = ("created_datetime:asc", "created_datetime:desc")
OBJECT_TYPES: Final = (
    "Account", "AccountSetting", "Customer", "CustomField", "CustomFieldCondition", "CustomUserAvailabilityStatus",
    "CustomerExternalData", "Integration", "Macro", "Order", "Role", "Rule", "SatisfactionSurvey", "Shopper",
    "ShopperAddress", "Subscription", "Tag", "Team", "TicketMessage", "Ticket", "User", "UserSetting", "View", "Widget",
)  # fmt: skip
BOUNDS: Final = ("gt", "gte", "lt", "lte")


def _place(message: Message) -> Key:
    return message.created_at.timestamp(), message.id


def _message(request: Request) -> tuple[Ticket, Message]:
    ticket = live_ticket(request)
    found = next((message for message in ticket.messages if message.id == request.id), None)
    if found is None:
        raise api_errors.not_found()
    return ticket, found


@endpoint(MESSAGES, "GET", "/tickets/{ticket}/messages", "tickets")
def list_ticket_messages(request: Request) -> Answer:
    said = live_ticket(request).messages
    return Answer(200, page(request.call, said, _place, lambda m: render.message(request.account, m), falling=False))


@endpoint(MESSAGES, "POST", "/tickets/{ticket}/messages", "tickets")
def create(request: Request) -> Answer:
    message = ticket_desk.add_message(request.account, request.caller.user, live_ticket(request), request.json())
    return Answer(201, render.message(request.account, message))


@endpoint(MESSAGES, "GET", "/tickets/{ticket}/messages/{id}", "tickets")
def show(request: Request) -> Answer:
    return Answer(200, render.message(request.account, _message(request)[1]))


@endpoint(MESSAGES, "PUT", "/tickets/{ticket}/messages/{id}", "tickets")
def update(request: Request) -> Answer:
    ticket, message = _message(request)
    ticket_desk.change_message(request.account, ticket, message, request.json())
    return Answer(202, render.message(request.account, message))


@endpoint(MESSAGES, "DELETE", "/tickets/{ticket}/messages/{id}", "tickets")
def delete(request: Request) -> Answer:
    ticket, message = _message(request)
    ticket.messages.remove(message)
    request.account.touch(ticket)
    return Answer(204)


@endpoint(MESSAGES, "GET", "/messages", "tickets")
def list_messages(request: Request) -> Answer:
    request.known("cursor", "limit", "order_by", "ticket_id")
    falling = request.choice("order_by", ORDERS, ORDERS[1]).endswith("desc")
    ticket_id = request.number("ticket_id")
    said = [m for m in request.account.messages() if ticket_id in (None, m.ticket_id)]
    return Answer(200, page(request.call, said, _place, lambda m: render.message(request.account, m), falling=falling))


# --- history -------------------------------------------------------------------------------------


@endpoint(MESSAGES, "GET", "/events", "events")
def list_events(request: Request) -> Answer:
    request.known("cursor", "limit", "order_by", "object_id", "object_type", "user_ids", "types",
                  *(f"created_datetime[{bound}]" for bound in BOUNDS))  # fmt: skip
    falling = request.choice("order_by", ORDERS, ORDERS[1]).endswith("desc")
    if request.call.query.first("object_type"):
        request.choice("object_type", OBJECT_TYPES, "")
        if request.number("object_id") is None:
            raise api_errors.invalid("Invalid parameters", {"object_id": ["Required when `object_type` is set."]})
    wanted = _filter(request)
    found = [event for event in _indexed(request.account) if wanted(event)]
    return Answer(200, page(request.call, found, lambda e: (e.created_at.timestamp(), e.id), render.event,
                            falling=falling))  # fmt: skip


def _indexed(account: Account) -> list[Event]:
    newest = account.clock.now() - timedelta(seconds=account.settings.event_lag_s)
    return [event for event in account.events if event.created_at <= newest]


def _filter(request: Request) -> Callable[[Event], bool]:
    object_id, types, users = request.number("object_id"), request.listed("types"), request.listed("user_ids")
    object_type, (after, since, before, until) = request.call.query.first("object_type"), _edges(request)

    def wanted(event: Event) -> bool:
        at = event.created_at
        return (
            object_type in (None, event.object_type)
            and object_id in (None, event.object_id)
            and (not types or event.type in types)
            and (not users or str(event.user_id) in users)
            and (after is None or at > after)
            and (since is None or at >= since)
            and (before is None or at < before)
            and (until is None or at <= until)
        )

    return wanted


def _edges(request: Request) -> list[datetime | None]:
    """The four bounds of the query.

    Raises:
        ApiError: 400 when one is no time.
    """
    found: list[datetime | None] = []
    for bound in BOUNDS:
        name = f"created_datetime[{bound}]"
        raw = request.call.query.first(name)
        edge = parse(raw.replace(" ", "+")) if raw is not None else None  # a plus that was not encoded
        if raw is not None and edge is None:
            raise api_errors.invalid("Invalid parameters", {name: ["Not a valid datetime."]})
        found.append(edge)
    return found


@endpoint(MESSAGES, "GET", "/events/{id}", "events")
def show_event(request: Request) -> Answer:
    found = next((event for event in _indexed(request.account) if event.id == request.id), None)
    if found is None:
        raise api_errors.not_found()
    return Answer(200, render.event(found))


# --- files ---------------------------------------------------------------------------------------


@endpoint(MESSAGES, "POST", "/upload", "tickets")
def upload(request: Request) -> Answer:
    """Files of a multipart form. What is answered goes into a message's `attachments`."""
    kind = request.call.headers.get("content-type", "")
    whole = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.call.raw)
    parts = [part for part in whole.iter_parts() if part.get_filename()] if whole.is_multipart() else []
    if not parts:
        raise api_errors.invalid("Failed to upload files", {"file": ["Missing data for required field."]})
    stored = [store_file(request.account, request.base, str(part.get_filename()),
                         StoredFile(part.get_content_type(), bytes(part.get_payload(decode=True) or b"")))
              for part in parts]  # fmt: skip
    return Answer(201, stored)


def store_file(account: Account, base: str, name: str, file: StoredFile) -> dict[str, object]:
    """Keep a file; what an attachment says of it. Fetching it needs credentials."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    key = f"{secrets.token_hex(8)}/{secrets.token_hex(8)}-{plain}"
    account.files[key] = file
    return {"url": f"{base}/api/attachment/download/{key}", "name": name, "size": len(file.content),
            "content_type": file.content_type, "public": False}  # fmt: skip


@endpoint(MESSAGES, "GET", "/attachment/download/{hash:text}/{name:text}", "tickets")
def download(request: Request) -> Answer:
    file = request.account.files.get(f"{request.call.params['hash']}/{request.call.params['name']}")
    if file is None:
        raise api_errors.not_found()
    return Answer(200, file.content, {"Content-Disposition": "attachment"}, file.content_type)
