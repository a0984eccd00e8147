"""Requests that work, shown in the API description and tried out by the tests."""

from __future__ import annotations

from typing import Any, Final

_CUSTOMER: Final = {"external_id": "u_81", "name": "Ann Example", "email": "ann@example.com", "email_verified": True}

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "customer.message": {
        "summary": "The customer wrote",
        "value": {
            "id": "evt_1001",
            "type": "customer.message",
            "conversation_id": "conv_42",
            "at": "2026-11-21T09:30:00Z",
            "customer": _CUSTOMER,
            "message": {"id": "msg_1001", "text": "Where is my order?"},
        },
    },
    "handoff.requested": {
        "summary": "The AI asks for a human",
        "value": {
            "id": "evt_1002",
            "type": "handoff.requested",
            "conversation_id": "conv_42",
            "trigger": "scenario",
            "scenario": "Frustrated customers",
            "reason": "Asked three times",
            "summary": "The parcel of order 7 is late.",
        },
    },
    "human.message": {
        "summary": "A person answered in the platform's inbox",
        "value": {
            "id": "evt_1003",
            "type": "human.message",
            "conversation_id": "conv_42",
            "message": {"id": "msg_1002", "text": "I am looking.", "author": {"id": "m_17", "name": "Mona Member"}},
        },
    },
    "batch": {
        "summary": "A batch",
        "value": {
            "events": [
                {"id": "evt_1", "type": "session.started", "conversation_id": "conv_7", "channel": "whatsapp"},
                {
                    "id": "evt_2",
                    "type": "ai.message.sent",
                    "conversation_id": "conv_7",
                    "message": {"id": "msg_1", "text": "How can I help?"},
                },
                {"id": "evt_3", "type": "pause", "conversation_id": "conv_7", "minutes": 30, "reason": "VIP"},
            ]
        },
    },
}
