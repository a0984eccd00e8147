"""The bodies that the API takes, field by field. Field names and values: the API reference of June 2026."""

from __future__ import annotations

from typing import Final

from handoff_connectors.gorgias.simulator.fields import (
    Field,
    Schema,
    anything,
    inside,
    integer,
    many,
    mapping,
    moment,
    one_of,
    text,
    truth,
)

CHANNELS: Final = (
    "aircall", "api", "chat", "contact_form", "email", "facebook", "facebook-mention", "facebook-messenger",
    "facebook-recommendations", "help-center", "instagram-ad-comment", "instagram-comment",
    "instagram-direct-message", "instagram-mention", "internal-note", "phone", "sms", "twitter",
    "twitter-direct-message", "whatsapp", "yotpo-review",
)  # fmt: skip
VIAS: Final = (
    "aircall", "api", "chat", "contact_form", "email", "facebook", "facebook-mention", "facebook-messenger",
    "facebook-recommendations", "form", "help-center", "helpdesk", "instagram", "instagram-ad-comment",
    "instagram-comment", "instagram-direct-message", "instagram-mention", "internal-note", "phone", "rule", "shopify",
    "sms", "twilio", "twitter", "twitter-direct-message", "whatsapp", "yotpo", "yotpo-review", "zendesk",
)  # fmt: skip
GROUP_A: Final = ("ticket-created", "ticket-updated", "ticket-message-created", "ticket-self-unsnoozed",
                  "ticket-message-failed", "ticket-handed-over")  # fmt: skip
GROUP_B: Final = ("ticket-assignment-updated", "ticket-status-updated")

LONG_ID: Final = Field(text(255))
MOMENT: Final = Field(moment)
TEXT: Final = Field(text())

CONTACT: Final[Schema] = {
    "type": Field(text(), required=True, null=False),
    "address": Field(text(320), required=True, null=False),
    "preferred": Field(truth),
}
PERSON: Final[Schema] = {
    "id": Field(integer, null=False),
    "email": Field(text(320), null=False),
    "name": TEXT,
    "external_id": LONG_ID,
    "note": TEXT,
    "timezone": TEXT,
    "language": TEXT,
    "meta": Field(mapping),
    "channels": Field(many(inside(CONTACT))),
}
PERSON_FIELD: Final = Field(inside(PERSON))
ASSIGNEE: Final = Field(inside({"id": Field(integer)}))
TAG: Final[Schema] = {"name": Field(text(256), required=True, null=False), "decoration": Field(mapping)}
CUSTOM_FIELD: Final[Schema] = {
    "id": Field(integer, required=True, null=False),
    "value": Field(anything, required=True),
}
ADDRESS: Final = Field(mapping)
ADDRESSES: Final = Field(many(mapping))
SOURCE: Final[Schema] = {"type": TEXT, "from": ADDRESS, "to": ADDRESSES, "cc": ADDRESSES, "bcc": ADDRESSES,
                         "extra": Field(anything)}  # fmt: skip
ATTACHMENT: Final[Schema] = {
    "url": Field(text(), required=True, null=False),
    "name": Field(text(), required=True, null=False),
    "content_type": Field(text(), required=True, null=False),
    "size": Field(integer),
    "public": Field(truth),
    "extra": Field(anything),
}

MESSAGE: Final[Schema] = {
    "channel": Field(text(), required=True, null=False),
    "from_agent": Field(truth, required=True, null=False),
    "via": Field(one_of(*VIAS), null=False),
    "public": Field(truth, null=False),
    "sender": PERSON_FIELD,
    "receiver": PERSON_FIELD,
    "source": Field(inside(SOURCE)),
    "subject": TEXT,
    "body_text": TEXT,
    "body_html": TEXT,
    "stripped_text": TEXT,
    "stripped_html": TEXT,
    "stripped_signature": TEXT,
    "attachments": Field(many(inside(ATTACHMENT))),
    "integration_id": Field(integer),
    "message_id": TEXT,
    "external_id": LONG_ID,
    "created_datetime": MOMENT,
    "sent_datetime": MOMENT,
    "failed_datetime": MOMENT,
    "deleted_datetime": MOMENT,
    "opened_datetime": MOMENT,
    "last_sending_error": Field(mapping),
    "macros": Field(many(inside({"id": Field(integer, required=True, null=False)}))),
    "mention_ids": Field(many(integer)),
    "headers": Field(mapping),
    "imported": Field(truth),
    "actions": Field(many(anything)),
    "meta": Field(mapping),
}

_TICKET: Final[Schema] = {
    "assignee_team": ASSIGNEE,
    "assignee_user": ASSIGNEE,
    "channel": Field(text(), null=False),
    "closed_datetime": MOMENT,
    "custom_fields": Field(many(inside(CUSTOM_FIELD))),
    "customer": PERSON_FIELD,
    "external_id": LONG_ID,
    "from_agent": Field(truth),
    "language": TEXT,
    "last_message_datetime": MOMENT,
    "last_received_message_datetime": MOMENT,
    "meta": Field(mapping),
    "opened_datetime": MOMENT,
    "priority": Field(one_of("low", "normal", "high", "critical"), null=False),
    "snooze_datetime": MOMENT,
    "spam": Field(truth),
    "status": Field(one_of("open", "closed"), null=False),
    "subject": Field(text(998)),
    "tags": Field(many(inside(TAG))),
    "trashed_datetime": MOMENT,
    "updated_datetime": MOMENT,
    "via": Field(one_of(*VIAS), null=False),
}
CREATE_TICKET: Final[Schema] = {
    **_TICKET,
    "created_datetime": MOMENT,
    "imported": Field(truth),
    "messages": Field(many(inside(MESSAGE), 1, 500), required=True, null=False),
    "split_from": Field(integer),
}
UPDATE_TICKET: Final[Schema] = {**_TICKET, "is_unread": Field(truth)}
TAGS: Final[Schema] = {"ids": Field(many(integer)), "names": Field(many(text(256)))}

CUSTOMER: Final[Schema] = {
    "name": TEXT,
    "firstname": TEXT,
    "lastname": TEXT,
    "email": Field(text(320)),
    "external_id": LONG_ID,
    "language": TEXT,
    "timezone": TEXT,
    "note": TEXT,
    "meta": Field(mapping),
    "channels": Field(many(inside(CONTACT)), null=False),
    "custom_fields": Field(many(inside(CUSTOM_FIELD)), null=False),
}

HTTP: Final[Schema] = {
    "id": Field(integer),
    "url": Field(text(), required=True, null=False),
    "method": Field(one_of("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"), null=False),
    "form": Field(anything),
    "headers": Field(mapping, null=False),
    "hmac_secret": Field(text(), null=False),
    "request_content_type": Field(one_of("application/json", "application/x-www-form-urlencoded"), null=False),
    "response_content_type": Field(one_of("application/json"), null=False),
    "oauth2": Field(mapping),
    "triggers": Field(inside({name: Field(truth) for name in (*GROUP_A, *GROUP_B)}), null=False),
}
INTEGRATION: Final[Schema] = {
    "name": Field(text(), required=True, null=False),
    "type": Field(one_of("http"), null=False),
    "description": TEXT,
    "deactivated_datetime": MOMENT,
    "http": Field(inside(HTTP), null=False),
    "business_hours_id": Field(integer),
}

SURVEY: Final[Schema] = {
    "ticket_id": Field(integer, required=True, null=False),
    "customer_id": Field(integer, required=True, null=False),
    "score": Field(integer),
    "body_text": Field(text(1000)),
    "meta": Field(mapping),
    "created_datetime": MOMENT,
    "should_send_datetime": MOMENT,
    "sent_datetime": MOMENT,
    "scored_datetime": MOMENT,
}
