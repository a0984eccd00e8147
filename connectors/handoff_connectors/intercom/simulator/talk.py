"""What can be said in a conversation and what follows from it, whoever says it: API, agent page or the customer."""

from __future__ import annotations

from typing import Any

from handoff_connectors.intercom.simulator import text
from handoff_connectors.intercom.simulator.model import Actor, Contact, Conversation, Part, Source
from handoff_connectors.intercom.simulator.workspace import Workspace

Attachments = list[dict[str, Any]]


def add_part(
    workspace: Workspace,
    conversation: Conversation,
    actor: Actor,
    part_type: str,
    *,
    body: str | None = None,
    at: int | None = None,
    attachments: Attachments | None = None,
    assigned_to: tuple[str, str] | None = None,
    event_details: dict[str, Any] | None = None,
    by_ai: bool = False,
) -> Part:
    """A new part, newest last. It remembers the state that the conversation has now."""
    made_at = at or workspace.now()
    part = Part(
        id=workspace.new_part_id(),
        part_type=part_type,
        author=actor.author,
        created_at=made_at,
        updated_at=made_at,
        state=conversation.state,
        body=body,
        attachments=list(attachments or ()),
        assigned_to=assigned_to,
        event_details=event_details,
        by_ai=by_ai,
        app_package_code=workspace.settings.app_package_code if actor.via_api else None,
    )
    conversation.parts.append(part)
    workspace.touch(conversation)
    return part


def bot_part(workspace: Workspace, conversation: Conversation, part_type: str, **more: Any) -> Part:
    """A part that Intercom itself writes."""
    return add_part(workspace, conversation, Actor(workspace.bot), part_type, **more)


def start(
    workspace: Workspace,
    contact: Contact,
    body: str,
    *,
    at: int | None = None,
    attachments: Attachments | None = None,
) -> Conversation:
    """A conversation that begins with a contact's text, in which nothing is markup."""
    made_at = at or workspace.now()
    source = Source(id=workspace.new_message_id(), body=text.from_text(body), text=body, author=contact.author,
                    attachments=list(attachments or ()))  # fmt: skip
    conversation = Conversation(id=workspace.new_conversation_id(), source=source, contact_ids=[contact.id],
                                created_at=made_at, updated_at=made_at, waiting_since=made_at)  # fmt: skip
    workspace.conversations[conversation.id] = conversation
    workspace.touch(conversation)
    workspace.announce("conversation.user.created", conversation)
    if workspace.settings.bot_greeting:
        bot_reply(workspace, conversation, workspace.settings.bot_greeting)
    return conversation


def contact_reply(
    workspace: Workspace,
    conversation: Conversation,
    contact: Contact,
    html: str,
    *,
    via_api: bool,
    at: int | None = None,
    attachments: Attachments | None = None,
) -> Part:
    """A contact's words. They reopen a closed conversation, and are then themselves the part `open`."""
    before, now = conversation.state, workspace.now()
    if conversation.ticket is None or workspace.settings.contact_reply_reopens_ticket:
        _to_open(conversation)
    else:
        before = "open"
    conversation.waiting_since = conversation.waiting_since or now
    conversation.first_contact_reply_at = conversation.first_contact_reply_at or now
    conversation.last_contact_reply_at = contact.last_replied_at = now
    conversation.read = False
    actor, part_type = Actor(contact.author, via_api), "open" if before == "closed" else "comment"
    part = add_part(workspace, conversation, actor, part_type, body=html, at=at, attachments=attachments)
    workspace.announce("conversation.user.replied", conversation, part)
    if before == "snoozed":
        _woken(workspace, conversation, actor)
    return part


def admin_comment(
    workspace: Workspace,
    conversation: Conversation,
    actor: Actor,
    html: str,
    *,
    at: int | None = None,
    attachments: Attachments | None = None,
    silent: bool = False,
) -> Part:
    """A teammate's reply, which the customer sees. `silent`: without telling them. It reopens and it wakes."""
    before = conversation.state
    _to_open(conversation)
    conversation.waiting_since = None
    conversation.last_admin_reply_at = workspace.now()
    _join(conversation, actor)
    part = add_part(workspace, conversation, actor, "open" if before == "closed" else "comment", body=html, at=at,
                    attachments=attachments)  # fmt: skip
    part.notified = not silent
    workspace.announce("conversation.admin.replied", conversation, part)
    if before == "closed":
        workspace.announce("conversation.admin.opened", conversation, part)
    if before == "snoozed":
        _woken(workspace, conversation, actor)
    return part


def admin_note(
    workspace: Workspace,
    conversation: Conversation,
    actor: Actor,
    html: str,
    *,
    at: int | None = None,
    attachments: Attachments | None = None,
) -> Part:
    """A note for teammates. It wakes a snoozed conversation and leaves a closed one closed."""
    snoozed = conversation.state == "snoozed"
    if snoozed:
        _to_open(conversation)
    part = add_part(workspace, conversation, actor, "note", body=html, at=at, attachments=attachments)
    workspace.announce("conversation.admin.noted", conversation, part)
    if snoozed:
        _woken(workspace, conversation, actor)
    return part


def quick_reply(
    workspace: Workspace, conversation: Conversation, actor: Actor, options: list[dict[str, Any]], silent: bool = False
) -> Part:
    """Buttons for the customer; there is no body."""
    part = add_part(workspace, conversation, actor, "quick_reply")
    part.metadata = {"quick_reply_options": options}
    part.notified = not silent
    workspace.announce("conversation.admin.replied", conversation, part)
    return part


def bot_reply(workspace: Workspace, conversation: Conversation, body: str) -> Part:
    """A bot's answer to the customer. It is told under two topics, each with an id of its own."""
    part = bot_part(workspace, conversation, "comment", body=text.from_text(body))
    part.notified = True
    workspace.announce("conversation.admin.replied", conversation, part)
    workspace.announce("conversation.operator.replied", conversation, part)
    return part


def _to_open(conversation: Conversation) -> None:
    if conversation.state == "closed":
        conversation.count_reopens += 1
    conversation.state, conversation.snoozed_until = "open", None


def _woken(workspace: Workspace, conversation: Conversation, actor: Actor) -> None:
    part = add_part(workspace, conversation, actor, "unsnoozed")
    workspace.announce("conversation.admin.unsnoozed", conversation, part)


def _join(conversation: Conversation, actor: Actor) -> None:
    if actor.author.type == "admin" and actor.author.id not in conversation.teammate_ids:
        conversation.teammate_ids.append(actor.author.id)


# --- state and assignment --------------------------------------------------------------------------


def close(workspace: Workspace, conversation: Conversation, actor: Actor, html: str | None = None) -> Part | None:
    """Close, with or without a last word for the customer; None when there was nothing to do."""
    if conversation.state == "closed" and html is None:
        return None
    conversation.state, conversation.snoozed_until, conversation.waiting_since = "closed", None, None
    conversation.last_close_at, conversation.last_closed_by_id = workspace.now(), actor.author.id
    part = add_part(workspace, conversation, actor, "close", body=html)
    part.notified = html is not None
    workspace.announce("conversation.admin.closed", conversation, part)
    return part


def snooze(workspace: Workspace, conversation: Conversation, actor: Actor, until: int) -> Part:
    conversation.state, conversation.snoozed_until = "snoozed", until
    part = add_part(workspace, conversation, actor, "snoozed")
    workspace.announce("conversation.admin.snoozed", conversation, part)
    return part


def reopen(workspace: Workspace, conversation: Conversation, actor: Actor) -> Part | None:
    """Open a closed or snoozed conversation; None when it is open."""
    before = conversation.state
    if before == "open":
        return None
    _to_open(conversation)
    part = add_part(workspace, conversation, actor, "open" if before == "closed" else "unsnoozed")
    topic = "opened" if before == "closed" else "unsnoozed"
    workspace.announce(f"conversation.admin.{topic}", conversation, part)
    return part


def assign(
    workspace: Workspace,
    conversation: Conversation,
    actor: Actor,
    kind: str,
    assignee_id: int,
    html: str | None = None,
) -> Part:
    """Give it to a teammate or a team (`kind`); 0 takes that one off. A closed or snoozed conversation opens."""
    before = conversation.state
    part_type = {"closed": "assign_and_reopen", "snoozed": "assign_and_unsnooze"}.get(before, "assignment")
    _to_open(conversation)
    if kind == "team":
        conversation.team_assignee_id = assignee_id
    else:
        conversation.admin_assignee_id = assignee_id
    conversation.count_assignments += 1
    assigned_to = (kind, str(assignee_id)) if assignee_id else None
    part = add_part(workspace, conversation, actor, part_type, body=html, assigned_to=assigned_to)
    topic = "admin.open.assigned" if before == "closed" else "admin.assigned"
    workspace.announce(f"conversation.{topic}", conversation, part)
    if before == "snoozed":
        workspace.announce("conversation.admin.unsnoozed", conversation, part)
    return part


def wake_due(workspace: Workspace) -> None:
    """Open the conversations whose snooze is over."""
    now = workspace.now()
    for conversation in list(workspace.live_conversations()):
        if conversation.state == "snoozed" and (conversation.snoozed_until or 0) <= now:
            _to_open(conversation)
            part = bot_part(workspace, conversation, "timer_unsnooze")
            workspace.announce("conversation.admin.unsnoozed", conversation, part)
