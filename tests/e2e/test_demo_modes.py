"""Who decides about a handoff, as the demo plays it: mails, links, the page behind them, and time that passes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from handoff_sync.core.policy import Mode
from handoff_sync.demo import DemoOptions, World, world
from handoff_sync.simulator.chat.platform import ChatPlatform
from handoff_sync.simulator.dialogues import Dialogue, read_dialogues
from handoff_sync.simulator.mailbox.mail import Mail
from handoff_sync.simulator.narrator import Narrator
from handoff_sync.simulator.office import Office
from handoff_sync.simulator.story import Story, for_every_ending
from tests.e2e.command import ROOT, handoff, handoff_here
from tests.e2e.test_demo import ALL, EXAMPLES, assert_held, figures

MAYA = read_dialogues(EXAMPLES)[0]


@pytest.fixture
def one_dialogue(tmp_path: Path) -> Path:
    path = tmp_path / "dialogues.jsonl"
    path.write_text(EXAMPLES.read_text(encoding="utf-8").split("\n")[0], encoding="utf-8")
    return path


def assert_every_ending(output: str, helpdesks: int) -> None:
    assert "Every step held." in output
    counts = figures(output)
    assert {name: values for name, values in counts.items() if name.startswith("questions")} == {
        "questions: accept": ["1"],
        "questions: decline": ["1"],
        "questions: expiry": ["1"],
    }
    assert counts["tickets"] == ["1"] * helpdesks
    assert counts["mails to admins"] == ["10"]  # each asked three times, one reminder each, two told who decided


def test_admins_accept_decline_and_let_time_pass(tmp_path: Path, one_dialogue: Path) -> None:
    asking = ("--mode", "semi_automatic", "--dialogues", one_dialogue, "--helpdesks", ALL)
    done = handoff("demo", "--once", *asking, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert_every_ending(done.stdout, helpdesks=3)


def test_admins_decide_on_redis_and_postgresql(
    tmp_path: Path, one_dialogue: Path, redis_url: str, empty_postgres_url: str
) -> None:
    stores = ("--broker", redis_url, "--database", empty_postgres_url, "--on-solved", "return_to_ai")
    asking = ("--mode", "semi_automatic", "--dialogues", one_dialogue, "--helpdesks", ALL)
    done = handoff("demo", "--once", *asking, *stores, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(PostgreSQL, Redis)" in done.stdout
    assert_every_ending(done.stdout, helpdesks=3)


def test_in_automatic_mode_admins_learn_of_it_and_the_customer_of_the_agent(tmp_path: Path, one_dialogue: Path) -> None:
    done = handoff("demo", "--once", "--mode", "automatic", "--dialogues", one_dialogue, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_held(done.stdout, 1)
    assert "“Customer needs your help”: “You have a new conversation from …”" in done.stdout
    assert "a mail tells Maya Lindqvist that Dana has joined" in done.stdout
    assert figures(done.stdout)["mails to admins"] == ["2"]


def test_a_mode_that_nobody_can_watch_is_refused(tmp_path: Path) -> None:
    done = handoff_here("demo", "--mode", "manual_only", folder=tmp_path)
    assert done.returncode == 2
    assert "semi_automatic" in done.stderr


def test_few_dialogues_are_played_until_every_ending_was_there() -> None:
    names = [one.conversation_id for one in for_every_ending([MAYA])]
    assert names == ["halyard-1", "halyard-1-2", "halyard-1-3"]
    two = [MAYA, replace(MAYA, conversation_id="halyard-1-3")]
    assert [one.conversation_id for one in for_every_ending(two)] == ["halyard-1", "halyard-1-3", "halyard-1-3-copy"]
    many = read_dialogues(ROOT / "examples" / "dialogues.jsonl")
    assert for_every_ending(many) == many


# --- the demo must not believe itself ------------------------------------------------------------


@contextmanager
def playing(mode: Mode, narrator: Narrator) -> Iterator[World]:
    with world(DemoOptions(mode=mode), narrator) as parts:
        yield parts


def story_of(parts: World, narrator: Narrator, **other: object) -> Story:
    chosen = {"platform": parts.platform, "office": parts.office, "patience_s": 4.0} | other
    return Story(service=parts.service, desks=parts.desks, narrator=narrator, **chosen)  # type: ignore[arg-type]


class SharedLink(Office):
    """Everybody gets what the first admin got."""

    def mails(self, to: str, since: frozenset[str]) -> list[Mail]:
        return super().mails(self.admins[0].email, since)


class NoMail(Office):
    def mails(self, to: str, since: frozenset[str]) -> list[Mail]:
        return []


class StoppedClock(Office):
    def let_pass(self, minutes: int) -> None:
        pass


def other_office(kind: type[Office], office: Office) -> Office:
    return kind(
        admins=office.admins,
        mailbox=office.mailbox,
        asked=office.asked,
        pass_time=office.pass_time,
        settle=office.settle,
    )


@pytest.mark.parametrize(
    ("wrong", "place", "noticed"),
    [
        (SharedLink, 0, "each has a link of their own"),
        (NoMail, 0, "a mail asks Ada (ada@example.com)"),
        (StoppedClock, 2, "the time to decide is over: the AI keeps the talk"),
    ],
)
def test_a_question_that_goes_wrong_is_told(wrong: type[Office], place: int, noticed: str) -> None:
    told = io.StringIO()
    narrator = Narrator(told)
    with playing(Mode.SEMI_AUTOMATIC, narrator) as parts:
        story = story_of(parts, narrator, office=other_office(wrong, parts.office))
        story.totals.dialogues = place  # which of the three endings comes
        story.play(MAYA)
    assert noticed in narrator.failed, told.getvalue()


class SilencedAi:
    """A platform whose AI is not allowed to speak while a question is open."""

    def __init__(self, platform: ChatPlatform) -> None:
        self._platform = platform

    def __getattr__(self, name: str) -> object:
        return getattr(self._platform, name)

    def propose(self, conversation_id: str, text: str, epoch: int) -> str:
        return "block"


def test_an_ai_that_falls_silent_while_people_think_is_told() -> None:
    told = io.StringIO()
    narrator = Narrator(told)
    with playing(Mode.SEMI_AUTOMATIC, narrator) as parts:
        story = story_of(parts, narrator, platform=SilencedAi(parts.platform))
        story.totals.dialogues = 1
        story.play(MAYA)
    assert "the AI goes on talking while the question is open" in narrator.failed, told.getvalue()


def test_mails_that_do_not_come_are_told_in_automatic_mode() -> None:
    narrator = Narrator(io.StringIO())
    with playing(Mode.AUTOMATIC, narrator) as parts:
        story_of(parts, narrator, office=other_office(NoMail, parts.office)).play(MAYA)
    assert {"a mail tells Ada (ada@example.com) of it", "a mail tells Maya Lindqvist that Dana has joined"} <= set(
        narrator.failed
    )


def test_a_mail_to_an_address_that_nobody_vouches_for_is_told() -> None:
    narrator = Narrator(io.StringIO())
    told_of = Dialogue(
        conversation_id="unvouched",
        channel="web",
        customer={k: v for k, v in MAYA.customer.items() if k != "email_verified"} | {"email": "ada@example.com"},
        messages=MAYA.messages,
        trigger="customer_request",
        reason="",
    )
    with playing(Mode.AUTOMATIC, narrator) as parts:
        story_of(parts, narrator).play(told_of)
    assert narrator.failed == ["no mail goes to ada@example.com: nobody vouches for it"]
