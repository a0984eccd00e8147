"""The account's things as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handoff_connectors.gorgias.simulator.account import Account
from handoff_connectors.gorgias.simulator.model import (
    Contact,
    Customer,
    Event,
    Integration,
    Message,
    Survey,
    Tag,
    Team,
    Ticket,
    User,
)
from handoff_connectors.gorgias.simulator.schemas import GROUP_A, GROUP_B

Json = dict[str, Any]


def moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="microseconds")


# --- people --------------------------------------------------------------------------------------


def person(somebody: User | Customer | None) -> Json | None:
    """As sender, receiver or assignee."""
    if somebody is None:
        return None
    meta: Json = {"name_set_via": "agent"} if isinstance(somebody, User) else {"name_set_via": "api"}
    return {"id": somebody.id, "email": somebody.email, "firstname": somebody.firstname,
            "lastname": somebody.lastname, "name": somebody.name, "meta": meta}  # fmt: skip


def user(account: Account, somebody: User) -> Json:
    return {
        **(person(somebody) or {}),
        "active": somebody.active,
        "bio": None,
        "country": None,
        "language": "en",
        "timezone": "UTC",
        "external_id": None,
        "role": {"name": somebody.role},
        "teams": [team.id for team in account.teams.values() if somebody.id in team.member_ids],
        "created_datetime": moment(somebody.created_at),
        "updated_datetime": moment(somebody.created_at),
        "deactivated_datetime": None,
        "uri": f"/api/users/{somebody.id}/",
    }


def team(account: Account, group: Team) -> Json:
    members = [account.users[user_id] for user_id in group.member_ids]
    return {"id": group.id, "name": group.name, "description": None, "decoration": {},
            "members": [person(member) for member in members], "created_datetime": moment(group.created_at),
            "uri": f"/api/teams/{group.id}/"}  # fmt: skip


def _contact(contact: Contact, owner: Customer) -> Json:
    who = {"id": owner.id, "name": owner.name}
    return {"id": contact.id, "type": contact.type, "address": contact.address, "preferred": contact.preferred,
            "created_datetime": moment(contact.created_at), "updated_datetime": moment(contact.created_at),
            "deleted_datetime": None, "customer": who, "user": who}  # fmt: skip


def ticket_customer(somebody: Customer | None) -> Json | None:
    """As it stands inside of a ticket."""
    if somebody is None:
        return None
    return {
        "id": somebody.id,
        "email": somebody.email,
        "firstname": somebody.firstname,
        "lastname": somebody.lastname,
        "name": somebody.name,
        "external_id": somebody.external_id,
        "note": somebody.note,
        "data": None,
        "meta": {"name_set_via": "api", **(somebody.meta or {})},
        "integrations": {},
        "customer": None,
        "channels": [_contact(contact, somebody) for contact in somebody.channels],
    }


def customer(somebody: Customer) -> Json:
    return {
        **(ticket_customer(somebody) or {}),
        "active": True,
        "language": somebody.language,
        "timezone": somebody.timezone,
        "custom_fields": None,
        "created_datetime": moment(somebody.created_at),
        "updated_datetime": moment(somebody.updated_at),
        "uri": f"/api/customers/{somebody.id}/",
    }


# --- tickets -------------------------------------------------------------------------------------


def tag(given: Tag) -> Json:
    return {"id": given.id, "name": given.name, "decoration": given.decoration}


def full_tag(given: Tag) -> Json:
    return {**tag(given), "description": None, "usage": 0, "created_datetime": moment(given.created_at),
            "deleted_datetime": None, "uri": f"/api/tags/{given.id}/"}  # fmt: skip


def _common(account: Account, given: Ticket) -> Json:
    """What a ticket and its line in a list share."""
    group = account.teams.get(given.assignee_team_id or 0)
    return {
        "id": given.id,
        "uri": f"/api/tickets/{given.id}/",
        "external_id": given.external_id,
        "status": given.status,
        "priority": given.priority,
        "channel": given.channel,
        "via": given.via,
        "from_agent": given.from_agent,
        "spam": given.spam,
        "customer": ticket_customer(account.customers.get(given.customer_id)),
        "assignee_user": person(account.users.get(given.assignee_user_id or 0)),
        "assignee_team": {"id": group.id, "name": group.name, "decoration": {}} if group else None,
        "language": given.language or "en",
        "subject": given.subject,
        "meta": given.meta,
        "tags": [tag(account.tags[tag_id]) for tag_id in given.tags],
        "is_unread": given.is_unread,
        **times(given),
    }


def times(given: Ticket) -> Json:
    return {
        "created_datetime": moment(given.created_at),
        "opened_datetime": moment(given.opened_at),
        "last_received_message_datetime": moment(given.last_received_at),
        "last_message_datetime": moment(given.last_message_at),
        "updated_datetime": moment(given.updated_at),
        "closed_datetime": moment(given.closed_at),
        "trashed_datetime": moment(given.trashed_at),
        "snooze_datetime": moment(given.snooze_at),
    }


def ticket(account: Account, given: Ticket, *, custom_fields: bool = False) -> Json:
    most = account.settings.embedded_messages
    survey_ = account.surveys.get(given.survey_id or 0)
    shown = {
        **_common(account, given),
        "requester": ticket_customer(account.customers.get(given.customer_id)),
        "assignee_user_id": given.assignee_user_id,
        "assignee_team_id": given.assignee_team_id,
        "messages": [message(account, said) for said in (given.messages[-most:] if most else given.messages)],
        "satisfaction_survey": survey(survey_) if survey_ else None,
        "reply_options": reply_options(account, given),
    }
    if custom_fields:
        shown["custom_fields"] = {str(k): {"id": k, "value": v} for k, v in given.custom_fields.items()}
    return shown


def reply_options(account: Account, given: Ticket) -> Json:
    """On which channels an agent may answer."""
    somebody = account.customers.get(given.customer_id)
    has_address = somebody is not None and somebody.email is not None
    shown: Json = {given.channel: {"answerable": True}, "internal-note": {"answerable": True}}
    return {**shown, "email": {"answerable": has_address}}


def row(account: Account, given: Ticket) -> Json:
    """As a line of a list: without messages."""
    public = [said for said in given.messages if not said.is_note]
    ours = [said for said in public if said.from_agent]
    return {
        **_common(account, given),
        "excerpt": (public[-1].stripped_text or public[-1].body_text)[:200] if public else None,
        "messages_count": len(given.messages),
        "integrations": [],
        "last_sent_message_not_delivered": bool(ours and ours[-1].failed_at),
    }


def message(account: Account, given: Message) -> Json:
    users, customers = account.users, account.customers
    return {
        "id": given.id,
        "uri": f"/api/tickets/{given.ticket_id}/messages/{given.id}/",
        "ticket_id": given.ticket_id,
        "external_id": given.external_id,
        "message_id": given.message_id,
        "public": given.public,
        "channel": given.channel,
        "via": given.via,
        "source": given.source,
        "sender": person(users.get(given.sender_id) if given.from_agent else customers.get(given.sender_id)),
        "receiver": person(customers.get(given.receiver_id or 0)),
        "integration_id": given.integration_id,
        "rule_id": given.rule_id,
        "from_agent": given.from_agent,
        "subject": given.subject,
        "body_text": given.body_text,
        "body_html": given.body_html,
        "stripped_text": given.stripped_text,
        "stripped_html": given.stripped_html,
        "stripped_signature": given.stripped_signature,
        "text": given.stripped_text or given.body_text,
        "attachments": given.attachments,
        "actions": given.actions,
        "macros": given.macros,
        "headers": given.headers,
        "intents": [],
        "sentiments": [],
        "meta": given.meta,
        "created_datetime": moment(given.created_at),
        "opened_datetime": moment(given.opened_at),
        "failed_datetime": moment(given.failed_at),
        "sent_datetime": moment(given.sent_at),
        "deleted_datetime": moment(given.deleted_at),
        "last_sending_error": given.sending_error,
        "is_retriable": True,
    }


# --- the rest ------------------------------------------------------------------------------------


def event(given: Event) -> Json:
    return {"id": given.id, "type": given.type, "object_type": given.object_type, "object_id": given.object_id,
            "user_id": given.user_id, "context": given.context, "data": given.data,
            "created_datetime": moment(given.created_at), "uri": f"/api/events/{given.id}/"}  # fmt: skip


def survey(given: Survey) -> Json:
    return {"id": given.id, "ticket_id": given.ticket_id, "customer_id": given.customer_id, "score": given.score,
            "body_text": given.body_text, "meta": given.meta, "created_datetime": moment(given.created_at),
            "should_send_datetime": moment(given.should_send_at), "sent_datetime": moment(given.sent_at),
            "scored_datetime": moment(given.scored_at), "uri": f"/api/satisfaction-surveys/{given.id}/"}  # fmt: skip


def integration(account: Account, given: Integration) -> Json:
    """With its headers, which every admin may read; the HMAC secret is never shown."""
    http = {key: value for key, value in given.http.items() if key != "hmac_secret"}
    triggers = http.get("triggers") or {}
    return {
        "id": given.id,
        "name": given.name,
        "type": "http",
        "description": given.description,
        "http": {
            "method": "POST",
            "request_content_type": "application/json",
            "response_content_type": "application/json",
            "headers": {},
            "form": None,
            "oauth2": None,
            **http,
            "id": given.http_id,
            "triggers": {name: bool(triggers.get(name)) for name in (*GROUP_A, *GROUP_B)},
        },
        "application_id": None,
        "business_hours_id": given.business_hours_id,
        "managed": False,
        "user": {"id": account.connector.id},
        "created_datetime": moment(given.created_at),
        "updated_datetime": moment(given.updated_at),
        "deactivated_datetime": moment(given.deactivated_at),
        "uri": f"/api/integrations/{given.id}/",
    }
