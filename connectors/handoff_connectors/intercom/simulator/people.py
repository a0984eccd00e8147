"""Contacts: who may be made, who is the same as whom, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handoff_connectors.intercom.simulator import api_errors, render
from handoff_connectors.intercom.simulator.model import Contact
from handoff_connectors.intercom.simulator.workspace import Workspace

ROLES: Final = ("user", "lead")
PLAIN: Final = ("name", "phone", "avatar", "signed_up_at", "last_seen_at", "unsubscribed_from_emails")


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    return None if value in (None, "") else str(value)


def create(workspace: Workspace, given: Mapping[str, Any]) -> Contact:
    """
    Raises:
        ApiError: 400 for what is missing or wrong, 409 when a contact with these details exists.
    """
    if not any(_text(given, name) for name in ("email", "external_id", "role")):
        raise api_errors.ApiError(400, "parameter_not_found", "At least one of email, external_id or role is required")
    role = _text(given, "role") or "user"
    if role not in ROLES:
        raise api_errors.invalid("role must be either 'user' or 'lead'")
    _check(workspace, None, role, given)
    now = workspace.now()
    contact = Contact(id=workspace.new_contact_id(), role=role, created_at=now, updated_at=now,
                      usable_at=workspace.clock.unix() + workspace.settings.contact_lag_s)  # fmt: skip
    _write(workspace, contact, given)
    workspace.contacts[contact.id] = contact
    workspace.touch_contact(contact)
    return contact


def update(workspace: Workspace, contact: Contact, given: Mapping[str, Any]) -> None:
    """
    Raises:
        ApiError: as `create`.
    """
    role = _text(given, "role") or contact.role
    if role not in ROLES:
        raise api_errors.invalid("role must be either 'user' or 'lead'")
    _check(workspace, contact, role, given)
    contact.role = role
    _write(workspace, contact, given)
    workspace.touch_contact(contact)


def _check(workspace: Workspace, contact: Contact | None, role: str, given: Mapping[str, Any]) -> None:
    if "email_verified" in given and not _text(given, "email"):
        raise api_errors.invalid("email_verified can only be set together with email")
    for name in given.get("custom_attributes") or {}:
        if not workspace.attributes_of("contact", name):
            raise api_errors.invalid(f"Custom attribute '{name}' does not exist")
    same = clash(workspace, contact, role, _text(given, "external_id"), _text(given, "email"))
    if same is not None:
        raise api_errors.conflict(same.id, archived=not same.active)


def clash(
    workspace: Workspace, contact: Contact | None, role: str, external_id: str | None, email: str | None
) -> Contact | None:
    """Who already has the external id, or as a user the address. Archived and merged contacts keep what they had."""
    others = [c for c in workspace.contacts.values() if c is not contact and not c.deleted]
    for other in others:
        if external_id is not None and other.external_id == external_id:
            return other
    for other in others:
        if email is not None and role == other.role == "user" and other.email == email.lower():
            return other
    return None


def _write(workspace: Workspace, contact: Contact, given: Mapping[str, Any]) -> None:
    for name in PLAIN:
        if name in given:
            setattr(contact, name, given[name])
    if "external_id" in given:
        contact.external_id = _text(given, "external_id")
    if "email" in given:
        email = _text(given, "email")
        contact.email = email.lower() if email else None
    if "owner_id" in given:
        contact.owner_id = _text(given, "owner_id")
    contact.custom_attributes |= given.get("custom_attributes") or {}


def merge(workspace: Workspace, source: Contact | None, target: Contact | None, validate: bool = True) -> Contact:
    """The lead `source` becomes the user `target`; its conversations move along.

    Raises:
        ApiError: 404, or 400 unless it is a lead and a user who are the same person.
    """
    if source is None or target is None or not source.active or not target.active:
        raise api_errors.user_not_found()
    if (source.role, target.role) != ("lead", "user"):
        raise api_errors.ApiError(400, "invalid_merge", "Only a lead can be merged into a user")
    duplicates = (source.email and source.email == target.email) or (source.phone and source.phone == target.phone)
    if validate and not duplicates:
        text = "Contacts can only be merged when they are duplicates (matching email or phone). "
        text += "Pass skip_duplicate_validation=true to override this check."
        raise api_errors.ApiError(400, "invalid_merge", text)
    source.merged_into = target.id
    for name in ("email", "phone", "name"):
        if getattr(target, name) is None:
            setattr(target, name, getattr(source, name))
    _move_conversations(workspace, source, target)
    workspace.touch_contact(target)
    item = {**render.contact(workspace.settings.app_id, target), "merged_from": {"type": "contact", "id": source.id}}
    workspace.announce_item("contact.merged", item)
    return target


def _move_conversations(workspace: Workspace, source: Contact, target: Contact) -> None:
    for conversation in workspace.live_conversations():
        if source.id in conversation.contact_ids:
            ids = [target.id if i == source.id else i for i in conversation.contact_ids]
            conversation.contact_ids = list(dict.fromkeys(ids))
            workspace.touch(conversation)


def archive(workspace: Workspace, contact: Contact) -> None:
    contact.archived = True
    workspace.touch_contact(contact)
    workspace.announce_item("contact.archived", render.contact_reference(contact, archived=True))


def unarchive(workspace: Workspace, contact: Contact) -> None:
    """
    Raises:
        ApiError: 400 for one who was merged or blocked.
    """
    if contact.merged_into is not None:
        raise api_errors.bad_request("User has been merged and is not restorable")
    if contact.blocked:
        raise api_errors.ApiError(400, "not_restorable", "User is blocked and is not restorable")
    contact.archived = False
    workspace.touch_contact(contact)


def block(workspace: Workspace, contact: Contact) -> None:
    """Archives the contact and closes what they began, without a word to anybody."""
    contact.blocked = contact.archived = True
    for conversation in workspace.live_conversations():
        if contact.id in conversation.contact_ids and conversation.state != "closed":
            conversation.state, conversation.snoozed_until = "closed", None
            workspace.touch(conversation)
    workspace.touch_contact(contact)


def delete(workspace: Workspace, contact: Contact) -> None:
    contact.deleted = True
    workspace.touch_contact(contact)
    workspace.announce_item("contact.deleted", {"type": "contact", "id": contact.id, "deleted": True})
