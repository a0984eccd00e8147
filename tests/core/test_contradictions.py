"""What contradicts itself is named with its place and its remedy: an error stops, a warning is only shown."""

from __future__ import annotations

from typing import Any

import pytest

from handoff_sync.core.policy import (
    CloseRule,
    ConnectionRule,
    CustomerNotice,
    MailKind,
    Mode,
    OnClaimTimeout,
    Outcome,
    Policy,
    Recipient,
    Scenario,
)
from handoff_sync.core.presets import PRESETS
from handoff_sync.core.scope import Surroundings, complaints, review, warnings

ANA = Recipient(email="ana@example.com")
DEAF = Recipient(email="a@example.com", kinds=(MailKind.REMINDER,))
OF_SALES = Recipient(email="s@example.com", team="sales")
OF_SUPPORT = Recipient(email="s@example.com", team="support")
BACK = Outcome.RETURN_TO_AI


def quiet(**settings: Any) -> Policy:
    """A policy that has nothing to complain about but what is given."""
    return Policy(**{"handover_mode": Mode.MANUAL_ONLY, "recipients": (ANA,), **settings})


def scenario(title: str = "Refund", **settings: Any) -> Scenario:
    return Scenario(title=title, enabled=True, **settings)


def rule(connection: str = "zd", **settings: Any) -> ConnectionRule:
    return ConnectionRule(connection=connection, **settings)


ERRORS: list[tuple[Policy, str, str]] = [
    (Policy(), "handover_mode", "decision_needed"),
    (Policy(handover_mode=Mode.AUTOMATIC, recipients=(DEAF,)), "handover_mode", "handover mails"),
    (quiet(recipients=(), scenarios=(scenario(mode=Mode.AUTOMATIC),)), "scenarios[0].mode", "handover mails"),
    (
        quiet(recipients=(OF_SALES,), scenarios=(scenario(mode=Mode.AUTOMATIC, team="support"),)),
        "scenarios[0].mode",
        "in team support",
    ),
    (Policy(recipients=(OF_SALES,)), "teams.support.handover_mode", "in team support"),
    (quiet(live_handback=False, on_ticket_solved=BACK), "on_ticket_solved", "live_handback = true"),
    (quiet(live_handback=False, on_ticket_closed=BACK), "on_ticket_closed", "live_handback = true"),
    (
        quiet(live_handback=False, claim_timeout_minutes=9, on_claim_timeout=OnClaimTimeout.RETURN_TO_AI),
        "on_claim_timeout",
        "live_handback = true",
    ),
    (quiet(on_claim_timeout=OnClaimTimeout.RESOLVE), "on_claim_timeout", "claim_timeout_minutes"),
    (
        quiet(claim_reminder_minutes=30, claim_timeout_minutes=30, on_claim_timeout=OnClaimTimeout.RESOLVE),
        "claim_reminder_minutes",
        "lower it",
    ),
    (quiet(scenarios=(scenario(), scenario("Anger"), scenario())), "scenarios[2].title", "choose a new one"),
    (quiet(scenarios=(scenario(" "),)), "scenarios[0].title", "is empty"),
    (quiet(scenarios=(scenario(team="seles"),)), "scenarios[0].team", "There are: sales, support"),
    (quiet(recipients=(ANA, Recipient(email="b@example.com", team="x"))), "recipients[1].team", "no team 'x'"),
    (quiet(connections=(rule("zd"), rule("zd"))), "connections[1].connection", "named twice"),
    (quiet(connections=(rule("old"),)), "connections[0].connection", "There are: go, zd"),
    (quiet(connections=(rule(subject="Help {who}"),)), "connections[0].subject", "{name}"),
    (quiet(connections=(rule(subject=" "),)), "connections[0].subject", "is empty"),
    (quiet(recipients=(ANA, Recipient(email="Ana@Example.com"))), "recipients[1].email", "twice"),
    (quiet(recipients=(ANA, Recipient(email=ANA.email, team="sales"))), "recipients[1].email", "twice"),
    (quiet(recipients=(Recipient(email="ana"),)), "recipients[0].email", "no address"),
    (quiet(recipients=(Recipient(email="a@b.c\nBcc: d@e.f"),)), "recipients[0].email", "no address"),
    (quiet(recipients=(Recipient(email="Ana <ana@example.com>"),)), "recipients[0].email", "no address"),
    (quiet(recipients=(Recipient(email=ANA.email, language="English!"),)), "recipients[0].language", "en, pt, es"),
    (quiet(customer_notice=CustomerNotice(on_join={"english": "Hi"})), "customer_notice.on_join.english", "pt-BR"),
    (quiet(customer_notice=CustomerNotice(on_join={"en": " "})), "customer_notice.on_join.en", "is empty"),
    (quiet(chat_url="https://chat.example.com/{id}"), "chat_url", "{conversation_id}"),
]

WARNINGS: list[tuple[Policy, str, str]] = [
    (Policy(recipients=(OF_SALES, OF_SUPPORT)), "handover_mode", "outside the teams"),
    (quiet(live_handback=False, default_pause_minutes=30), "default_pause_minutes", "leave it out"),
    (quiet(connections=(rule("go"),), on_ticket_solved=BACK), "on_ticket_solved", "close the ticket with every answer"),
    (quiet(connections=(rule("go"),), on_ticket_closed=BACK), "on_ticket_closed", "choose resolve or keep"),
    (quiet(claim_timeout_minutes=60), "claim_timeout_minutes", "on_claim_timeout"),
    (quiet(scenarios=(scenario(priority="asap"),)), "scenarios[0].priority", "low, normal, high, urgent"),
    (quiet(connections=(rule(priority="asap"),)), "connections[0].priority", "low, normal, high, urgent"),
    (
        quiet(customer_notice=CustomerNotice(on_join={"en": "Hi", "pt": "Oi"}, on_return={"en": "Bye"})),
        "customer_notice.on_return",
        "has no text in pt",
    ),
    (quiet(chat_url="https://chat.example.com/"), "chat_url", "{session_id}"),
    (quiet(disclose_human=False), "customer_email_on_join", "set this to false"),
]

AROUND = Surroundings(teams={"sales": {}, "support": {}}, connections=("zd", "go"), answers_close=frozenset({"go"}))


@pytest.mark.parametrize(
    ("policy", "key", "says"), ERRORS, ids=[f"{key}-{at}" for at, (_, key, _) in enumerate(ERRORS)]
)
def test_a_contradiction_is_named_with_its_place_and_remedy(policy: Policy, key: str, says: str) -> None:
    found = [one for one in review(policy, AROUND) if one.key == key and not one.warning]
    assert found, review(policy, AROUND)
    assert says in found[0].text
    assert str(found[0]) in complaints(policy, AROUND)


@pytest.mark.parametrize(("policy", "key", "says"), WARNINGS, ids=[key for _, key, _ in WARNINGS])
def test_what_will_surprise_is_a_warning(policy: Policy, key: str, says: str) -> None:
    assert complaints(policy, AROUND) == ()
    (warning,) = warnings(policy, AROUND)
    assert warning.startswith(f"{key}: ")
    assert says in warning


def test_the_presets_contradict_nothing_once_somebody_is_mailed() -> None:
    for name, preset in PRESETS.items():
        policy = Policy(**{f: getattr(preset, f) for f in preset.__slots__} | {"recipients": (ANA,)})
        assert complaints(policy, AROUND) == (), name
        assert warnings(policy, AROUND) == (), name


def test_a_mode_that_acts_by_itself_needs_somebody_who_hears_of_it_once_said() -> None:
    policy = Policy(handover_mode=Mode.AUTOMATIC, scenarios=tuple(scenario(f"S{n}", team="sales") for n in range(5)))
    assert len(complaints(policy, AROUND)) == 1
    assert not complaints(Policy(handover_mode=Mode.MANUAL_ONLY))


def test_an_entry_for_other_kinds_or_another_team_is_no_repetition() -> None:
    kinds = (
        Recipient(email=ANA.email, kinds=(MailKind.HANDOVER,)),
        Recipient(email=ANA.email, kinds=(MailKind.DECIDED,)),
    )
    teams = (Recipient(email=ANA.email, team="sales"), Recipient(email=ANA.email, team="support", language="pt"))
    assert complaints(quiet(recipients=kinds), AROUND) == ()
    assert complaints(quiet(recipients=teams), AROUND) == ()


def test_a_first_close_matters_only_where_that_ticket_decides() -> None:
    both = (rule("zd"), rule("go"))
    first = quiet(connections=both, on_ticket_solved=BACK)
    assert warnings(first, AROUND) == ()
    every = quiet(connections=both, on_ticket_solved=BACK, multi_ticket_close_rule=CloseRule.ALL)
    assert warnings(every, AROUND) == ()
    either = quiet(connections=both, on_ticket_solved=BACK, multi_ticket_close_rule=CloseRule.ANY)
    assert len(warnings(either, AROUND)) == 1
    everywhere = quiet(on_ticket_solved=BACK, multi_ticket_close_rule=CloseRule.ANY)
    assert len(warnings(everywhere, AROUND)) == 1


def test_a_team_is_judged_by_what_it_makes_of_the_policy() -> None:
    policy = quiet(on_ticket_solved=BACK, recipients=())
    teams = {"sales": {"live_handback": False}, "support": {"handover_mode": "automatic"}, "odd": {"paws": 1}}
    found = complaints(policy, Surroundings(teams=teams))
    assert [one.split(": ")[0] for one in found] == [
        "teams.sales.on_ticket_solved",
        "teams.support.handover_mode",
        "teams.odd.paws",
    ]


def test_what_is_not_known_is_not_judged() -> None:
    policy = quiet(scenarios=(scenario(team="anywhere"),), connections=(rule("anything"),))
    assert complaints(policy) == ()
