"""Commands in the ticket: read by a table, carried out like any other event, answered by a note (row T56)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handoff_sync.core import events as ev
from handoff_sync.core.commands import Mistake, Question, is_command, read
from handoff_sync.core.effects import DeliverToCustomer, NoteOnTicket, SetTicketTags, Verdict, Visibility
from handoff_sync.core.model import AiMode, EndReason, Phase, TicketStatus
from handoff_sync.core.policy import Mode
from tests.core.talk import (
    ANA,
    EVA,
    IC,
    NOW,
    RULE,
    ZD,
    Talk,
    customer,
    health,
    in_deciding,
    in_human,
    in_resolved,
    in_waiting,
    of,
    person,
    reply,
    resolve,
    returned,
    status,
    tagged,
    ticket_note,
)


def order(text: str) -> object:
    return read(text, id="e", at=NOW, actor=EVA)


def answer(talk: Talk, text: str, link: str = ZD) -> str:
    """Writes a note on the ticket and returns what was answered there."""
    outcome = talk.send(ticket_note(text, link))
    (said,) = [note for note in of(outcome, NoteOnTicket) if note.name.startswith("answer:")]
    assert said.link == link
    assert not outcome.messages or outcome.messages[0].kind != "note"
    return said.text


def slip(text: str) -> ev.TicketPublicReply:
    """A note in the wrong field."""
    event = reply()
    return replace(event, message=replace(event.message, text=text))


# --- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minutes", "default", "reason"),
    [
        ("/ai pause", None, True, ""),
        ("/ai pause 30m", 30, False, ""),
        ("/ai pause 2h refund", 120, False, "refund"),
        ("/ai pause 45 angry man", 45, False, "angry man"),
        ("/AI Pause forever he is angry", None, False, "he is angry"),
        ("/ai pause because of fraud", None, True, "because of fraud"),
        ("/ai pause 15m\nand a second line", 15, False, ""),
        ("/ai pause 1h30m lunch", 90, False, "lunch"),
        ("/ai pause 2 hours lunch", 120, False, "lunch"),
        ("/ai pause 20 min", 20, False, ""),
    ],
)
def test_pauses(text: str, minutes: int | None, default: bool, reason: str) -> None:
    event = order(text)
    assert isinstance(event, ev.Paused)
    assert (event.minutes, event.use_default, event.reason) == (minutes, default, reason)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("/ai resume bot-2", ev.Resumed),
        ("/ai extend 30m", ev.Extended),
        ("/ai stop", ev.Stopped),
        ("/ai reset", ev.WasReset),
        ("/ai copilot on", ev.CopilotSet),
        ("/ai accept", ev.DecisionAccepted),
        ("/ai decline", ev.DecisionDeclined),
        ("/ai claim", ev.Claimed),
        ("/ai resolve", ev.Resolved),
        ("/ai why", Question),
        ("/ai status", Question),
        ("/ai", Question),
        ("/ai why?", Question),
        ("/ai_stop", ev.Stopped),
        ("/ai: help", Question),
        ("/ai sing", Mistake),
        ("/ai pause 1.5h", Mistake),
        ("/ai pause 30x", Mistake),
        ("/ai extend", Mistake),
        ("/ai extend soon", Mistake),
        ("/ai copilot maybe", Mistake),
    ],
)
def test_the_table(text: str, kind: type) -> None:
    assert isinstance(order(text), kind)


@pytest.mark.parametrize(
    "text",
    [
        "\n \n/ai resume bot-2",
        "/ai\N{NO-BREAK SPACE}resume&nbsp;bot-2",
        "\N{ZERO WIDTH NO-BREAK SPACE}/ai \N{WORD JOINER}resume bot-2",
        "“/ai resume bot-2”",
        "/ai resume “bot-2”",
        "`/ai resume bot-2`",
        "@Omar Haddad /ai resume bot-2",
        "@omar, @eva.b (https://desk.example/eva) /AI resume bot-2",
    ],
)
def test_what_an_editor_puts_around_it_does_not_matter(text: str) -> None:
    event = order(text)
    assert is_command(text) and isinstance(event, ev.Resumed)
    assert event.ai_agent_id == "bot-2"


@pytest.mark.parametrize(
    ("typed", "meant"), [("resum", "resume"), ("puase", "pause"), ("exten", "extend"), ("stat", "status")]
)
def test_a_slip_of_the_pen_is_told_what_was_meant(typed: str, meant: str) -> None:
    mistake = order(f"/ai {typed}")
    assert isinstance(mistake, Mistake) and f"Did you mean /ai {meant}?" in mistake.hint


def test_what_is_like_nothing_is_told_what_there_is() -> None:
    mistake = order("/ai " + "x" * 10_000)
    assert isinstance(mistake, Mistake) and "Did you mean" not in mistake.hint
    assert len(mistake.hint) < 200


@pytest.mark.parametrize(
    "text", ["> /ai resume", "@Dana please see /ai resume", "1. /ai resume", "https://desk.example/ai resume"]
)
def test_talking_about_a_command_is_none(text: str) -> None:
    assert not is_command(text)


@pytest.mark.parametrize("text", ["", "  ", "/air", "see /ai pause", "hello\n/ai pause", "/aipause"])
def test_only_a_first_line_that_starts_with_it_is_a_command(text: str) -> None:
    assert not is_command(text)


# --- carrying out ----------------------------------------------------------------------------------------------------


def test_resuming_from_the_ticket() -> None:
    talk = in_human()
    assert answer(talk, "/ai resume").startswith("Done.")
    assert (talk.phase, talk.session.handoffs[-1].end_reason) == (Phase.AI, EndReason.FORCE_RESUME)
    assert (talk.log[-1].triggered_by, talk.log[-1].via) == ("zd:7", "ticket")


def test_pausing_from_the_ticket_takes_the_session_back() -> None:
    talk = returned()
    assert answer(talk, "/ai pause 30m parcel lost").startswith("Done.")
    assert (talk.phase, talk.session.assignee) == (Phase.HUMAN, person(EVA))
    assert talk.log[-1].reason == "parcel lost"


def test_the_others() -> None:
    talk = in_waiting()
    answer(talk, "/ai claim")
    assert talk.session.assignee == person(EVA)
    answer(talk, "/ai copilot on")
    assert talk.session.ai_mode is AiMode.COPILOT
    answer(talk, "/ai stop")
    assert talk.phase is Phase.STOPPED
    answer(talk, "/ai reset")
    assert talk.phase is Phase.AI
    answer(talk, "/ai resolve")
    assert talk.phase is Phase.RESOLVED


def test_deciding_from_the_ticket() -> None:
    talk = in_deciding()
    answer(talk, "/ai accept")
    assert talk.phase is Phase.WAITING


def test_what_is_not_permitted_is_answered_with_the_reason() -> None:
    talk = in_human()
    before = talk.session
    assert answer(talk, "/ai extend 30m").startswith("Not done: The pause has no end")
    assert answer(talk, "/ai copilot off").startswith("Nothing to do")
    assert answer(talk, "/ai sing").startswith("There is no /ai sing")
    assert (talk.phase, talk.session.timers) == (before.phase, before.timers)


def test_a_warning_is_passed_on() -> None:
    talk = in_human()
    talk.send(health(agent=False))
    assert "Beware: Agent not running" in answer(talk, "/ai resume")


def test_asking_changes_nothing() -> None:
    talk = in_human()
    assert answer(talk, "/ai why") == "The AI is silent because Ana has the session."
    assert "back to the AI by: resume" in answer(talk, "/ai status")
    assert "/ai extend 30m" in answer(talk, "/ai help")
    assert talk.phase is Phase.HUMAN


def test_nothing_of_it_reaches_the_customer() -> None:
    talk = in_human()
    for text in ("/ai pause 30m", "/ai why", "/ai sing", "/ai resolve"):
        assert not of(talk.send(ticket_note(text)), DeliverToCustomer)


def test_i11_a_command_in_a_public_reply_is_obeyed_kept_and_not_delivered() -> None:
    talk = in_human()
    outcome = talk.send(slip("/ai stop\nhe is angry"))
    assert talk.phase is Phase.STOPPED
    assert not of(outcome, DeliverToCustomer)
    assert [(kept.kind, kept.visibility) for kept in outcome.messages] == [("note", Visibility.PRIVATE)]
    (said,) = [note for note in of(outcome, NoteOnTicket) if note.name.startswith("answer:")]
    assert said.text.startswith("Done.") and said.text.endswith("Write commands as internal notes.")


@pytest.mark.parametrize("start", [in_human, in_resolved, returned])
def test_i11_nor_is_one_that_nobody_understands(start: Callable[[], Talk]) -> None:
    talk = start()
    phase = talk.phase
    outcome = talk.send(slip("/ai sing"))
    assert (talk.phase, outcome.code) == (phase, "not_understood")
    assert not of(outcome, DeliverToCustomer) and len(of(outcome, NoteOnTicket)) == 1


def test_only_agents_command() -> None:
    talk = in_human()
    talk.send(ticket_note("/ai resume", actor=RULE))
    assert talk.phase is Phase.HUMAN
    talk.send(ev.CustomerMessage(id="x", at=NOW, message=customer().message))
    assert talk.phase is Phase.HUMAN


def test_i13_an_old_ticket_does_not_command_a_newer_handoff() -> None:
    talk = in_resolved()
    closed = TicketStatus.CLOSED
    talk.send(status(closed), status(closed, IC), customer())
    outcome = talk.send(ticket_note("/ai resume", ZD))
    assert (talk.phase, outcome.code) == (Phase.HUMAN, "outdated_ticket")
    assert not of(outcome, NoteOnTicket)


# --- tags ----------------------------------------------------------------------------------------------------------


def test_a_tag_is_a_command_that_goes_away_once_done() -> None:
    talk = in_human()
    outcome = talk.send(tagged("ai_resume", "vip"))
    assert talk.phase is Phase.AI
    assert "vip" in talk.session.labels and "ai_resume" not in talk.session.labels
    changed = {effect.link: effect for effect in of(outcome, SetTicketTags)}
    assert "ai_resume" in changed[ZD].remove and "ai_returned" in changed[ZD].add
    assert [note.name for note in of(outcome, NoteOnTicket) if note.name.startswith("answer:")] == [
        f"answer:tag:{outcome.session.version}"
    ]
    assert talk.send(tagged(removed=("ai_resume",))).verdict is Verdict.UNCHANGED


def test_a_tag_that_cannot_be_obeyed_goes_away_too() -> None:
    talk = in_resolved()
    outcome = talk.send(tagged("ai_stop", "vip"))
    assert talk.phase is Phase.RESOLVED
    assert [effect.remove for effect in of(outcome, SetTicketTags) if effect.link == ZD] == [("ai_stop",)]
    assert "vip" in talk.session.labels


@pytest.mark.parametrize(
    ("tag", "phase"),
    [("ai_pause", Phase.HUMAN), ("ai_stop", Phase.STOPPED), ("ai_resolve", Phase.RESOLVED)],
)
def test_the_other_tags(tag: str, phase: Phase) -> None:
    talk = returned()
    talk.send(tagged(tag))
    assert talk.phase is phase


def test_a_resolved_session_stays_so() -> None:
    talk = in_human()
    talk.send(resolve(ANA))
    assert answer(talk, "/ai resume").startswith("Not done")
    assert talk.policy.handover_mode is Mode.SEMI_AUTOMATIC
