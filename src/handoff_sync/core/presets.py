"""The five policies that a workspace can start from (domain.md section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from handoff_sync.core.policy import (
    AfterResolve,
    Mode,
    OnResolveTicket,
    Outcome,
    Policy,
    Scenario,
)

SCENARIO_TEMPLATES: Final = (
    Scenario(
        title="Frustrated customers",
        instruction="The customer is angry, disappointed, or repeats a complaint that was not solved.",
    ),
    Scenario(
        title="Refund requests over $200",
        instruction="The customer asks for a refund of more than 200 dollars or the same in another currency.",
    ),
    Scenario(
        title="Sensitive complaints",
        instruction="The complaint concerns safety, discrimination, privacy, law, or press.",
    ),
    Scenario(
        title="Complex questions",
        instruction="A right answer needs several systems, an exception from the rules, or a judgement.",
    ),
    Scenario(
        title="Sales opportunities",
        instruction="The customer wants a quote, a large order, or to talk about a contract.",
    ),
    Scenario(
        title="Escalation requests",
        instruction="The customer asks for a human, a manager, or a supervisor.",
    ),
    Scenario(
        title="AI confusion",
        instruction="You have misunderstood the customer twice, or do not know the answer.",
    ),
)
"""What a workspace may switch on; all are off until somebody does, or starts from `handover`."""

PRESETS: Final[Mapping[str, Policy]] = {
    # Switch as often as you like: nothing runs in the background, nothing is said to the customer.
    "pause-and-resume": Policy(
        handover_mode=Mode.MANUAL_ONLY,
        claim_reminder_minutes=None,
        customer_email_on_join=False,
    ),
    # Take over for half an hour unless you say otherwise; the AI comes back by itself.
    "timed-takeover": Policy(
        handover_mode=Mode.MANUAL_ONLY,
        default_pause_minutes=30,
        claim_reminder_minutes=None,
        customer_email_on_join=False,
    ),
    # A queue of sessions that need somebody. What happens to a ticket does not end the session.
    "assignment": Policy(
        handover_mode=Mode.AUTOMATIC,
        on_ticket_solved=Outcome.KEEP,
        on_ticket_closed=Outcome.KEEP,
        session_resolve_sets_ticket=OnResolveTicket.LEAVE,
    ),
    # Scenarios ask, people decide, tickets carry the work, reopening keeps who is in charge.
    "handover": Policy(
        handover_mode=Mode.SEMI_AUTOMATIC,
        scenarios=tuple(replace(scenario, enabled=True) for scenario in SCENARIO_TEMPLATES),
    ),
    # Once a human has it, the AI only drafts; resolving is the way back, with a new session.
    "resolve-to-return": Policy(
        handover_mode=Mode.MANUAL_ONLY,
        live_handback=False,
        resolve_requires_assignee=True,
        after_resolve=AfterResolve.NEW_SESSION,
    ),
}
