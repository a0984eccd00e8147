"""The five presets, each told as the story it is made for."""

from __future__ import annotations

from dataclasses import replace

from handoff_sync.core import events as ev
from handoff_sync.core.effects import (
    AppendToTicket,
    DeliverToCustomer,
    MailAdmin,
    MailCustomer,
    NotifyCustomer,
    OpenTicket,
    SetTicketStatus,
    Verdict,
)
from handoff_sync.core.machine import new_session
from handoff_sync.core.model import AiMode, Phase, TicketStatus, TimerKind
from handoff_sync.core.policy import ConnectionRule, Recipient
from handoff_sync.core.presets import PRESETS, SCENARIO_TEMPLATES
from handoff_sync.core.scope import complaints, resolve
from tests.core.talk import (
    ANA,
    BEN,
    NOW,
    ZD,
    Talk,
    accepted,
    archive,
    assign,
    claim,
    copilot,
    created,
    customer,
    extend,
    fresh,
    handover,
    ids,
    of,
    pause,
    person,
    proposed,
    reply,
    request,
    reset,
    resume,
    said,
    status,
)
from tests.core.talk import resolve as resolve_event


def start(name: str) -> Talk:
    """A workspace with one helpdesk and one recipient that starts from a preset."""
    policy = replace(
        PRESETS[name],
        connections=(ConnectionRule(connection="zd"),),
        recipients=(Recipient(email="ana@example.com"),),
    )
    talk = fresh(policy)
    talk.send(customer())
    return talk


def speaks(talk: Talk) -> Verdict:
    return talk.send(proposed(talk.session.control_epoch)).verdict


def test_pause_and_resume() -> None:
    """Switch as often as you like; nothing runs in the background and nothing is said to the customer."""
    talk = start("pause-and-resume")
    for number in range(1, 4):
        talk.send(pause())
        assert not talk.session.timers
        assert speaks(talk) is Verdict.BLOCK
        talk.send(customer(), said(ANA), resume())
        assert speaks(talk) is Verdict.ALLOW
        assert talk.session.handoffs[-1].number == number
    talk.send(pause(), reset())
    assert speaks(talk) is Verdict.ALLOW
    assert talk.session.message_count == 1 + 3 * 2
    assert talk.send(request()).verdict is Verdict.IGNORED
    talk.send(archive())
    assert talk.send(customer()).verdict is Verdict.NEW_SESSION
    assert not [effect for effect in talk.effects if isinstance(effect, NotifyCustomer | MailCustomer)]


def test_timed_takeover() -> None:
    """Half an hour unless you say otherwise; the AI comes back by itself."""
    talk = start("timed-takeover")
    talk.send(pause(use_default=True))
    assert talk.session.paused_until is not None
    assert (talk.session.paused_until - NOW).total_seconds() == 30 * 60
    assert speaks(talk) is Verdict.BLOCK
    talk.send(extend(15))
    talk.fire(TimerKind.PAUSE)
    assert speaks(talk) is Verdict.ALLOW
    talk.send(pause(60), resume(BEN))
    actions = [(row.action, row.duration_minutes, row.triggered_by) for row in talk.log]
    assert actions == [
        ("pause_activated", 30, "m-ana"),
        ("interaction_blocked", None, "system"),
        ("extend_pause", 15, "m-ana"),
        ("auto_resume", None, "system"),
        ("pause_activated", 60, "m-ana"),
        ("force_resume", None, "m-ben"),
    ]
    sales = resolve(talk.policy, {"default_pause_minutes": 240}, {})
    assert sales.default_pause_minutes == 240


def test_assignment() -> None:
    """A queue of sessions that need somebody; what happens to a ticket does not end the session."""
    talk = start("assignment")
    talk.send(request())
    assert talk.session.human_handoff and talk.session.assignee is None
    talk.send(created(), claim(ANA))
    assert talk.send(claim(BEN)).code == "already_claimed_by"
    talk.send(assign(BEN, ANA), status(TicketStatus.SOLVED))
    assert (talk.phase, talk.session.assignee) == (Phase.HUMAN, person(BEN))
    talk.send(assign(None, BEN, ai="bot-2"))
    assert (talk.phase, talk.session.ai_agent_id) == (Phase.AI, "bot-2")
    assert not of(talk.send(resolve_event()), SetTicketStatus)


def test_handover() -> None:
    """The AI asks, people decide, the ticket carries the work, reopening keeps who is in charge."""
    talk = start("handover")
    asked = talk.send(request(scenario="Escalation requests"))
    assert [effect.recipient.email for effect in of(asked, MailAdmin)] == ["ana@example.com"]
    assert speaks(talk) is Verdict.ALLOW
    talk.send(accepted(ANA))
    assert speaks(talk) is Verdict.BLOCK
    talk.send(created())
    assert [effect.public for effect in of(talk.send(customer()), AppendToTicket)] == [True]
    assert len(of(talk.send(reply()), DeliverToCustomer)) == 1
    talk.send(status(TicketStatus.SOLVED))
    talk.fire(TimerKind.SOLVED_GRACE)
    assert talk.phase is Phase.RESOLVED
    outcome = talk.wait(hours=2).send(customer())
    assert talk.session.assignee is not None and talk.session.assignee.name == "Eva"
    assert not of(outcome, OpenTicket)
    assert [link.id for link in talk.session.links] == [ZD]


def test_resolve_to_return() -> None:
    """Once people have it the AI only drafts; resolving is the way back, with a new session."""
    talk = start("resolve-to-return")
    talk.send(handover())
    assert talk.send(resume()).code == "live_handback_off"
    assert talk.send(resolve_event()).code == "assignee_required"
    talk.send(claim(ANA), copilot())
    assert talk.session.ai_mode is AiMode.COPILOT
    assert speaks(talk) is Verdict.DRAFT
    talk.send(resolve_event(note="Refunded"))
    assert talk.send(customer()).verdict is Verdict.NEW_SESSION
    new = new_session(id="s2", workspace="w", conversation_id="conv", now=NOW, previous=talk.session)
    after = Talk(policy=talk.policy, session=new)
    after.send(ev.CustomerMessage(**ids(), message=customer().message))
    assert (after.phase, speaks(after)) == (Phase.AI, Verdict.ALLOW)


def test_a_preset_complains_only_of_what_a_workspace_must_bring_itself() -> None:
    silent = {name for name, policy in PRESETS.items() if not complaints(policy)}
    assert silent == {"pause-and-resume", "timed-takeover", "resolve-to-return"}
    for policy in PRESETS.values():
        assert not complaints(replace(policy, recipients=(Recipient(email="ana@example.com"),)))


def test_the_templates_are_off_until_somebody_switches_them_on() -> None:
    assert len(SCENARIO_TEMPLATES) == 7
    assert not any(scenario.enabled for scenario in SCENARIO_TEMPLATES)
