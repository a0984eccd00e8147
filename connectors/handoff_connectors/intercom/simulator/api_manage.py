"""Endpoints that manage a conversation: state, assignment, tags, people, redaction, merge, deletion."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from handoff_connectors.intercom.simulator import api_errors, changes, people, render, seed, talk, text
from handoff_connectors.intercom.simulator.api import Request, Table, endpoint
from handoff_connectors.intercom.simulator.api_conversations import READ, WRITE, shown
from handoff_connectors.intercom.simulator.model import Actor, Contact, Conversation, Tag
from handoff_connectors.intercom.simulator.paging import size_of
from handoff_sync.simulator.endpoints import Answer

MANAGE: Final = Table()
DELETED_PER_PAGE: Final = (20, 60)


@endpoint(MANAGE, "POST", "/conversations/{id}/parts", WRITE)
def manage(request: Request) -> Answer:
    conversation, body, workspace = request.conversation(), request.json(), request.workspace
    actor = request.actor(body)
    match body.get("message_type"):
        case "close":
            talk.close(workspace, conversation, actor, _html(body))
        case "snoozed":
            talk.snooze(workspace, conversation, actor, _snoozed_until(request, body))
        case "open":
            talk.reopen(workspace, conversation, actor)
        case "assignment":
            kind, assignee_id = _assignee(request, body)
            talk.assign(workspace, conversation, actor, kind, assignee_id, _html(body))
        case _:
            raise api_errors.invalid("message_type must be one of close, snoozed, open or assignment")
    return shown(request, conversation)


def _html(body: dict[str, Any]) -> str | None:
    return text.clean(str(body["body"])) if str(body.get("body") or "").strip() else None


def _snoozed_until(request: Request, body: dict[str, Any]) -> int:
    until = body.get("snoozed_until")
    if isinstance(until, bool) or not str(until).isdigit() or int(str(until)) <= request.workspace.now():
        raise api_errors.invalid("snoozed_until must be a UNIX timestamp in the future")
    return int(str(until))


def _assignee(request: Request, body: dict[str, Any]) -> tuple[str, int]:
    """Kind and id; 0 takes the assignee off. Ids may be text or number."""
    kind, wanted = str(body.get("type")), str(body.get("assignee_id"))
    if kind not in ("admin", "team"):
        raise api_errors.invalid("type must be either 'admin' or 'team'")
    there = request.workspace.admins if kind == "admin" else request.workspace.teams
    if wanted != "0" and wanted not in there:
        raise api_errors.assignee_not_found()
    return kind, int(wanted)


# --- tags ------------------------------------------------------------------------------------------


def _tagged(request: Request) -> Conversation:
    found = request.workspace.callable(request.call.params["id"])
    if found is None:
        raise api_errors.conversation_not_found()
    return found


def _tag(request: Request, tag_id: Any) -> Tag:
    found = request.workspace.tags.get(str(tag_id))
    if found is None:
        raise api_errors.tag_not_found()
    return found


@endpoint(MANAGE, "POST", "/conversations/{id:text}/tags", "write_tags")
def attach_tag(request: Request) -> Answer:
    body, conversation = request.json(), _tagged(request)
    tag = _tag(request, body.get("id"))
    return Answer(200, render.applied(changes.attach_tag(request.workspace, conversation, request.actor(body), tag)))


@endpoint(MANAGE, "DELETE", "/conversations/{id:text}/tags/{tag:text}", "write_tags")
def detach_tag(request: Request) -> Answer:
    body, conversation = request.json(), _tagged(request)
    tag = _tag(request, request.call.params["tag"])
    taken = changes.detach_tag(request.workspace, conversation, request.actor(body), tag)
    if taken is None:
        raise api_errors.tag_not_found()
    return Answer(200, render.applied(taken))


# --- people ----------------------------------------------------------------------------------------


def _customers(request: Request, conversation: Conversation) -> Answer:
    shown_ = [{"type": request.workspace.contacts[i].role, "id": i} for i in conversation.contact_ids]
    return Answer(200, {"customers": shown_})


@endpoint(MANAGE, "POST", "/conversations/{id:text}/customers", WRITE)
def attach_contact(request: Request) -> Answer:
    conversation, body = request.conversation(), request.json()
    contact = _named(request, body.get("customer") or {})
    changes.attach_contact(request.workspace, conversation, request.actor(body), contact)
    return _customers(request, conversation)


def _named(request: Request, customer: dict[str, Any]) -> Contact:
    """The contact that is meant. An address that nobody has becomes a new lead.

    Raises:
        ApiError: 404.
    """
    email = str(customer.get("email") or "").lower()
    customer = {**customer, "email": email}
    for contact in request.workspace.contacts.values():
        known = {"intercom_user_id": contact.id, "user_id": contact.external_id, "email": contact.email}
        if contact.active and any(customer.get(name) and known[name] == customer[name] for name in known):
            return contact
    if not email:
        raise api_errors.not_found()
    return people.create(request.workspace, {"role": "lead", "email": email})


@endpoint(MANAGE, "DELETE", "/conversations/{id:text}/customers/{contact:text}", WRITE)
def detach_contact(request: Request) -> Answer:
    conversation, actor = request.conversation(), request.actor(request.json())
    contact = request.workspace.contacts.get(request.call.params["contact"])
    if contact is None:
        raise api_errors.user_not_found()
    changes.detach_contact(request.workspace, conversation, actor, contact)
    return _customers(request, conversation)


# --- redaction, merge, deletion --------------------------------------------------------------------


@endpoint(MANAGE, "POST", "/conversations/redact", WRITE)
def redact(request: Request) -> Answer:
    body, workspace = request.json(), request.workspace
    conversation = workspace.live(str(body.get("conversation_id")))
    if conversation is None:
        raise api_errors.part_not_found()
    if body.get("type") == "source":
        changes.redact_source(workspace, conversation, str(body.get("source_id")))
    else:
        changes.redact_part(workspace, conversation, str(body.get("conversation_part_id")))
    return shown(request, conversation)


@endpoint(MANAGE, "POST", "/conversations/{id:text}/merge", WRITE, since=(2, 16))
def merge(request: Request) -> Answer:
    secondary, wanted = request.conversation(), request.json().get("merge_into_conversation_id")
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise api_errors.invalid("merge_into_conversation_id must be a valid integer conversation ID")
    actor = Actor(request.caller.admin.author, via_api=True)
    primary = changes.merge(request.workspace, secondary, request.workspace.live(str(wanted)), actor)
    return shown(request, primary)


@endpoint(MANAGE, "DELETE", "/conversations/{id}", WRITE)
def delete(request: Request) -> Answer:
    conversation, retain = request.conversation(), request.call.query.first("retain_metrics") != "false"
    if not retain and seed.DELETE_METRICS not in request.caller.scopes:
        raise api_errors.forbidden()
    changes.delete(request.workspace, conversation, retain)
    return Answer(200, {"id": conversation.id, "object": "conversation", "deleted": True})


@endpoint(MANAGE, "GET", "/conversations/deleted", READ, since=(2, 16))
def list_deleted(request: Request) -> Answer:
    """By page number, the newest first unless `order` says otherwise."""
    query = request.call.query
    size = size_of(query.first("per_page"), *DELETED_PER_PAGE)
    number = int(query.first("page") or 1) if (query.first("page") or "1").isdigit() else 1
    order = query.first("order") or "desc"
    gone = sorted((c for c in request.workspace.conversations.values() if c.deleted_at is not None),
                  key=lambda c: (c.deleted_at or 0, c.id), reverse=order != "asc")  # fmt: skip
    items = [{"type": "conversation", "id": c.id, "metrics_retained": c.metrics_retained, "deleted_at": c.deleted_at}
             for c in gone[(number - 1) * size : number * size]]  # fmt: skip
    more = number * size < len(gone)
    link = urlencode({"per_page": size, "order": order, "page": number + 1})
    pages = {"type": "pages", "next": f"{request.base}/conversations/deleted?{link}" if more else None,
             "page": number, "per_page": size, "total_pages": -(-len(gone) // size)}  # fmt: skip
    body = {"type": "conversations.list", "conversations": items, "total_count": len(gone), "pages": pages}
    return Answer(200, body)
