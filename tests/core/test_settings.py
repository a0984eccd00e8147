"""Every setting of the policy that concerns the core changes what happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest

from handoff_sync.core import events as ev
from handoff_sync.core.model import Phase, TicketStatus, TimerKind, Trigger
from handoff_sync.core.policy import (
    AfterResolve,
    BlockedText,
    CloseRule,
    ConnectionRule,
    CustomerNotice,
    LateReply,
    Mode,
    OnClaimTimeout,
    OnDecisionExpiry,
    OnResolveTicket,
    Outcome,
    Policy,
    Recipient,
    Scenario,
    TicketOnPause,
)
from tests.core.talk import (
    IC,
    POLICY,
    Talk,
    archive,
    claim,
    created,
    customer,
    fresh,
    handover,
    ids,
    pause,
    proposed,
    reply,
    request,
    resolve,
    resume,
    status,
)

Story = Callable[[Talk], object]


def solved_and_over(talk: Talk) -> None:
    talk.send(handover(), created(), status(TicketStatus.SOLVED))
    if talk.session.timers:
        talk.fire(TimerKind.SOLVED_GRACE)


def retaken(talk: Talk) -> None:
    talk.but(on_ticket_closed=Outcome.RETURN_TO_AI)
    talk.send(handover(), created(), status(TicketStatus.CLOSED))
    talk.wait(hours=10).send(status(TicketStatus.OPEN))


def decision_over(talk: Talk) -> None:
    talk.send(request())
    talk.fire(TimerKind.DECISION)


def never_claimed(talk: Talk) -> None:
    talk.but(claim_timeout_minutes=5).send(handover())
    talk.fire(TimerKind.CLAIM_TIMEOUT)


def declined_and_asked_again(talk: Talk) -> None:
    talk.send(request(), ev.DecisionDeclined(**ids()))
    talk.wait(minutes=5).send(request())


def resolved_and_written_to(talk: Talk) -> None:
    talk.send(resolve())
    talk.wait(hours=10).send(customer())


def one_of_two_solved(talk: Talk) -> None:
    talk.send(handover(), created(), created(IC), status(TicketStatus.SOLVED, IC))


def late(talk: Talk) -> None:
    talk.send(handover(), created(), resume(), reply())


def blocked(talk: Talk) -> None:
    talk.send(handover(), proposed(0))


SETTINGS: dict[str, tuple[object, Story]] = {
    "handover_mode": (Mode.AUTOMATIC, lambda talk: talk.send(request())),
    "scenarios": (
        (Scenario(title="Refund", mode=Mode.AUTOMATIC, enabled=True),),
        lambda talk: talk.send(request(scenario="Refund")),
    ),
    "handover_enabled": (False, lambda talk: talk.send(handover())),
    "upgrade_url": (
        "https://example.com/plans",
        lambda talk: talk.but(handover_enabled=False).send(handover()),
    ),
    "default_pause_minutes": (30, lambda talk: talk.send(pause(use_default=True))),
    "live_handback": (False, lambda talk: talk.send(handover(), resume())),
    "decision_timeout_minutes": (5, lambda talk: talk.send(request())),
    "on_decision_expiry": (OnDecisionExpiry.HAND_OVER, decision_over),
    "decline_mute_minutes": (1, declined_and_asked_again),
    "claim_reminder_minutes": (None, lambda talk: talk.send(handover())),
    "claim_timeout_minutes": (10, lambda talk: talk.send(handover())),
    "on_claim_timeout": (OnClaimTimeout.RESOLVE, never_claimed),
    "resolve_requires_assignee": (True, lambda talk: talk.send(resolve())),
    "after_resolve": (AfterResolve.NEW_SESSION, resolved_and_written_to),
    "reopen_window_hours": (1, resolved_and_written_to),
    "on_ticket_solved": (Outcome.RETURN_TO_AI, solved_and_over),
    "on_ticket_closed": (Outcome.KEEP, lambda talk: talk.send(handover(), created(), status(TicketStatus.CLOSED))),
    "solved_grace_seconds": (5, lambda talk: talk.send(handover(), created(), status(TicketStatus.SOLVED))),
    "retake_window_hours": (1, retaken),
    "multi_ticket_close_rule": (CloseRule.ANY, one_of_two_solved),
    "session_resolve_sets_ticket": (OnResolveTicket.LEAVE, lambda talk: talk.send(handover(), resolve())),
    "late_reply": (LateReply.REFUSE_WITH_NOTE, late),
    "ticket_on_pause": (TicketOnPause.ALWAYS, lambda talk: talk.send(pause(30))),
    "connections": ((ConnectionRule(connection="go"),), lambda talk: talk.send(handover())),
    "recipients": ((Recipient(email="other@example.com"),), lambda talk: talk.send(handover())),
    "customer_notice": (CustomerNotice(), lambda talk: talk.send(handover())),
    "customer_can_end": (False, lambda talk: talk.send(handover(), ev.CustomerEndedHuman(**ids()))),
    "disclose_human": (False, lambda talk: talk.send(handover(), claim())),
    "customer_email_on_join": (False, lambda talk: talk.send(handover(), claim())),
    "blocked_text": (BlockedText.DISCARD, blocked),
    "timezone": ("Asia/Tokyo", lambda talk: talk.send(resolve())),
}
ELSEWHERE = {
    "pause_presets": "tests/delivery/test_settings.py::test_pause_presets_are_offered_with_the_session",
    "decision_code": "tests/api/test_decide_page.py::test_strict_mode_asks_for_the_code_of_the_mail",
    "redact": "tests/delivery/test_settings.py::test_redact_masks_card_numbers_in_tickets_and_mails_mask_them_always",
    "chat_url": "tests/delivery/test_settings.py::test_chat_url_stands_in_ticket_and_mail",
}
"""Where what the core does not show is tested."""


def told(policy: Policy, story: Story) -> tuple[object, ...]:
    talk = fresh(policy)
    talk.send(customer())
    story(talk)
    kinds = [
        (effect.type, getattr(effect, "recipient", None), getattr(effect, "human", None)) for effect in talk.effects
    ]
    markers = [effect.marker for effect in talk.effects if effect.type == "session.changed"]
    ends = [timer.fires_at for timer in talk.session.timers]
    links = [link.connection for link in talk.session.links]
    last = talk.outcomes[-1]
    kept = sorted(talk.timeline[-1].data)
    return talk.phase, kinds, markers, ends, links, last.verdict, last.code, last.detail, kept


@pytest.mark.parametrize("name", SETTINGS)
def test_changing_the_setting_changes_what_happens(name: str) -> None:
    value, story = SETTINGS[name]
    assert told(POLICY, story) != told(Talk().but(**{name: value}).policy, story)


def test_every_setting_is_looked_at() -> None:
    assert {field.name for field in fields(Policy)} == {*SETTINGS, *ELSEWHERE}


@pytest.mark.parametrize("choice", BlockedText)
def test_what_is_kept_of_a_blocked_message(choice: BlockedText) -> None:
    talk = fresh(Talk().but(blocked_text=choice).policy)
    talk.send(handover(), proposed(0, "secret"))
    data = talk.timeline[-1].data
    kept = {name for name in data if name.startswith("text")}
    expected = {BlockedText.DISCARD: set(), BlockedText.KEEP_HASH: {"text_sha256"}, BlockedText.KEEP_TEXT: {"text"}}
    assert kept == expected[choice]


def test_without_disclosure_no_name_reaches_the_customer() -> None:
    talk = fresh(Talk().but(disclose_human=False).policy)
    talk.send(handover(), created(), reply(), archive())
    said = [getattr(effect, "message", None) for effect in talk.effects if effect.type == "message.deliver"]
    assert [message.author for message in said if message is not None] == [None]
    assert not [effect for effect in talk.effects if effect.type == "mail.customer"]
    assert not [effect for effect in talk.effects if getattr(effect, "human", None) is not None]


def test_a_disabled_scenario_and_manual_only_hold_the_ai_back() -> None:
    talk = fresh(Talk().but(scenarios=(Scenario(title="Refund"),)).policy)
    assert talk.send(request(scenario="Refund")).code == "scenario_disabled"
    assert talk.send(request(scenario="Never heard of")).rule == "T12"
    talk = fresh(Talk().but(handover_mode=Mode.MANUAL_ONLY).policy)
    assert talk.send(request(Trigger.CUSTOMER_REQUEST)).code == "manual_only"
    assert talk.send(handover()).session.phase is Phase.WAITING
