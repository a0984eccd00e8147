"""A policy in plain sentences: whatever changes what happens changes the text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from handoff_sync.core import policy as p
from handoff_sync.core.phrases import hours, listed, minutes, quoted, seconds
from handoff_sync.core.policy import (
    ConnectionRule,
    CustomerNotice,
    MailKind,
    Mode,
    Outcome,
    Policy,
    Recipient,
    Scenario,
)
from handoff_sync.core.policy_words import sentences
from handoff_sync.core.presets import PRESETS

NAMES = {"con_1": "zendesk", "con_2": "gorgias"}
ANA = Recipient(email="ana@example.com", name="Ana", language="pt")
REFUND = Scenario(title="Refunds", instruction="Money is asked for.", enabled=True)
FULL = Policy(
    scenarios=(REFUND,),
    recipients=(ANA,),
    connections=(ConnectionRule(connection="con_1"),),
    chat_url="https://x.example",
)

CHANGED: dict[str, Any] = {
    "handover_mode": Mode.AUTOMATIC,
    "scenarios": (),
    "handover_enabled": False,
    "upgrade_url": "https://example.com/plans",
    "default_pause_minutes": 30,
    "pause_presets": (45,),
    "live_handback": False,
    "decision_timeout_minutes": 7,
    "on_decision_expiry": p.OnDecisionExpiry.HAND_OVER,
    "decision_code": True,
    "decline_mute_minutes": 0,
    "claim_reminder_minutes": None,
    "claim_timeout_minutes": 60,
    "on_claim_timeout": p.OnClaimTimeout.RESOLVE,
    "resolve_requires_assignee": True,
    "after_resolve": p.AfterResolve.NEW_SESSION,
    "reopen_window_hours": 240,
    "on_ticket_solved": Outcome.KEEP,
    "on_ticket_closed": Outcome.RETURN_TO_AI,
    "solved_grace_seconds": 0,
    "retake_window_hours": 5,
    "multi_ticket_close_rule": p.CloseRule.ALL,
    "session_resolve_sets_ticket": p.OnResolveTicket.LEAVE,
    "late_reply": p.LateReply.REFUSE_WITH_NOTE,
    "ticket_on_pause": p.TicketOnPause.NEVER,
    "connections": (),
    "redact": False,
    "recipients": (),
    "customer_notice": CustomerNotice(on_join={"en": "Hello"}),
    "customer_can_end": False,
    "disclose_human": False,
    "customer_email_on_join": False,
    "blocked_text": p.BlockedText.KEEP_TEXT,
    "chat_url": None,
    "timezone": "Europe/Lisbon",
}
MATTERS_WITH: dict[str, dict[str, Any]] = {
    "upgrade_url": {"handover_enabled": False},
    "on_claim_timeout": {"claim_timeout_minutes": 60},
    "retake_window_hours": {"on_ticket_closed": Outcome.RETURN_TO_AI},
}
"""What else must be set for a setting to matter at all."""


def text(policy: Policy) -> str:
    return "\n".join(sentences(policy, NAMES))


@pytest.mark.parametrize("setting", [field.name for field in fields(Policy)])
def test_every_setting_changes_the_text(setting: str) -> None:
    base = replace(FULL, **MATTERS_WITH.get(setting, {}))
    assert text(replace(base, **{setting: CHANGED[setting]})) != text(base)


@pytest.mark.parametrize(
    ("setting", "part", "value"),
    [
        *[("scenarios", name, value) for name, value in {"title": "Returns", "instruction": "Goods come back.",
          "mode": Mode.MANUAL_ONLY, "team": "sales", "priority": "high", "tags": ("money",), "enabled": False}.items()],
        *[("connections", name, value) for name, value in {"connection": "con_2", "group": "billing", "tags": ("vip",),
          "priority": "urgent", "custom_fields": {"360": "vip"}, "subject": "Help {name}"}.items()],
        *[("recipients", name, value) for name, value in {"email": "bo@example.com", "name": "Bo", "language": "es",
          "team": "sales", "kinds": (MailKind.REMINDER,)}.items()],
    ],
)  # fmt: skip
def test_every_part_of_a_list_changes_the_text(setting: str, part: str, value: Any) -> None:
    (one,) = getattr(FULL, setting)
    assert is_dataclass(one) and not isinstance(one, type)
    assert part in {field.name for field in fields(one)}
    assert text(replace(FULL, **{setting: (replace(one, **{part: value}),)})) != text(FULL)


@pytest.mark.parametrize("kind", [field.name for field in fields(CustomerNotice)])
def test_every_notice_to_the_customer_is_quoted(kind: str) -> None:
    policy = replace(FULL, customer_notice=CustomerNotice(**{kind: {"en": "Just a moment.", "pt": "Um momento."}}))
    assert 'English "Just a moment."; Portuguese "Um momento."' in text(policy)


def test_every_choice_of_a_setting_reads_differently() -> None:
    base = replace(FULL, claim_timeout_minutes=60)
    for field in fields(Policy):
        value = getattr(base, field.name)
        choices = type(value).__members__.values() if hasattr(type(value), "__members__") else ()
        texts = {text(replace(base, **{field.name: choice})) for choice in choices}
        assert len(texts) == len(choices), field.name


def test_the_story_is_told_in_the_order_of_a_handoff() -> None:
    told = text(replace(FULL, claim_timeout_minutes=60, default_pause_minutes=90))
    steps = (
        "answers on while an admin decides",
        'Scenario "Refunds": an admin is asked',
        "within 30 minutes, the AI keeps",
        "does not ask again in that session for 1 hour",
        "1 person is mailed: Ana <ana@example.com> in Portuguese about everything.",
        "nothing of the AI reaches the customer",
        "A ticket is opened at zendesk",
        "A pause lasts for 90 minutes",
        "after 5 minutes, who is mailed about it is reminded",
        "When the primary ticket is solved, the session is resolved, after 60 seconds",
        "within 72 hours",
        "The customer is told nothing",
    )
    places = [told.find(step) for step in steps]
    assert -1 not in places, steps[places.index(-1)]
    assert places == sorted(places)


def test_without_live_handback_no_sentence_promises_a_return() -> None:
    told = text(replace(FULL, live_handback=False, on_ticket_solved=Outcome.RETURN_TO_AI, default_pause_minutes=30))
    assert "the AI takes over again" not in told.split("The customer is told")[0]
    assert "for 30 minutes" not in told


@pytest.mark.parametrize("preset", PRESETS)
def test_sentences_are_sentences(preset: str) -> None:
    for sentence in sentences(PRESETS[preset], NAMES):
        assert sentence[0].isupper()
        assert sentence[-1] in '.:"'
        assert "  " not in sentence and "None" not in sentence and "_" not in sentence


def test_numbers_and_lists_are_said_as_people_say_them() -> None:
    assert [minutes(n) for n in (1, 5, 60, 90, 120, 60 * 72, 60 * 24 * 5)] == [
        "1 minute", "5 minutes", "1 hour", "90 minutes", "2 hours", "72 hours", "5 days",
    ]  # fmt: skip
    assert [seconds(60), seconds(180), hours(1)] == ["60 seconds", "3 minutes", "1 hour"]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"], "or")] == ["", "a", "a, b or c"]
    assert quoted("two\n lines") == '"two lines"'
    assert len(quoted("x" * 1000)) < 130
