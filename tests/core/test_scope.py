"""Policies by scope: the innermost that says something wins, and mistakes are named."""

from __future__ import annotations

import pytest

from handoff_sync.core.policy import ConnectionRule, CustomerNotice, MailKind, Mode, Policy, Recipient, Scenario
from handoff_sync.core.scope import resolve


def test_the_innermost_scope_wins() -> None:
    workspace = Policy(default_pause_minutes=30, solved_grace_seconds=10)
    policy = resolve(workspace, {"default_pause_minutes": 60, "live_handback": False}, {"default_pause_minutes": None})
    assert (policy.default_pause_minutes, policy.live_handback, policy.solved_grace_seconds) == (None, False, 10)


def test_nothing_said_is_nothing_changed() -> None:
    workspace = Policy()
    assert resolve(workspace, {}, {}) is workspace


def test_plain_values_become_what_the_policy_holds() -> None:
    policy = resolve(
        Policy(),
        {
            "handover_mode": "automatic",
            "scenarios": [{"title": "Refund", "mode": "semi_automatic", "tags": ["money"], "enabled": True}],
            "connections": [{"connection": "zd", "custom_fields": {"360": "vip"}}],
            "recipients": [{"email": "ana@example.com", "kinds": ["handover"]}],
            "pause_presets": [5, None],
        },
        {},
    )
    assert policy.handover_mode is Mode.AUTOMATIC
    assert policy.scenarios == (Scenario(title="Refund", mode=Mode.SEMI_AUTOMATIC, tags=("money",), enabled=True),)
    assert policy.connections == (ConnectionRule(connection="zd", custom_fields={"360": "vip"}),)
    assert policy.recipients == (Recipient(email="ana@example.com", kinds=(MailKind.HANDOVER,)),)
    assert policy.pause_presets == (5, None)


def test_texts_to_the_customer_are_laid_over_one_by_one() -> None:
    workspace = Policy(customer_notice=CustomerNotice(on_join={"en": "Hello"}, on_return={"en": "Bye"}))
    policy = resolve(workspace, {"customer_notice": {"on_return": {"de": "Tschüss"}}}, {})
    assert policy.customer_notice == CustomerNotice(on_join={"en": "Hello"}, on_return={"de": "Tschüss"})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("paws", 1, "paws: there is no such setting"),
        ("handover_mod", "automatic", "Did you mean handover_mode?"),
        ("upgrade_url", "ftp://example.com", "upgrade_url: must be an http(s) address"),
        ("live_handback", "yes", "live_handback: expected true or false, got str"),
        ("solved_grace_seconds", True, "solved_grace_seconds: expected a whole number, got bool"),
        ("solved_grace_seconds", -1, "solved_grace_seconds: -1 is not between"),
        ("decision_timeout_minutes", 10**12, "decision_timeout_minutes: 1000000000000 is not between"),
        ("handover_mode", "sometimes", "handover_mode: 'sometimes' is none of automatic"),
        ("chat_url", "javascript:alert(1)", "chat_url: must be an http(s) address"),
        ("timezone", "Mars/Base", "timezone: 'Mars/Base' is no time zone"),
        ("recipients", [{"name": "Ana"}], "recipients[0].email: is missing"),
        ("recipients", [{"email": "a@example.com", "fax": "1"}], "recipients[0].fax: there is no such setting"),
        ("recipients", "ana", "recipients: expected a list, got str"),
        ("recipients", ["ana"], "recipients[0]: expected a table, got str"),
        ("connections", [{"connection": "zd", "custom_fields": 3}], "custom_fields: expected a table of texts"),
        ("customer_notice", {"on_join": {"en": 1}}, "on_join.en: expected a text, got int"),
        ("pause_presets", [15, 0], "pause_presets: (15, 0) is not between"),
        ("handover_mode", None, "handover_mode: None is none of"),
    ],
)
def test_a_mistake_is_named(name: str, value: object, says: str) -> None:
    with pytest.raises(ValueError) as error:
        resolve(Policy(), {}, {name: value})
    assert says in str(error.value)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ValueError) as error:
        resolve(Policy(), {"paws": 1}, {"redact": 2})
    assert len(str(error.value).splitlines()) == 2


def test_every_part_of_one_value_is_read_before_it_is_refused() -> None:
    entries = [{"title": 1, "mode": "now"}, {"titel": "Refund"}, {"title": "Well"}]
    with pytest.raises(ValueError) as error:
        resolve(Policy(), {}, {"scenarios": entries})
    places = [line.split(":")[0] for line in str(error.value).splitlines()]
    assert places == ["scenarios[0].title", "scenarios[0].mode", "scenarios[1].titel", "scenarios[1].title"]
