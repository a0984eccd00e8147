"""The AI is steered from inside the ticket, at every helpdesk (rule T56): once, answered, unseen by customers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from handoff_connectors.gorgias.markup import to_text as gorgias_text
from handoff_connectors.intercom.text import to_text as intercom_text
from handoff_sync.core.commands import is_command
from handoff_sync.core.events import Claimed, Resumed
from handoff_sync.core.model import AiMode, Phase
from handoff_sync.core.policy import Mode, Outcome
from tests.delivery.desk_rig import EVA, DeskRig

STATE_TAGS = {"ai_active", "ai_paused", "ai_stopped", "ai_returned"}


def write(rig: DeskRig, ticket: str, text: str) -> str:
    """An agent's internal note; what was answered to it, as a note as well."""
    before = answers(rig)
    rig.desk.note(ticket, text)
    rig.notice()
    return told_since(rig, ticket, before)


def told_since(rig: DeskRig, ticket: str, before: list[str]) -> str:
    """The one new answer; it stands on the ticket, not in public, and a second look brings no second one."""
    rig.look(ticket)
    (answer,) = answers(rig)[len(before) :]
    said = [note for note in rig.desk.ticket(ticket).comments if note.text.startswith(answer.split("\n")[0])]
    assert said and not any(note.public for note in said)
    return answer


def answers(rig: DeskRig) -> list[str]:
    return [row.effect.text for row in rig.outbox() if row.kind == "ticket.note" and ":answer:" in row.key]


def state(rig: DeskRig, ticket: str) -> set[str]:
    return STATE_TAGS & set(rig.desk.ticket(ticket).tags)


# --- each command ------------------------------------------------------------------------------------------


def test_resume_gives_the_session_to_the_ai_or_to_a_named_one(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    assert write(at_desk, ticket, "/ai resume nova").startswith("Done.")
    assert (at_desk.phase(), at_desk.session().ai_agent_id) == (Phase.AI, "nova")
    assert state(at_desk, ticket) == {"ai_returned"}
    assert write(at_desk, ticket, "/ai resume").startswith("Nothing to do")
    assert at_desk.heard() == []


def test_pause_extend_and_forever(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.order(Resumed, EVA)
    assert write(at_desk, ticket, "/ai pause 30m parcel lost").startswith("Done.")
    session = at_desk.session()
    assert session.phase is Phase.HUMAN and session.assignee is not None
    assert at_desk.desk.agent_name in session.assignee.name
    assert session.paused_until is not None
    assert state(at_desk, ticket) == {"ai_paused"}
    assert write(at_desk, ticket, "/ai extend 30m").startswith("Done.")
    assert at_desk.session().paused_until == session.paused_until + timedelta(minutes=30)
    assert write(at_desk, ticket, "/ai pause forever").startswith("Done.")
    assert at_desk.session().paused_until is None
    assert write(at_desk, ticket, "/ai extend 30m").startswith("Not done: The pause has no end")
    (row,) = [row for _, row in at_desk.app.reads.pause_log(at_desk.workspace) if row.reason == "parcel lost"]
    assert (row.via, row.duration_minutes) == ("ticket", 30)


def test_stop_and_reset(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    assert write(at_desk, ticket, "/ai stop").startswith("Done.")
    assert at_desk.phase() is Phase.STOPPED
    assert state(at_desk, ticket) == {"ai_stopped"}
    assert write(at_desk, ticket, "/ai pause").startswith("Not done: The AI is stopped")
    assert write(at_desk, ticket, "/ai reset").startswith("Done.")
    assert at_desk.phase() is Phase.AI
    assert state(at_desk, ticket) == {"ai_active"}


def test_claim_copilot_and_resolve(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    assert write(at_desk, ticket, "/ai claim").startswith("Done.")
    assert at_desk.phase() is Phase.HUMAN
    assert at_desk.desk.ticket(ticket).assignee == at_desk.desk.agent_name
    assert write(at_desk, ticket, "/ai copilot on").startswith("Done.")
    assert at_desk.session().ai_mode is AiMode.COPILOT
    assert write(at_desk, ticket, "/ai copilot off").startswith("Done.")
    assert write(at_desk, ticket, "/ai resolve").startswith("Done.")
    assert at_desk.phase() is Phase.RESOLVED
    at_desk.notice()
    assert at_desk.desk.ticket(ticket).solved
    assert at_desk.desk.agent_name in at_desk.markers()[0]


def test_who_claims_what_somebody_holds_is_told_who(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.order(Claimed, EVA)
    assert write(at_desk, ticket, "/ai claim") == "Not done: Eva holds the session already."
    assert at_desk.session().assignee is not None


@pytest.mark.parametrize(("command", "phase"), [("accept", Phase.WAITING), ("decline", Phase.AI)])
def test_a_decision_is_taken_in_the_ticket_of_an_earlier_handoff(at_desk: DeskRig, command: str, phase: Phase) -> None:
    at_desk.follow(handover_mode=Mode.SEMI_AUTOMATIC)
    at_desk.hand_over()
    ticket = decided_once(at_desk)
    at_desk.hand_over()
    at_desk.work()
    assert at_desk.phase() is Phase.AI_DECIDING
    assert write(at_desk, ticket, f"/ai {command}").startswith("Done.")
    assert at_desk.phase() is phase
    assert write(at_desk, ticket, f"/ai {command}").startswith("Not done: already ")


def decided_once(rig: DeskRig) -> str:
    """The ticket of a handoff that was accepted and given back."""
    rig.order(Claimed, EVA)
    rig.order(Resumed, EVA)
    rig.notice()
    return rig.ticket_id()


def test_questions_are_answered_and_change_nothing(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    before = at_desk.session().phase
    assert write(at_desk, ticket, "/ai why?").startswith("The AI is silent because")
    assert "back to the AI by" in write(at_desk, ticket, "/ai status")
    assert "/ai extend 30m" in write(at_desk, ticket, "/ai help")
    assert "/ai extend 30m" in write(at_desk, ticket, "/ai")
    assert at_desk.phase() is before


def test_a_slip_of_the_pen_is_answered_with_what_was_meant(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    assert "Did you mean /ai resume?" in write(at_desk, ticket, "/ai resum")
    assert write(at_desk, ticket, "/ai pause 1.5h").startswith("Say for how long")
    assert at_desk.session().human_handoff


# --- tags ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "phase", "state_tag"),
    [
        ("ai_resume", Phase.AI, "ai_returned"),
        ("ai_pause", Phase.WAITING, "ai_paused"),
        ("ai_stop", Phase.STOPPED, "ai_stopped"),
        ("ai_resolve", Phase.RESOLVED, None),
    ],
)
def test_a_tag_is_used_once_and_answered(at_desk: DeskRig, tag: str, phase: Phase, state_tag: str | None) -> None:
    ticket = at_desk.opened()
    before = answers(at_desk)
    at_desk.desk.add_tags(ticket, tag, "late-parcel")
    at_desk.notice()
    told_since(at_desk, ticket, before)
    tags = set(at_desk.desk.ticket(ticket).tags)
    assert tag not in tags and "late-parcel" in tags
    assert "late-parcel" in at_desk.session().labels and tag not in at_desk.session().labels
    assert at_desk.phase() is phase
    if state_tag is not None:
        assert state(at_desk, ticket) == {state_tag}
    at_desk.notice()
    assert len(answers(at_desk)) == len(before) + 1


# --- who may, and who sees it ------------------------------------------------------------------------------------


def test_what_a_customer_or_a_machine_types_is_plain_text(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.say("/ai resume")
    at_desk.work()
    at_desk.desk.customer_reply(ticket, "/ai stop")
    for say in at_desk.desk.machines.values():
        say(ticket, "/ai reset")
    at_desk.notice()
    assert at_desk.session().human_handoff
    assert len(at_desk.on(ticket, "/ai resume")) >= 1, "agents see what the customer typed"
    assert answers(at_desk) == []
    assert at_desk.heard() == []


def test_a_command_in_a_public_reply_is_obeyed_and_not_delivered(at_desk: DeskRig) -> None:
    """The agent took the wrong field; the customer of the chat must not learn how the AI is steered."""
    ticket = at_desk.opened()
    before = answers(at_desk)
    at_desk.desk.reply(ticket, "/ai pause 30m\nbetween us: a difficult customer")
    at_desk.notice()
    answer = told_since(at_desk, ticket, before)
    assert answer.startswith("Done.") and "internal note" in answer
    assert at_desk.session().paused_until is not None
    assert at_desk.heard() == []
    kept = [m for m in at_desk.app.reads.messages(at_desk.session().id) if "between us" in m.message.text]
    assert [(m.kind, m.visibility.value) for m in kept] == [("note", "private")]


def test_nothing_of_any_command_is_told_to_the_platform(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    for text in ("/ai why", "/ai sing", "/ai pause 10m canary", "/ai copilot on", "/ai stop canary"):
        write(at_desk, ticket, text)
    assert at_desk.heard() == []
    assert "canary" not in str(at_desk.told()) and "/ai" not in str(at_desk.told())


def test_a_command_on_a_resolved_session_is_refused_with_the_reason(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    assert write(at_desk, ticket, "/ai resolve").startswith("Done.")
    assert write(at_desk, ticket, "/ai resume").startswith("Not done: The session is resolved")


# --- as helpdesks and editors write it ---------------------------------------------------------------------------


def test_what_editors_do_to_a_command_does_not_matter(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    for text in (
        "\n\n   /ai\N{NO-BREAK SPACE}why",
        "\N{ZERO WIDTH SPACE}“/ai why”",
        "@Omar /AI Why?",
        "`/ai why`\n\nbecause the customer asks",
    ):
        at_desk.desk.note(ticket, text)
    at_desk.notice()
    assert [answer.startswith("The AI is silent because") for answer in answers(at_desk)] == [True] * 4


@pytest.mark.parametrize("to_text", [gorgias_text, intercom_text], ids=["gorgias", "intercom"])
@pytest.mark.parametrize(
    "markup",
    [
        "<p>&nbsp;</p><p>/ai&nbsp;stop</p>",
        "<div><br></div><div><b>/ai stop</b></div>",
        '<p><a href="https://app.example/omar">@Omar</a>&nbsp;/ai stop<br>he is angry</p>',
        "<pre><code>/ai stop</code></pre>",
    ],
)
def test_markup_around_a_command_does_not_matter(to_text: Callable[[str], str], markup: str) -> None:
    assert is_command(to_text(markup))


# --- state tags ------------------------------------------------------------------------------------------


def test_state_tags_tell_who_speaks_after_every_change(at_desk: DeskRig) -> None:
    at_desk.follow(on_ticket_solved=Outcome.RETURN_TO_AI)
    ticket = at_desk.opened()
    assert state(at_desk, ticket) == {"ai_paused"}
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.later(60)
    assert state(at_desk, ticket) == {"ai_returned"}
    at_desk.hand_over()
    at_desk.work()
    assert state(at_desk, ticket) == {"ai_paused"}


def test_by_webhook_or_sweep_alone(by_itself: DeskRig) -> None:
    rig = by_itself
    ticket = rig.opened()
    before = answers(rig)
    rig.desk.note(ticket, "/ai stop")
    rig.notice()
    assert rig.phase() is Phase.STOPPED
    assert told_since(rig, ticket, before).startswith("Done.")
