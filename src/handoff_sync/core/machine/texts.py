"""Sentences that the machine itself writes on tickets. They are for agents; customers never see them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from handoff_sync.core.model import Handoff

COMMANDS: Final = (
    "Steer the AI from here with an internal note: /ai resume [agent] · /ai pause [30m | 1h | forever] [reason] · "
    "/ai extend 30m · /ai stop · /ai reset · /ai copilot on | off · /ai accept · /ai decline · /ai claim · "
    "/ai resolve · /ai why · /ai status · /ai help. Or add a tag: ai_resume, ai_pause, ai_stop, ai_resolve. "
    "The customer sees none of it."
)
SESSION_CLOSED: Final = (
    "The session is closed. Reopening this ticket does not reopen it: the customer does not see what is written here."
)
SLIPPED: Final = (
    "Your public reply was taken for this command; the chat does not show it. Write commands as internal notes."
)
CUSTOMER_ENDED: Final = "The customer ended the conversation with a human."
CONTROL_LABEL: Final = "human-handoff"


def merged_into_yours(source: str, target: str) -> str:
    return (
        f"Ticket {source} of another conversation was merged into ticket {target}, which belongs to this one. What is "
        "written there reaches this conversation's customer only; to answer the other one, hand their conversation "
        "over again."
    )


def not_delivered(why: str) -> str:
    return f"Your reply was not delivered to the customer: {why}"


def handoff_note(handoff: Handoff) -> str:
    """Announces a further handoff on a ticket that exists already."""
    lines = [f"A human is needed again (handoff {handoff.number}, {handoff.trigger.value.replace('_', ' ')})."]
    if handoff.scenarios:
        lines.append("Scenario: " + ", ".join(handoff.scenarios))
    if handoff.reason:
        lines.append("Reason: " + handoff.reason)
    if handoff.summary:
        lines.append("Summary: " + handoff.summary)
    return "\n".join(lines)


def undone_note(who: str) -> str:
    return f"{who} took the decision back: the AI answers the customer again until somebody decides anew."


def declined_note(who: str) -> str:
    return f"No handover after all ({who}): the AI goes on answering the customer."


def handback_note(who: str, why: str, summary: str) -> str:
    text = f"The AI answers the customer again ({why.replace('_', ' ')}, by {who})."
    return f"{text}\n{summary}" if summary else text


def local_time(at: datetime, timezone: str) -> str:
    """Date and time in the workspace's zone; UTC where this machine does not know the zone."""
    zone: tzinfo = UTC
    with suppress(KeyError, ValueError, OSError):
        zone = ZoneInfo(timezone)
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def resolve_marker(name: str, at: datetime, timezone: str) -> str:
    return f"The session was resolved by {name} at {local_time(at, timezone)}"
