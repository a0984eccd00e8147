"""Endpoints of conversations: begin, read, list, search, change, reply."""

from __future__ import annotations

from typing import Any, Final

from handoff_connectors.intercom.simulator import api_errors, attachments, changes, indexing, render, search, talk, text
from handoff_connectors.intercom.simulator.api import Request, Table, endpoint
from handoff_connectors.intercom.simulator.model import Contact, Conversation
from handoff_connectors.intercom.simulator.paging import asked_page, page, size_of
from handoff_connectors.intercom.simulator.search import CONVERSATION_FIELDS, Kind
from handoff_sync.simulator.endpoints import Answer

CONVERSATIONS: Final = Table()
PER_PAGE: Final = 20
SENDERS: Final = ("intercom_user_id", "user_id", "email")
READ: Final = "read_conversations"
WRITE: Final = "write_conversations"


def shown(request: Request, conversation: Conversation) -> Answer:
    """The whole conversation."""
    return Answer(200, render.conversation(request.workspace, conversation, request.version, request.as_text))


def when(body: dict[str, Any]) -> int | None:
    """A given time of making.

    Raises:
        ApiError: 400.
    """
    at = body.get("created_at")
    if at is not None and (isinstance(at, bool) or not isinstance(at, int)):
        raise api_errors.invalid("created_at must be a UNIX timestamp")
    return at


@endpoint(CONVERSATIONS, "POST", "/conversations", WRITE)
def create(request: Request) -> Answer:
    """Answers with the message, not with the conversation. Two calls make two conversations."""
    body, workspace = request.json(), request.workspace
    if not isinstance(body.get("from"), dict):
        raise api_errors.missing("from")
    if not str(body.get("body") or "").strip():
        raise api_errors.missing("body")
    contact = _sender(request, body["from"])
    files = attachments.of_body(workspace, request.base, {"attachment_urls": body.get("attachment_urls")})
    conversation = talk.start(workspace, contact, str(body["body"]), at=when(body), attachments=files)
    message = {"type": "user_message", "id": conversation.source.id, "created_at": conversation.created_at,
               "body": str(body["body"]), "message_type": "inapp", "conversation_id": conversation.id}  # fmt: skip
    return Answer(200, message)


def _sender(request: Request, given: dict[str, Any]) -> Contact:
    """
    Raises:
        ApiError: 400 for a strange type; 404 for an unknown contact, one of another role, or one that is too new.
    """
    if given.get("type") not in ("user", "lead", "contact"):
        raise api_errors.invalid("from.type must be one of user, lead or contact")
    contact = request.workspace.contacts.get(str(given.get("id")))
    if contact is None or not contact.active or given["type"] not in ("contact", contact.role):
        raise api_errors.user_not_found()
    if contact.usable_at > request.workspace.clock.unix():
        raise api_errors.user_not_found()
    return contact


@endpoint(CONVERSATIONS, "GET", "/conversations", READ)
def list_conversations(request: Request) -> Answer:
    query = request.call.query
    found = list(request.workspace.live_conversations())
    return _list(request, found, size_of(query.first("per_page"), PER_PAGE), query.first("starting_after"))


@endpoint(CONVERSATIONS, "POST", "/conversations/search", READ)
def search_conversations(request: Request) -> Answer:
    """What is found is decided by an index that lags behind; what is shown is the conversation as it is."""
    body, workspace = request.json(), request.workspace
    fields = dict(CONVERSATION_FIELDS)
    if workspace.settings.custom_attributes_searchable:
        fields["custom_attributes.*"] = Kind.TEXT
    if workspace.settings.conversation_dates_by_day:
        fields |= {name: Kind.DAY for name, kind in fields.items() if kind is Kind.DATE}
    fits = search.predicate(body.get("query"), fields, workspace.settings.timezone)
    known = ((c, indexing.known(workspace, c)) for c in workspace.live_conversations())
    tickets_too = workspace.settings.ticket_is_conversation
    found = [c for c, view in known if view is not None and fits(view) and (tickets_too or c.ticket is None)]
    return _list(request, found, *asked_page(body, PER_PAGE))


def _list(request: Request, found: list[Conversation], size: int, after: Any) -> Answer:
    on_page, pages, total = page(found, lambda c: (c.updated_at, c.id), size, after)
    items = [render.list_item(request.workspace, c, request.version, request.as_text) for c in on_page]
    return Answer(200, {"type": "conversation.list", "conversations": items, "total_count": total, "pages": pages})


@endpoint(CONVERSATIONS, "GET", "/conversations/{id}", READ)
def show(request: Request) -> Answer:
    return shown(request, request.conversation())


@endpoint(CONVERSATIONS, "PUT", "/conversations/{id}", WRITE)
def update(request: Request) -> Answer:
    """Read mark, title and custom attributes; everything else is ignored."""
    conversation, body, workspace = request.conversation(), request.json(), request.workspace
    attributes = body.get("custom_attributes") or {}
    if not isinstance(attributes, dict):
        raise api_errors.invalid("custom_attributes must be an object")
    changes.set_attributes(workspace, conversation, attributes)
    if "title" in body:
        conversation.title = body["title"]
        workspace.touch(conversation)
    if isinstance(body.get("read"), bool):
        changes.mark_read(workspace, conversation, body["read"])
    return shown(request, conversation)


@endpoint(CONVERSATIONS, "POST", "/conversations/{id:text}/reply", WRITE)
def reply(request: Request) -> Answer:
    body = request.json()
    match body.get("type"):
        case "user":
            return _contact_reply(request, body)
        case "admin":
            return _admin_reply(request, body)
        case _:
            raise api_errors.invalid("type must be either 'user' or 'admin'")


def _contact_reply(request: Request, body: dict[str, Any]) -> Answer:
    workspace, contact = request.workspace, replying(request, body)
    if request.call.params["id"] == "last":
        own = [c for c in workspace.live_conversations() if contact.id in c.contact_ids]
        conversation = max(own, key=lambda c: c.change_number, default=None)
        if conversation is None:
            raise api_errors.not_found()
    else:
        conversation = request.conversation()
    if body.get("message_type") not in ("comment", "quick_reply"):
        raise api_errors.invalid("message_type must be comment")
    if contact.id not in conversation.contact_ids:
        raise api_errors.user_not_found()
    words = str(body.get("body") or "") or ", ".join(str(o.get("text")) for o in body.get("reply_options") or ())
    files = attachments.of_body(workspace, request.base, body)
    if not words.strip() and not files:
        raise api_errors.missing("body")
    talk.contact_reply(workspace, conversation, contact, text.from_text(words), via_api=True, at=when(body),
                       attachments=files)  # fmt: skip
    return shown(request, conversation)


def replying(request: Request, body: dict[str, Any]) -> Contact:
    """The contact in whose name it is said.

    Raises:
        ApiError: 400 unless exactly one way to name them is used; 404.
    """
    named = [name for name in SENDERS if body.get(name)]
    if len(named) != 1:
        raise api_errors.invalid(f"Exactly one of {', '.join(SENDERS)} is required")
    wanted, people = str(body[named[0]]), request.workspace.contacts.values()
    match named[0]:
        case "intercom_user_id":
            found = [c for c in people if c.id == wanted]
        case "user_id":
            found = [c for c in people if c.external_id == wanted]
        case _:
            found = [c for c in people if c.email == wanted.lower()]
    active = [contact for contact in found if contact.active]
    if not active:
        raise api_errors.user_not_found()
    return active[0]


def _admin_reply(request: Request, body: dict[str, Any]) -> Answer:
    conversation, workspace = request.conversation(), request.workspace
    actor, kind = request.actor(body), body.get("message_type")
    silent = body.get("skip_notifications") is True and request.version >= (2, 15)
    files = attachments.of_body(workspace, request.base, body)
    html = text.clean(str(body.get("body") or ""))
    if kind in ("comment", "note") and not html:
        raise api_errors.missing("body")
    match kind:
        case "comment":
            talk.admin_comment(workspace, conversation, actor, html, at=when(body), attachments=files, silent=silent)
        case "note":
            talk.admin_note(workspace, conversation, actor, html, at=when(body), attachments=files)
        case "quick_reply" if body.get("reply_options"):
            talk.quick_reply(workspace, conversation, actor, list(body["reply_options"]), silent)
        case _:
            raise api_errors.invalid("message_type must be one of comment, note or quick_reply (with reply_options)")
    return shown(request, conversation)
