"""Every setting that shows outside the core changes what happens there: in tickets, mails, callbacks and answers.

What the core alone decides stands in tests/core/test_settings.py. At the end the two are held against the settings
that there are, part by part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from handoff_sync.contract.features import Feature
from handoff_sync.core import events as ev
from handoff_sync.core.model import Phase, Trigger
from handoff_sync.core.policy import (
    ConnectionRule,
    CustomerNotice,
    MailKind,
    Mode,
    Recipient,
    Scenario,
)
from handoff_sync.simulator.desk import Desk, DeskTicket
from tests.core import test_settings as in_the_core
from tests.delivery.desk_rig import EVA, DeskRig
from tests.delivery.house import House, body_of

CARD = "4111 1111 1111 1111"
ROOT = Path(__file__).parents[2]
BO = Recipient(email="bo@example.com", name="Bo", kinds=(MailKind.HANDOVER,))


# --- what a text may hold ---------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [True, False])
def test_redact_masks_card_numbers_in_tickets_and_mails_mask_them_always(house: House, masked: bool) -> None:
    house.rig.follow(redact=masked)
    house.rig.say(f"my card is {CARD}")
    house.ask(reason=f"pays with {CARD}")
    assert (CARD in house.ticket_text()) is not masked
    assert "my card is" in house.mail_text() and CARD not in house.mail_text()


def test_chat_url_stands_in_ticket_and_mail(house: House) -> None:
    at_helpdesk = house.rig.desk.simulator.state.as_dict  # type: ignore[attr-defined]
    house.rig.opened("before")
    assert "chat.example.com" not in str(at_helpdesk(requests=False)) + house.mail_text()
    house.rig.follow(chat_url="https://chat.example.com/{conversation_id}")
    house.rig.opened("after")
    assert "https://chat.example.com/after" in str(at_helpdesk(requests=False))
    assert "https://chat.example.com/after" in house.mail_text()


def test_timezone_is_that_of_the_line_that_says_who_resolved_it(house: House) -> None:
    for zone, hours in (("UTC", 0), ("Asia/Tokyo", 9)):
        house.rig.follow(timezone=zone)
        house.rig.opened(zone)
        now = house.rig.simulator.clock.now()
        house.rig.order(ev.Resolved, EVA, zone)
        expected = now.replace(hour=(now.hour + hours) % 24).strftime("%H:%M")
        assert house.rig.markers(zone)[-1].endswith(expected)


# --- what the API answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [None, "https://example.com/plans"])
def test_upgrade_url_stands_in_the_refusal(house: House, url: str | None) -> None:
    house.rig.follow(handover_enabled=False, upgrade_url=url)
    house.rig.say("hello")
    session = house.rig.session().id
    answer = house.api.post(f"/v1/sessions/{session}/actions/handover", json={"actor": {"id": "m-1", "name": "Mona"}})
    assert (answer.status_code, answer.json()["code"]) == (403, "plan_required")
    assert answer.json().get("upgrade_url") == url


def test_pause_presets_are_offered_with_the_session(house: House) -> None:
    house.rig.say("hello")
    path = f"/v1/sessions/{house.rig.session().id}"
    assert house.api.get(path).json()["pause_presets"] == [15, 30, 60, 120, None]
    house.rig.follow(pause_presets=(5, None))
    assert house.api.get(path).json()["pause_presets"] == [5, None]
    house.rig.hand_over()
    house.rig.follow(pause_presets=(45,))
    assert house.api.get(path).json()["pause_presets"] == [5, None], "a running handoff keeps its policy"


# --- connections: how a ticket is opened ------------------------------------------------------------------

Wanted = Callable[[Desk], Any]
Seen = Callable[[DeskTicket], Any]
RULES: dict[str, tuple[Feature | None, Wanted, Seen]] = {
    "group": (Feature.GROUP, lambda desk: desk.group, lambda ticket: ticket.group),
    "tags": (None, lambda desk: ("gold",), lambda ticket: tuple(tag for tag in ticket.tags if tag == "gold")),
    "priority": (Feature.PRIORITY, lambda desk: "high", lambda ticket: ticket.priority),
    "custom_fields": (
        Feature.CUSTOM_FIELDS,
        lambda desk: {desk.custom_field: "gold"},
        lambda ticket: {name: value for name, value in ticket.custom_fields.items() if value == "gold"},
    ),
}


@pytest.mark.parametrize("part", RULES)
def test_a_part_of_a_connections_rule_is_seen_at_the_ticket(at_desk: DeskRig, part: str) -> None:
    feature, wanted, seen = RULES[part]
    if feature is not None:
        at_desk.needs(feature)
    value = wanted(at_desk.desk)
    before = seen(at_desk.desk.ticket(at_desk.opened("before")))
    changed: dict[str, Any] = {part: value}
    at_desk.follow(connections=(ConnectionRule(connection=at_desk.connection, **changed),))
    after = seen(at_desk.desk.ticket(at_desk.opened("after")))
    assert after == value != before


def test_the_subject_of_a_connections_rule_is_the_tickets(at_desk: DeskRig) -> None:
    assert at_desk.desk.ticket(at_desk.opened("before")).subject == "Customer needs your help: Ana Ruiz"
    at_desk.follow(connections=(ConnectionRule(connection=at_desk.connection, subject="{name} is waiting"),))
    assert at_desk.desk.ticket(at_desk.opened("after")).subject == "Ana Ruiz is waiting"


def test_tickets_are_opened_at_the_connections_that_rules_name(house: House) -> None:
    other = house.second()
    house.rig.opened("before")
    assert house.tickets_at("before") == sorted([house.rig.connection, other])
    house.rig.follow(connections=(ConnectionRule(connection=other),))
    house.rig.opened("after")
    assert house.tickets_at("after") == [other]


# --- scenarios --------------------------------------------------------------------------------------------

REFUND = Scenario(title="Refund", instruction="They want money.", enabled=True)
PARTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "title": ("Return", {"offered": ["Return"]}),
    "instruction": ("They shout.", {"instructed": False}),
    "mode": (Mode.SEMI_AUTOMATIC, {"phase": Phase.AI_DECIDING, "priority": None, "ticket": False}),
    "team": ("care", {"team": "care", "mailed": {"care@example.com"}}),
    "priority": ("urgent", {"priority": "urgent"}),
    "tags": (("money",), {"tagged": True}),
    "enabled": (
        False,
        {"phase": Phase.AI, "offered": [], "instructed": False, "priority": None, "ticket": False, "mailed": set()},
    ),
}


def asked_by(house: House, scenario: Scenario) -> dict[str, Any]:
    """What becomes of a request by the scenario "Refund" where this is the scenario that there is."""
    rig = house.rig
    people = (replace(BO, email="desk@example.com", team="desk"), replace(BO, email="care@example.com", team="care"))
    everything = tuple(replace(one, kinds=()) for one in people)
    rule = ConnectionRule(connection=rig.connection, priority="low")
    rig.follow(scenarios=(scenario,), recipients=everything, connections=(rule,))
    rig.order(ev.SessionStarted, channel="web", team="desk")
    rig.say("hello")
    house.ask(trigger=Trigger.SCENARIO, scenario="Refund")
    listed = house.api.get("/v1/scenarios").json()
    session = rig.session()
    ticket = rig.desk.ticket(rig.ticket_id()) if session.links else None
    return {
        "offered": [one["title"] for one in listed["items"]],
        "instructed": "They want money." in listed["instructions"],
        "phase": session.phase,
        "team": session.team,
        "mailed": house.mailed(),
        "ticket": ticket is not None,
        "priority": ticket.priority if ticket is not None else None,
        "tagged": ticket is not None and "money" in ticket.tags,
    }


USUAL = {
    "offered": ["Refund"],
    "instructed": True,
    "phase": Phase.WAITING,
    "team": "desk",
    "mailed": {"desk@example.com"},
    "ticket": True,
    "priority": "low",
    "tagged": False,
}


def test_what_a_plain_scenario_does(house: House) -> None:
    assert asked_by(house, REFUND) == USUAL


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_scenario_changes_this_and_nothing_else(house: House, part: str) -> None:
    value, changes = PARTS[part]
    changed: dict[str, Any] = {part: value}
    assert asked_by(house, replace(REFUND, **changed)) == USUAL | changes


def test_a_scenarios_title_is_what_a_request_must_name(house: House) -> None:
    tagged = replace(REFUND, title="Return", tags=("money",))
    assert not asked_by(house, tagged)["tagged"], "by another name it is a label alone"


def test_the_team_of_a_scenario_decides_with_its_own_settings(house: House) -> None:
    """Where tickets go, who is mailed, how long a decision waits: all as that team has it, from the first moment."""
    other, rig = house.second(), house.rig
    teams = {
        "care": {
            "connections": [{"connection": other}],
            "recipients": [{"email": "care@example.com"}],
            "scenarios": [],
        }
    }
    rig.follow(scenarios=(replace(REFUND, team="care", tags=("money",)),))
    rig.app.admin.update_workspace(rig.workspace, teams=teams)
    rig.say("hello")
    house.ask(trigger=Trigger.SCENARIO, scenario="Refund")
    assert (rig.session().team, house.tickets_at(), house.mailed()) == ("care", [other], {"care@example.com"})
    assert "money" in rig.desk.ticket(rig.ticket_id()).tags, "the scenario goes along, though the team has none"


def test_what_a_team_says_of_a_scenario_that_sends_there_goes_first(house: House) -> None:
    rig = house.rig
    rig.follow(scenarios=(replace(REFUND, team="care"),))
    own = [{"title": "Refund", "enabled": True, "mode": "semi_automatic", "team": "elsewhere"}]
    rig.app.admin.update_workspace(rig.workspace, teams={"care": {"scenarios": own}})
    rig.say("hello")
    house.ask(trigger=Trigger.SCENARIO, scenario="Refund")
    assert (rig.phase(), rig.session().team) == (Phase.AI_DECIDING, "care"), "and nobody is sent on and on"


def test_a_request_that_names_its_team_is_not_sent_elsewhere(house: House) -> None:
    rig = house.rig
    rig.follow(scenarios=(replace(REFUND, team="care"),))
    rig.app.admin.update_workspace(rig.workspace, teams={"care": {"handover_mode": "semi_automatic"}})
    house.ask(trigger=Trigger.SCENARIO, scenario="Refund", team="desk")
    assert (rig.phase(), rig.session().team) == (Phase.WAITING, "desk")


# --- recipients -------------------------------------------------------------------------------------------

Letter = tuple[str, str, str]
"""Address, name and language."""
RECIPIENTS: dict[str, tuple[Any, list[Letter]]] = {
    "email": ("cy@example.com", [("cy@example.com", "Bo", "en")]),
    "name": ("Beatrice", [("bo@example.com", "Beatrice", "en")]),
    "language": ("pt", [("bo@example.com", "Bo", "pt")]),
    "team": ("care", []),
    "kinds": ((MailKind.REMINDER,), []),
}


def letters(house: House, recipient: Recipient) -> list[Letter]:
    """What a handoff of no team mails to this recipient."""
    house.rig.follow(recipients=(recipient,))
    house.rig.opened()
    found = []
    for mail in house.mails():
        to = mail["To"].addresses[0]
        html = body_of(mail, "html")
        found.append((to.addr_spec, to.display_name, html.partition('<html lang="')[2].partition('"')[0]))
    return found


def test_what_a_plain_recipient_gets(house: House) -> None:
    assert letters(house, BO) == [("bo@example.com", "Bo", "en")]


@pytest.mark.parametrize("part", RECIPIENTS)
def test_a_part_of_a_recipient_changes_who_is_mailed_how(house: House, part: str) -> None:
    value, expected = RECIPIENTS[part]
    changed: dict[str, Any] = {part: value}
    assert letters(house, replace(BO, **changed)) == expected


# --- what customers are told ------------------------------------------------------------------------------

TURNS: dict[str, Callable[[DeskRig], None]] = {
    "on_handover": lambda rig: None,
    "on_join": lambda rig: rig.order(ev.Claimed, EVA),
    "on_return": lambda rig: rig.order(ev.Resumed, EVA),
    "on_resolve": lambda rig: rig.order(ev.Resolved, EVA),
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("texts", [{}, {"en": "Good news.", "pt": "Boa notícia."}], ids=["silent", "told"])
def test_customers_are_told_of_a_turn_where_there_is_a_text(house: House, turn: str, texts: dict[str, str]) -> None:
    said: dict[str, Any] = {turn: texts}
    house.rig.follow(customer_notice=CustomerNotice(**said))
    house.rig.opened()
    TURNS[turn](house.rig)
    told = [one["data"] for one in house.rig.told() if one["type"] == "customer.notice"]
    assert [(one["kind"], one["texts"]) for one in told] == ([(turn, texts)] if texts else [])


# --- nothing is left out ----------------------------------------------------------------------------------

PARTS_COVERED: dict[type, set[str]] = {
    Scenario: set(PARTS),
    ConnectionRule: {*RULES, "subject", "connection"},
    Recipient: set(RECIPIENTS),
    CustomerNotice: set(TURNS),
}


@pytest.mark.parametrize("thing", PARTS_COVERED)
def test_every_part_of_a_setting_is_looked_at(thing: Any) -> None:
    assert {field.name for field in fields(thing)} == PARTS_COVERED[thing]


@pytest.mark.parametrize("setting", in_the_core.ELSEWHERE)
def test_what_the_core_does_not_show_is_shown_where_it_says(setting: str) -> None:
    file, _, name = in_the_core.ELSEWHERE[setting].partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()
