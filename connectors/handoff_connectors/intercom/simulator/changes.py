"""Changes of a conversation that nobody says aloud: attributes, tags, people, redaction, merge, deletion."""

from __future__ import annotations

from typing import Any, Final

from handoff_connectors.intercom.simulator import api_errors
from handoff_connectors.intercom.simulator.model import Actor, Applied, Contact, Conversation, Part, Tag
from handoff_connectors.intercom.simulator.talk import add_part, bot_part
from handoff_connectors.intercom.simulator.workspace import Workspace

REDACTED: Final = "<p><i>This message was deleted</i></p>"


def set_attributes(workspace: Workspace, conversation: Conversation, values: dict[str, Any]) -> None:
    """Each changed value leaves a part by the bot.

    Raises:
        ApiError: 400, an attribute does not exist, or two have its name. Nothing was changed.
    """
    for name in values:
        known = workspace.attributes_of("conversation", name)
        if len(known) != 1:
            what = "does not exist" if not known else "is ambiguous: several attributes have this name"
            raise api_errors.invalid(f"Custom attribute '{name}' {what}")
    for name, value in values.items():
        if conversation.custom_attributes.get(name) == value:
            continue
        if value is None:
            conversation.custom_attributes.pop(name, None)
        else:
            conversation.custom_attributes[name] = value
        details = {"attribute": {"name": name}, "value": {"name": None if value is None else str(value)}}
        bot_part(workspace, conversation, "conversation_attribute_updated_by_admin", event_details=details)


def attach_tag(workspace: Workspace, conversation: Conversation, actor: Actor, tag: Tag) -> Applied:
    if tag.id not in conversation.tags:
        conversation.tags[tag.id] = Applied(tag, workspace.now(), actor.author)
        add_part(workspace, conversation, actor, "conversation_tags_updated")
    return conversation.tags[tag.id]


def detach_tag(workspace: Workspace, conversation: Conversation, actor: Actor, tag: Tag) -> Applied | None:
    """The tag as it was; None when the conversation did not have it."""
    taken = conversation.tags.pop(tag.id, None)
    if taken is not None:
        add_part(workspace, conversation, actor, "conversation_tags_updated")
    return taken


def attach_contact(workspace: Workspace, conversation: Conversation, actor: Actor, contact: Contact) -> None:
    if contact.id not in conversation.contact_ids:
        conversation.contact_ids.append(contact.id)
        part = add_part(workspace, conversation, actor, "participant_added")
        workspace.announce("conversation.contact.attached", conversation, part)


def detach_contact(workspace: Workspace, conversation: Conversation, actor: Actor, contact: Contact) -> None:
    """
    Raises:
        ApiError: 404 the contact takes no part; 422 nobody else does.
    """
    if contact.id not in conversation.contact_ids:
        raise api_errors.user_not_found()
    if len(conversation.contact_ids) == 1:
        raise api_errors.invalid("Removing the last customer is not allowed", 422)
    conversation.contact_ids.remove(contact.id)
    part = add_part(workspace, conversation, actor, "participant_removed")
    workspace.announce("conversation.contact.detached", conversation, part)


def redact_part(workspace: Workspace, conversation: Conversation, part_id: str) -> Part:
    """
    Raises:
        ApiError: 404 no such part; 422 it has no body.
    """
    part = next((p for p in conversation.parts if p.id == part_id), None)
    if part is None:
        raise api_errors.part_not_found()
    if part.body is None:
        raise _not_redactable()
    part.body, part.redacted, part.updated_at, part.attachments = REDACTED, True, workspace.now(), []
    workspace.touch(conversation)
    workspace.announce("conversation_part.redacted", conversation, part)
    return part


def redact_source(workspace: Workspace, conversation: Conversation, source_id: str) -> None:
    """
    Raises:
        ApiError: 404 it is not this conversation's.
    """
    if conversation.source.id != source_id:
        raise api_errors.part_not_found()
    conversation.source.body, conversation.source.redacted = REDACTED, True
    workspace.touch(conversation)
    workspace.announce("conversation_part.redacted", conversation)


def _not_redactable() -> api_errors.ApiError:
    return api_errors.ApiError(422, "conversation_part_not_redactable", "Conversation part is not redactable")


def merge(workspace: Workspace, secondary: Conversation, primary: Conversation | None, actor: Actor) -> Conversation:
    """Close `secondary` in favour of `primary`. Only marker parts tell of it; neither names the other.

    Raises:
        ApiError: 422.
    """
    if primary is None:
        raise api_errors.merge_failed("Primary conversation not found")
    if primary is secondary:
        raise api_errors.merge_failed("Cannot merge a conversation into itself")
    if secondary.merged_into is not None:
        raise api_errors.merge_failed("Secondary conversation has already been merged")
    was_closed = secondary.state == "closed"
    secondary.merged_into, secondary.state, secondary.snoozed_until = primary.id, "closed", None
    secondary.last_close_at, secondary.last_closed_by_id = workspace.now(), actor.author.id
    # The customers of the one take part in the other from now on.
    primary.contact_ids.extend(contact for contact in secondary.contact_ids if contact not in primary.contact_ids)
    if workspace.settings.merge_links:
        secondary.linked.append(primary.id)
        primary.linked.append(secondary.id)
    marker = bot_part(workspace, secondary, "merged_secondary_conversation")
    bot_part(workspace, primary, "merged_primary_conversation")
    if workspace.settings.merge_sends_closed and not was_closed:
        workspace.announce("conversation.admin.closed", secondary, marker)
    return primary


def delete(workspace: Workspace, conversation: Conversation, retain_metrics: bool = True) -> None:
    """For good. The webhook does not even have an `id`."""
    conversation.deleted_at, conversation.metrics_retained = workspace.now(), retain_metrics
    workspace.touch(conversation)
    workspace.announce_item("conversation.deleted", {"type": "conversation", "conversation_id": conversation.id})


def mark_read(workspace: Workspace, conversation: Conversation, read: bool = True) -> None:
    if conversation.read != read:
        conversation.read = read
        workspace.touch(conversation)
        if read:
            workspace.announce("conversation.read", conversation)


def set_priority(workspace: Workspace, conversation: Conversation, actor: Actor, priority: str) -> None:
    conversation.priority = priority
    part = add_part(workspace, conversation, actor, "priority_changed")
    workspace.announce("conversation.priority.updated", conversation, part)
