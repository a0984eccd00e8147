"""Endpoints of tickets: made of conversations, read, searched, changed, replied to, tagged; their types and states."""

from __future__ import annotations

from typing import Any, Final

from handoff_connectors.intercom.simulator import (
    api_errors,
    attachments,
    changes,
    indexing,
    render,
    render_tickets,
    search,
    talk,
    text,
    tickets,
)
from handoff_connectors.intercom.simulator.api import Request, Table, endpoint
from handoff_connectors.intercom.simulator.api_conversations import WRITE, replying, when
from handoff_connectors.intercom.simulator.model import Actor, Conversation
from handoff_connectors.intercom.simulator.paging import asked_page, page
from handoff_sync.simulator.endpoints import Answer

TICKETS: Final = Table()
PER_PAGE: Final = 20
READ_TICKETS: Final = "read_tickets"
WRITE_TICKETS: Final = "write_tickets"


def _shown(request: Request, ticket: Conversation) -> Answer:
    return Answer(200, render_tickets.ticket(request.workspace, ticket))


@endpoint(TICKETS, "POST", "/conversations/{id}/convert", WRITE)
def convert(request: Request) -> Answer:
    request.caller.require(WRITE_TICKETS)
    conversation, body = request.conversation(), request.json()
    kind = request.workspace.ticket_types.get(str(body.get("ticket_type_id")))
    attributes = body.get("attributes") or {}
    if kind is None:
        raise api_errors.invalid("Ticket type not found")
    if not isinstance(attributes, dict):
        raise api_errors.invalid("attributes must be an object")
    actor = Actor(request.workspace.bot, via_api=True)
    tickets.convert(request.workspace, conversation, actor, kind, attributes)
    return _shown(request, conversation)


@endpoint(TICKETS, "GET", "/tickets/{id}", READ_TICKETS)
def show(request: Request) -> Answer:
    return _shown(request, request.ticket())


@endpoint(TICKETS, "PUT", "/tickets/{id}", WRITE_TICKETS)
def update(request: Request) -> Answer:
    """State, whether it is open, snooze and assignee; what is wrong with one of them changes nothing."""
    ticket, body, workspace = request.ticket(), request.json(), request.workspace
    actor = request.actor(body) if body.get("admin_id") is not None else Actor(workspace.bot, via_api=True)
    assert ticket.ticket is not None
    state = workspace.ticket_states.get(str(body.get("ticket_state_id")))
    if "ticket_state_id" in body and (state is None or state.id not in ticket.ticket.type.state_ids):
        text_ = "Ticket state id is not valid or is not associated with the ticket type"
        raise api_errors.ApiError(400, "ticket_state_id_invalid", text_)
    assignee = _assignee(request, body)
    if state is not None:
        tickets.set_state(workspace, ticket, actor, state)
    if isinstance(body.get("snoozed_until"), int):
        talk.snooze(workspace, ticket, actor, body["snoozed_until"])
    if isinstance(body.get("open"), bool):
        tickets.set_open(workspace, ticket, actor, body["open"])
    if assignee is not None:
        talk.assign(workspace, ticket, actor, *assignee)
    return _shown(request, ticket)


def _assignee(request: Request, body: dict[str, Any]) -> tuple[str, int] | None:
    """One field for teammates and teams; "0" takes the teammate off.

    Raises:
        ApiError: 404.
    """
    if "assignee_id" not in body:
        return None
    wanted = str(body["assignee_id"])
    if wanted != "0" and wanted not in request.workspace.admins and wanted not in request.workspace.teams:
        raise api_errors.assignee_not_found()
    return ("team" if wanted in request.workspace.teams else "admin"), int(wanted)


@endpoint(TICKETS, "POST", "/tickets/{id}/reply", WRITE_TICKETS)
def reply(request: Request) -> Answer:
    """Answers with the part alone."""
    ticket, body, workspace = request.ticket(), request.json(), request.workspace
    files = attachments.of_body(workspace, request.base, body)
    words = str(body.get("body") or "")
    if not words.strip() and not files:
        raise api_errors.missing("body")
    if body.get("type") == "user":
        contact = replying(request, body)
        if contact.id not in ticket.contact_ids:
            raise api_errors.user_not_found()
        part = talk.contact_reply(workspace, ticket, contact, text.from_text(words), via_api=True, at=when(body),
                                  attachments=files)  # fmt: skip
        return Answer(200, render_tickets.part(part))
    actor, html = request.actor(body), text.clean(words)
    if body.get("message_type") == "note":
        part = talk.admin_note(workspace, ticket, actor, html, at=when(body), attachments=files)
    else:
        silent = body.get("skip_notifications") is True
        part = talk.admin_comment(workspace, ticket, actor, html, at=when(body), attachments=files, silent=silent)
    return Answer(200, render_tickets.part(part))


@endpoint(TICKETS, "POST", "/tickets/search", READ_TICKETS)
def search_tickets(request: Request) -> Answer:
    body, workspace = request.json(), request.workspace
    fits = search.predicate(body.get("query"), search.TICKET_FIELDS, workspace.settings.timezone)
    known = ((c, indexing.known(workspace, c)) for c in workspace.live_tickets())
    found = [c for c, view in known if view is not None and view.get("ticket") and fits(view)]
    size, after = asked_page(body, PER_PAGE)
    on_page, pages, total = page(found, lambda c: (c.updated_at, c.id), size, after)
    items = [render_tickets.ticket(workspace, c) for c in on_page]
    return Answer(200, {"type": "ticket.list", "tickets": items, "total_count": total, "pages": pages})


# --- tags ------------------------------------------------------------------------------------------


def _tagged(request: Request) -> Conversation:
    found = request.workspace.ticket(request.call.params["id"])
    if found is None:
        raise api_errors.ApiError(404, "ticket_not_found", "Ticket not found")
    return found


@endpoint(TICKETS, "POST", "/tickets/{id:text}/tags", "write_tags")
def attach_tag(request: Request) -> Answer:
    body, ticket = request.json(), _tagged(request)
    tag = request.workspace.tags.get(str(body.get("id")))
    if tag is None:
        raise api_errors.tag_not_found()
    return Answer(200, render.applied(changes.attach_tag(request.workspace, ticket, request.actor(body), tag)))


@endpoint(TICKETS, "DELETE", "/tickets/{id:text}/tags/{tag:text}", "write_tags")
def detach_tag(request: Request) -> Answer:
    body, ticket = request.json(), _tagged(request)
    tag = request.workspace.tags.get(request.call.params["tag"])
    taken = changes.detach_tag(request.workspace, ticket, request.actor(body), tag) if tag is not None else None
    if taken is None:
        raise api_errors.tag_not_found()
    return Answer(200, render.applied(taken))


# --- types and states ------------------------------------------------------------------------------


@endpoint(TICKETS, "GET", "/ticket_types", READ_TICKETS)
def ticket_types(request: Request) -> Answer:
    types = request.workspace.ticket_types.values()
    return Answer(200, {"type": "list", "data": [render_tickets.ticket_type(request.workspace, t) for t in types]})


@endpoint(TICKETS, "GET", "/ticket_types/{id}", READ_TICKETS)
def ticket_type(request: Request) -> Answer:
    found = request.workspace.ticket_types.get(request.call.params["id"])
    if found is None:
        raise api_errors.not_found()
    return Answer(200, render_tickets.ticket_type(request.workspace, found))


@endpoint(TICKETS, "GET", "/ticket_states", READ_TICKETS)
def ticket_states(request: Request) -> Answer:
    states = request.workspace.ticket_states.values()
    return Answer(200, {"type": "list", "data": [render_tickets.detailed_state(request.workspace, s) for s in states]})
