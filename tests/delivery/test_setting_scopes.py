"""Workspace, then team, then session: the innermost holds, from the start of a handoff to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handoff_sync.core import events as ev
from handoff_sync.core.effects import Outcome, Verdict
from handoff_sync.core.policy import CustomerNotice, MailKind, Policy, Recipient
from handoff_sync.core.scope import resolve
from handoff_sync.store.committer import Job
from tests.delivery.desk_rig import EVA, POLICY, DeskRig
from tests.delivery.house import House

BO = Recipient(email="bo@example.com", name="Bo", kinds=(MailKind.HANDOVER,))
SHAPES: dict[str, tuple[Any, Any, Any]] = {
    "live_handback": (True, False, True),
    "redact": (False, True, False),
    "timezone": ("Asia/Tokyo", "Europe/Lisbon", "America/Lima"),
    "claim_reminder_minutes": (1, None, 3),
    "pause_presets": ([1], [2, None], [3]),
    "late_reply": ("deliver_and_retake", "refuse_with_note", "deliver"),
    "recipients": ([{"email": "w@example.com"}], [{"email": "t@example.com"}], [{"email": "s@example.com"}]),
    "scenarios": ([{"title": "W"}], [{"title": "T"}], [{"title": "S"}]),
    "customer_notice": ({"on_join": {"en": "w"}}, {"on_join": {"en": "t"}}, {"on_join": {"en": "s"}}),
}


def overridden(rig: DeskRig, talk: str, **settings: object) -> None:
    """The session has settings of its own."""

    def put(uow: Any) -> None:
        session = uow.session(rig.session(talk).id)
        own = replace(session, overrides=settings, version=session.version + 1)
        uow.save(Outcome(session=own, verdict=Verdict.APPLIED, rule=""), None)

    rig.app.committer.run(Job(run=put, sessions=(rig.session(talk).id,)))


def plain(setting: str, policy: Policy) -> Any:
    """As `SHAPES` spells it."""
    value = getattr(policy, setting)
    match setting:
        case "recipients":
            return [{"email": one.email} for one in value]
        case "scenarios":
            return [{"title": one.title} for one in value]
        case "customer_notice":
            return {"on_join": dict(value.on_join)}
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("setting", SHAPES)
def test_the_innermost_scope_holds_for_the_handoff(house: House, setting: str) -> None:
    of_workspace, of_team, of_session = SHAPES[setting]
    rig, admin = house.rig, house.rig.app.admin
    admin.update_workspace(rig.workspace, policy=resolve(POLICY, {setting: of_workspace}, {}))
    admin.update_workspace(rig.workspace, teams={"care": {setting: of_team}})
    found = []
    for talk, team, own in (("w", None, {}), ("t", "care", {}), ("s", "care", {setting: of_session})):
        rig.order(ev.SessionStarted, talk=talk, channel="web", team=team)
        if own:
            overridden(rig, talk, **own)
        rig.hand_over(talk)
        handoff = rig.session(talk).handoff
        assert handoff is not None
        found.append(plain(setting, handoff.policy))
    assert found == [of_workspace, of_team, of_session]


def test_a_changed_policy_is_that_of_the_next_handoff(house: House) -> None:
    """The one that runs ends as it began: its ticket, its mails, its notices, its times."""
    rig = house.rig
    rig.follow(customer_notice=CustomerNotice(on_resolve={"en": "first"}), recipients=(BO,))
    rig.opened()
    later = replace(BO, email="later@example.com", kinds=())
    rig.follow(customer_notice=CustomerNotice(on_resolve={"en": "second"}), recipients=(later,), timezone="Asia/Tokyo")
    rig.order(ev.Resolved, EVA)
    rig.order(ev.Archived, EVA)
    rig.opened()
    rig.order(ev.Resolved, EVA)
    told = [one["data"]["texts"]["en"] for one in rig.told() if one["type"] == "customer.notice"]
    addressed = [str(mail["To"].addresses[0].addr_spec) for mail in house.mails()]
    assert (told, addressed) == (["first", "second"], ["bo@example.com", "later@example.com"])
