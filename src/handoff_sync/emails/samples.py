"""One letter of every kind about invented people: for previews, pictures, and trying an operator's templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handoff_sync.core.model import AuthorClass, Trigger
from handoff_sync.core.policy import MailKind, OnDecisionExpiry
from handoff_sync.emails.digest import digests
from handoff_sync.emails.letters import (
    AdminJoined,
    Alert,
    ConnectionDown,
    Conversation,
    Decided,
    DecidedAs,
    DecisionNeeded,
    DigestItem,
    Handover,
    Letter,
    Line,
    Reminder,
    Test,
    TicketFailed,
    TicketLine,
)

_HOME: Final = "https://handoff.example.com"
_CHAT: Final = "https://chat.example.com/conversations/4711"

CONVERSATION: Final = Conversation(
    session_url=_CHAT,
    chat_url=_CHAT,
    customer_name="Maya Lindqvist",
    customer_address="maya@example.com",
    channel="web",
    trigger=Trigger.SCENARIO,
    scenarios=("Refund requests over $200",),
    reason="Wants her money back for order 4711.",
    summary="Order 4711 came with a broken frame. Maya sent photos and asks for a refund of $349.",
    waiting_since="2026-03-02 09:41 UTC",
    excerpt=(
        Line(
            author="Maya Lindqvist",
            at="2026-03-02 09:38 UTC",
            text="Hi! My bike arrived with a broken frame 😞\nI sent you two photos.",
            role=AuthorClass.CUSTOMER,
        ),
        Line(
            author="AI",
            at="2026-03-02 09:38 UTC",
            text="I am sorry, Maya. I see the crack near the fork.",
            role=AuthorClass.AI,
            named=False,
        ),
        Line(
            author="Maya Lindqvist",
            at="2026-03-02 09:40 UTC",
            text="Please give me my money back, I do not want another one.",
            role=AuthorClass.CUSTOMER,
        ),
        Line(
            author="Dana Reyes",
            at="2026-03-02 09:41 UTC",
            text="Hi Maya, this is Dana. One moment, please.",
            role=AuthorClass.HUMAN,
        ),
    ),
    tickets=(
        TicketLine(title="Zendesk: ticket 1042", url="https://acme.example.com/agent/tickets/1042"),
        TicketLine(title="Gorgias"),
    ),
    workspace_name="Acme Bikes",
)
_ITEMS: Final = (
    DigestItem(
        kind=MailKind.DECISION_NEEDED,
        customer_name="Maya Lindqvist",
        scenarios=("Refund requests over $200",),
        waiting_since="2026-03-02 09:41 UTC",
        url=f"{_HOME}/decide/AbCdEfGhIjKlMnOpQrStUvWxYz012345",
    ),
    DigestItem(
        kind=MailKind.HANDOVER,
        customer_name="דנה לוי",
        trigger=Trigger.CUSTOMER_REQUEST,
        waiting_since="2026-03-02 09:42 UTC",
        url=_CHAT,
    ),
    DigestItem(kind=MailKind.HANDOVER, trigger=Trigger.AI_ERROR, waiting_since="2026-03-02 09:43 UTC", url=f"{_CHAT}2"),
    DigestItem(
        kind=MailKind.DECIDED, customer_name="Kenji Mori", outcome=DecidedAs.ACCEPTED, by="Dana Reyes", url=_CHAT
    ),
    DigestItem(kind=MailKind.CONNECTION_DOWN, title="Gorgias", waiting_since="2026-03-02 09:30 UTC"),
)


def samples(conversation: Conversation = CONVERSATION) -> Mapping[str, Letter]:
    """Letters by the name of their template."""
    letters: tuple[Letter, ...] = (
        Handover(conversation=conversation),
        DecisionNeeded(
            conversation=conversation,
            decision_url=f"{_HOME}/decide/AbCdEfGhIjKlMnOpQrStUvWxYz012345",
            code="K7Q2MX",
            expires_at="2026-03-02 10:11 UTC",
            on_expiry=OnDecisionExpiry.KEEP_AI,
        ),
        Decided(
            conversation=conversation,
            outcome=DecidedAs.ACCEPTED,
            decided_by="Dana Reyes",
            decided_at="2026-03-02 09:44 UTC",
            decided_via="mail",
        ),
        Reminder(conversation=conversation, waiting_minutes=5),
        TicketFailed(
            conversation=conversation,
            helpdesk="Zendesk",
            reason="Zendesk refused the ticket (422): the field 'Order number' is required.",
        ),
        AdminJoined(customer_name="Maya Lindqvist", human_name="Dana", workspace_name="Acme Bikes"),
        *digests(_ITEMS, "Acme Bikes"),
        ConnectionDown(
            connection="Zendesk",
            since="2026-03-02 09:30 UTC",
            said="No connection to acme.example.com (timeout).",
            waiting=12,
            url=_HOME,
            workspace_name="Acme Bikes",
        ),
        Alert(
            title="Callback refused",
            detail="The platform answered 410 to a callback.",
            todo="Look at `handoff-sync callback list`.",
            url=_HOME,
        ),
        Test(sent_at="2026-03-02 09:41 UTC", server="mail.example.com", workspace_name="Acme Bikes"),
    )
    return {letter.template: letter for letter in letters}
